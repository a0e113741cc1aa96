import HTTP
import NIOCore
import Testing

@testable import Web

private struct Inspector: Site {
    let name = "inspector"
    var isStamped = false

    var urls: URLs {
        path("") { request in
            .json([
                "path": .string(request.path), "q": .array(request.query.all("q").map(JSONValue.string)),
                "agent": .string(request.userAgent ?? ""), "host": .string(request.host),
            ])
        }
        path("form/") { request in .text(try request.form["a"] ?? "-") }
        path("body/") { request in .json(try request.json) }
        path("cookies/") { request in
            .text(request.cookies.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: "|"))
        }
        path("slash/") { _ in .text("slash") }
        path("missing/") { _ in throw Http404("no <b>such</b> thing") }
        path("denied/") { _ in throw PermissionDenied() }
        path("own/") { _ in
            Response(contentType: .text, fields: ["X-Frame-Options": "SAMEORIGIN"])
        }
        path("old/", RedirectView(to: "new"))
        path("new/", name: "new") { _ in .text("arrived") }
        path("around/", RedirectView(url: "/around/"))
        path("note/") { request in .text(request[attribute: Note.self]?.text ?? "none") }
        path("about/", TemplateView("about.html"))
        path("where/", name: "where") { request in
            .text("\(request.routeName ?? "-") \(request.absoluteURL("/x?y"))")
        }
        path("forget/") { _ in
            var response = Response.text("")
            try response.deleteCookie("a", path: "/x")
            return response
        }
    }

    var templates: EmbeddedFileSet { [EmbeddedFile("about.html", text: "<p>About</p>")] }

    var middleware: [any Middleware] { isStamped ? [Outer(), Stamp()] : [] }
}

private struct Note: Sendable { let text: String }

private struct Stamp: Middleware {
    func respond(to request: Request, next: Responder) async throws -> Response {
        request[attribute: Note.self] = Note(text: "noted")
        if request.query["stop"] != nil { return .text("stopped") }
        var response = try await next(request)
        try response.fields.append(name: "X-Stamp", value: "\(response.status.code)")
        return response
    }
}

private struct Outer: Middleware {
    func respond(to request: Request, next: Responder) async throws -> Response {
        var response = try await next(request)
        response.fields.append("X-Outer", response.fields["X-Stamp"] ?? "none")
        return response
    }
}

@Suite struct Requests {
    @Test func parts() async throws {
        let json = try await TestClient(Inspector()).get(
            "/?q=a+b&q=%C3%BC&x", fields: [("User-Agent", "test"), ("Host", "Example.org:80")]
        ).json
        #expect(json == ["path": "/", "q": ["a b", "ü"], "agent": "test", "host": "example.org:80"])
    }

    @Test func whereItIs() async throws {
        let answer = try await TestClient(Inspector()).get("/where/", fields: [("Host", "Example.org:8080")])
        #expect(answer.text == "where http://example.org:8080/x?y")
    }

    @Test func aTemplateIsAPage() async throws {
        let answer = try await TestClient(Inspector()).get("/about/")
        #expect(answer.text == "<p>About</p>")
        #expect(answer.head.fields["Content-Type"] == "text/html; charset=utf-8")
    }

    @Test func cookiesAreForgotten() async throws {
        let field = try #require(try await TestClient(Inspector()).get("/forget/").head.fields["Set-Cookie"])
        #expect(field.hasPrefix("a=; ") && field.contains("; Path=/x; "))
        #expect(field.contains("; Max-Age=0; Expires=Thu, 01 Jan 1970"))
    }

    @Test func severalCookieFields() async throws {
        let fields = [("Cookie", "a=1, 2; b=3"), ("Cookie", "c=4")]
        #expect(try await TestClient(Inspector()).get("/cookies/", fields: fields).text == "a=1, 2|b=3|c=4")
    }

    @Test(arguments: [
        ("application/x-www-form-urlencoded", "a=1", 200),
        ("application/x-www-form-urlencoded; charset=utf-8", "a=1", 200),
        ("multipart/form-data; boundary=x", "a=1", 400), ("text/plain", "a=1", 415), ("text/plain", "", 200),
        ("application/x-www-form-urlencoded", String(repeating: "a&", count: 1001), 400),
    ])
    func forms(_ type: String, _ body: String, _ status: Int) async throws {
        let answer = try await TestClient(Inspector()).send(
            .post, "/form/", fields: [("Content-Type", type)], body: ByteBuffer(string: body))
        #expect(answer.status.code == status)
    }

    @Test(arguments: [
        ("application/json", #"{"a":1}"#, 200), ("application/problem+json", "[]", 200), ("text/plain", "{}", 415),
        ("application/json", "{", 400),
    ])
    func json(_ type: String, _ body: String, _ status: Int) async throws {
        let answer = try await TestClient(Inspector()).send(
            .post, "/body/", fields: [("Content-Type", type)], body: ByteBuffer(string: body))
        #expect(answer.status.code == status)
        if status == 200 { #expect(answer.text == body) }
    }

    @Test(
        arguments: [
            ("/slash", 301, "/slash/"), ("/slash?a=%20b", 301, "/slash/?a=%20b"), ("/slash/", 200, nil),
            ("/other", 404, nil), ("//slash", 404, nil),
        ] as [(String, Int, String?)])
    func appendsSlash(_ path: String, _ status: Int, _ location: String?) async throws {
        let answer = try await TestClient(Inspector()).get(path)
        #expect(answer.status.code == status)
        #expect(answer.location == location)
    }

    @Test func slashIsNotAppendedToFormsWhileDebugging() async throws {
        let client = TestClient(Inspector(), settings: SiteSettings(isDebug: true))
        #expect(try await client.post("/slash").status == 500)
        #expect(try await client.get("/slash").status == 301)
    }

    @Test func errorPages() async throws {
        let client = TestClient(Inspector())
        let missing = try await client.get("/missing/")
        #expect(missing.status == 404)
        #expect(missing.text.contains("no &lt;b&gt;such&lt;/b&gt; thing"))
        #expect(missing.head.fields["X-Frame-Options"] == "DENY")
        #expect(try await client.get("/denied/").status == 403)
        let debug = TestClient(Inspector(), settings: SiteSettings(isDebug: true))
        #expect(try await debug.get("/nowhere/").text.contains("/slash/"))
        #expect(try await !client.get("/nowhere/").text.contains("/slash/"))
    }

    @Test func ownSecurityFieldWins() async throws {
        let fields = try await TestClient(Inspector()).get("/own/").head.fields
        #expect(fields.values("X-Frame-Options") == ["SAMEORIGIN"])
        #expect(fields["X-Content-Type-Options"] == "nosniff")
    }

    @Test func redirects() async throws {
        let client = TestClient(Inspector())
        let page = try await client.get("/old/", follow: true)
        #expect(page.text == "arrived")
        #expect(page.redirects == 1)
        #expect(try await client.get("/around/", follow: true).status == 302)
    }

    @Test(arguments: TestClient.GatewayKind.allCases)
    func middleware(_ gateway: TestClient.GatewayKind) async throws {
        let client = TestClient(Inspector(isStamped: true), gateway: gateway)
        let page = try await client.get("/note/")
        #expect(page.text == "noted")
        #expect(page.head.fields["X-Stamp"] == "200")
        #expect(page.head.fields["X-Outer"] == "200")
        #expect(try await client.get("/missing/").head.fields["X-Outer"] == "404")
        let stopped = try await client.get("/note/?stop")
        #expect(stopped.text == "stopped")
        #expect(stopped.head.fields["X-Outer"] == "none")
    }
}
