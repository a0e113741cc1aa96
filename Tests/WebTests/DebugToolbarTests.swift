import HTTP
import NIOCore
import TestSupport
import Testing
import Web

/// A site whose pages cost something.
private struct Costly: Site {
    let name = "costly"

    var urls: URLs {
        path("", page, name: "page")
        path("later/", later)
        path("form/", form)
        path("policy/", policy)
        path("data/", data)
        path("end/", withoutEnd)
        path("fail/", fail)
    }

    var templates: EmbeddedFileSet {
        [
            EmbeddedFile("base.html", text: "<html><body>{% block content %}{% endblock %}</body></html>\n"),
            EmbeddedFile(
                "page.html",
                text: "{% extends 'base.html' %}{% block content %}{% include 'part.html' %}</BODY>{% endblock %}"),
            EmbeddedFile("part.html", text: "a part"),
        ]
    }

    private func page(_ request: Request) throws -> Response {
        for _ in 0..<3 { _ = try request.database.rows("SELECT 1 < 2") }
        _ = try request.database.rows("SELECT ?", ["a value"])
        return try request.render("page.html")
    }

    private func later(_ request: Request) async throws -> Response {
        try await request.onThread { _ = try request.database.rows("SELECT 'on a thread'") }
        return try request.render("page.html")
    }

    private func form(_ request: Request) throws -> Response {
        try request.database.transaction { try $0.execute("CREATE TABLE IF NOT EXISTS t (a)") }
        return .html("<body>done</body>")
    }

    private func policy(_ request: Request) throws -> Response {
        var response = Response.html("<body></body>")
        for policy in request.query.all("p") { response.fields.append("Content-Security-Policy", policy) }
        return response
    }

    private func data(_ request: Request) throws -> Response { .json(["a": "</body>"]) }

    private func withoutEnd(_ request: Request) throws -> Response {
        var response = Response.html("no end")
        response.fields.append("Content-Length", "6")
        return response
    }

    private func fail(_ request: Request) throws -> Response { throw Http404() }
}

@Suite struct DebugToolbarTests {
    private static let browser = [("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")]

    private static func client(
        _ gateway: TestClient.GatewayKind = .asgi, isShown: Bool = true, isDebug: Bool = true
    ) -> TestClient {
        var settings = SiteSettings(database: .memory, isDebug: isDebug)
        settings.showsToolbar = isShown
        return TestClient(Costly(), gateway: gateway, settings: settings)
    }

    @Test(arguments: TestClient.GatewayKind.allCases)
    func showsWhatAPageHasCost(_ gateway: TestClient.GatewayKind) async throws {
        let page = try await Self.client(gateway).get(
            "/", fields: Self.browser + [("Cookie", "a=hidden1"), ("Authorization", "hidden2"), ("X-Plain", "<shown>")])
        #expect(page.status == 200)
        expect(
            page.text,
            shows: [
                "<td>SELECT 1 &lt; 2</td>", "<td>3 times</td>", "<h2>SQL: 4 statements, 2 of them duplicates</h2>",
                "<td>SELECT ?</td>", "<td>page.html</td>", "<td>base.html, part.html</td>", "<td>Routing</td>",
                "<td>&lt;shown&gt;</td>", "· 4 statements</summary>",
            ], hides: ["hidden1", "hidden2", "a value"])
        // At the end of the body, which is the last one that says so.
        #expect(page.text.contains("a part</BODY><aside id=\"portico-toolbar\""))
        #expect(page.text.hasSuffix("</aside>\n</body></html>\n"))
    }

    @Test func followsWorkToOtherThreads() async throws {
        let page = try await Self.client().get("/later/", fields: Self.browser)
        #expect(page.text.contains("<td>SELECT &#x27;on a thread&#x27;</td>"))
    }

    @Test func showsHowATransactionBeginsAndEnds() async throws {
        let page = try await Self.client().post("/form/", ["a": "b"], fields: Self.browser)
        for statement in ["BEGIN IMMEDIATE", "CREATE TABLE IF NOT EXISTS t (a)", "COMMIT"] {
            #expect(page.text.contains("<td>\(statement)</td>"), "\(statement)")
        }
    }

    @Test func isInErrorPagesToo() async throws {
        let page = try await Self.client().get("/fail/", fields: Self.browser)
        #expect(page.status == 404)
        #expect(page.text.contains("portico-toolbar"))
    }

    @Test func lengthsStayTrue() async throws {
        let page = try await Self.client().get("/end/", fields: Self.browser)
        #expect(page.text.hasPrefix("no end<aside"))
        #expect(page.head.fields["Content-Length"] == "\(page.body.readableBytes)")
    }

    @Test(arguments: [
        ("/", [("Accept", "*/*")]), ("/", []), ("/", browser + [("Sec-Fetch-Dest", "empty")]), ("/data/", browser),
    ])
    func isNotInAnythingElse(_ path: String, _ fields: [(String, String)]) async throws {
        let page = try await Self.client().get(path, fields: fields)
        #expect(page.status == 200)
        #expect(!page.text.contains("portico-toolbar"))
    }

    /// What is answered without `debug` is byte for byte what the view has made.
    @Test(arguments: TestClient.GatewayKind.allCases)
    func isNotInProduction(_ gateway: TestClient.GatewayKind) async throws {
        let plain = try await Self.client(gateway, isShown: false, isDebug: false).get("/", fields: Self.browser)
        let unasked = try await Self.client(gateway).get("/")
        #expect(plain.text == "<html><body>a part</BODY></body></html>\n")
        #expect(plain.text == unasked.text)
    }

    @Test(arguments: [
        ("style-src 'nonce-abc'", "<style nonce=\"abc\">", "style-src 'nonce-abc'"),
        ("default-src 'self'", "<style>", "default-src 'self'; style-src 'self' 'sha256-"),
        ("style-src 'none'", "<style>", "style-src 'sha256-"),
        ("style-src 'self' 'unsafe-inline'", "<style>", "style-src 'self' 'unsafe-inline'"),
        ("img-src 'self'", "<style>", "img-src 'self'"),
    ])
    func getsOnWithAPolicy(_ policy: String, _ element: String, _ changed: String) async throws {
        let page = try await Self.client().get(
            "/policy/?p=\(PercentCoding.encodeComponent(policy))", fields: Self.browser)
        #expect(page.text.contains(element))
        let field = try #require(page.head.fields["Content-Security-Policy"])
        #expect(field.hasPrefix(changed) && (changed.hasSuffix("-") || field == changed), "\(field)")
    }
}
