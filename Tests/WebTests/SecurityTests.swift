import HTTP
import Testing

@testable import Web

@Suite struct Signing {
    private let signer = Signer(secretKey: SecretKey("a secret"), salt: "test")

    @Test(arguments: ["", "value", "ü:€;,\"\\", String(repeating: "x", count: 5000)])
    func roundTrip(_ value: String) throws {
        let signed = signer.sign(value)
        #expect(try signer.value(of: signed) == value)
        #expect(throws: Never.self) { try Cookie("name", signed) }
    }

    @Test func everyChangedByteIsNoticed() {
        let signed = Array(signer.sign("user=5", at: 1000).utf8)
        for index in signed.indices {
            var changed = signed
            changed[index] = changed[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            #expect(throws: Signer.Refusal.self) {
                try signer.value(of: String(decoding: changed, as: UTF8.self), maxAge: nil, at: 1000)
            }
        }
    }

    @Test func otherKeyOrSaltIsRefused() {
        let signed = signer.sign("x")
        let others = [
            Signer(secretKey: SecretKey("another"), salt: "test"),
            Signer(secretKey: SecretKey("a secret"), salt: "other"),
        ]
        for other in others { #expect(throws: Signer.Refusal.badSignature) { try other.value(of: signed) } }
    }

    @Test func age() throws {
        let signed = signer.sign("x", at: 1000)
        #expect(try signer.value(of: signed, maxAge: .seconds(10), at: 1010) == "x")
        #expect(throws: Signer.Refusal.expired) { try signer.value(of: signed, maxAge: .seconds(10), at: 1011) }
    }

    @Test(arguments: ["", "a", "a:b", "a:b:c", "a:1:c:d", ":::", "Zm9v:1:!"])
    func malformed(_ text: String) {
        #expect(throws: Signer.Refusal.self) { try signer.value(of: text) }
    }

    @Test func keyIsNeverShown() {
        let key = SecretKey("do not print this")
        #expect("\(key) \(String(reflecting: key)) \(dumped(key))".contains("print") == false)
    }

    private func dumped(_ value: some Any) -> String {
        var text = ""
        dump(value, to: &text)
        return text
    }
}

private struct Formular: Site {
    let name = "form"
    var urls: URLs {
        path("") { request in .text(request.csrfToken) }
        path("plain/") { _ in .text("no form") }
        path("send/") { request in
            try request.require(.post)
            return .text("taken")
        }
        path("sign/") { request in
            var response = Response.text(request.signedCookie("user") ?? "nobody")
            try response.setSignedCookie("user", "ann", for: request)
            return response
        }
    }
}

@Suite struct ForgedRequests {
    private static func client(isSecure: Bool = false, trusted: [String] = []) -> TestClient {
        var settings = SiteSettings()
        settings.trustedOrigins = trusted
        return TestClient(
            SiteApplication(Formular(), settings: settings), enforcesCSRF: true, isSecure: isSecure)
    }

    @Test func tokensDifferButAreTheSameSecret() async throws {
        let client = Self.client()
        let first = try await client.get("/").text
        let second = try await client.get("/").text
        #expect(first != second)
        #expect(first.count == 64)
        #expect(CSRF.secret(in: first) == CSRF.secret(in: second))
    }

    @Test func cookieOnlyWhenAsked() async throws {
        let client = Self.client()
        #expect(try await client.get("/plain/").head.fields["Set-Cookie"] == nil)
        let page = try await client.get("/")
        #expect(page.head.fields["Set-Cookie"]?.contains("Max-Age=31449600; SameSite=Lax") == true)
        #expect(page.head.fields["Vary"] == "Cookie")
    }

    @Test func inFormOrField() async throws {
        let client = Self.client()
        let token = try await client.get("/").text
        #expect(try await client.post("/send/", ["csrfmiddlewaretoken": token]).text == "taken")
        #expect(try await client.post("/send/", fields: [("X-CSRFToken", token)]).text == "taken")
        #expect(try await client.post("/send/", json: [:], fields: [("X-CSRFToken", token)]).text == "taken")
    }

    @Test(arguments: ["", "short", String(repeating: "a", count: 64), String(repeating: "é", count: 32)])
    func wrongToken(_ token: String) async throws {
        let client = Self.client()
        _ = try await client.get("/")
        #expect(try await client.post("/send/", ["csrfmiddlewaretoken": token]).status == 403)
    }

    @Test func withoutCookie() async throws {
        let token = try await Self.client().get("/").text
        #expect(try await Self.client().post("/send/", ["csrfmiddlewaretoken": token]).status == 403)
    }

    @Test(arguments: [
        ("http://localhost", 200), ("https://localhost", 403), ("http://evil.example", 403), ("null", 403),
        ("https://a.example.org", 200), ("https://example.org.evil", 403),
    ])
    func origin(_ origin: String, _ status: Int) async throws {
        let client = Self.client(trusted: ["https://*.example.org"])
        let token = try await client.get("/").text
        let answer = try await client.post("/send/", ["csrfmiddlewaretoken": token], fields: [("Origin", origin)])
        #expect(answer.status.code == status)
    }

    @Test(
        arguments: [
            ("https://localhost/form", 200), ("http://localhost/", 403),
            ("https://evil.example/https://localhost/", 403),
            (nil, 403),
        ] as [(String?, Int)])
    func referer(_ referer: String?, _ status: Int) async throws {
        let client = Self.client(isSecure: true)
        let token = try await client.get("/").text
        let answer = try await client.post(
            "/send/", ["csrfmiddlewaretoken": token], fields: referer.map { [("Referer", $0)] } ?? [])
        #expect(answer.status.code == status)
    }

    @Test func signedCookie() async throws {
        let client = TestClient(Formular(), enforcesCSRF: true)
        #expect(try await client.get("/sign/").text == "nobody")
        #expect(try await client.get("/sign/").text == "ann")
        client.cookies["user"]?.append("x")
        #expect(try await client.get("/sign/").text == "nobody")
    }
}

@Suite struct Hosts {
    @Test(arguments: [
        ("example.org", true), ("EXAMPLE.org:8000", true), ("example.org.", true), ("a.example.net", true),
        ("example.net", true), ("evil.org", false), ("example.org.evil.org", false), ("xexample.net", false),
        ("[::1]:80", true), ("", false),
    ])
    func allowed(_ host: String, _ isAllowed: Bool) {
        let hosts = AllowedHosts(["example.org", ".example.net", "[::1]"])
        #expect(hosts.allows(RequestHead(.get, "/", fields: [("Host", host)])) == isAllowed)
    }

    @Test func refusedBySite() async throws {
        let client = TestClient(Formular(), settings: SiteSettings(allowedHosts: ["example.org"]))
        #expect(try await client.get("/plain/").status == 400)
        #expect(try await client.get("/plain/", fields: [("Host", "example.org")]).status == 200)
    }
}
