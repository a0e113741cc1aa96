import Gateway
import HTTP
import Testing

@testable import Front

@Suite struct RouteTableTests {
    private static let table: [RouteDeclaration] = [
        ("", "=/ping"), ("", "/"), ("", "/static/"), ("", "/static/img/"), ("", "/shop"), ("", "~ \\.php$"),
        ("", "~ ^/static/raw"), ("", "~ (?i)\\.PHP5$"), ("", "=/static/exact.php"), ("", "/café/"),
        ("example.org", "/"), ("example.org", "=/own"), ("*.example.org", "/wild/"), ("*.deep.example.org", "/"),
        ("[::1]", "/"),
    ].map { host, pattern in
        RouteDeclaration(
            RoutePattern(pattern), .respond(.ok, body: Array("\(host)\(RoutePattern(pattern))".utf8)),
            host: host.isEmpty ? nil : host
        )
    }

    @Test(arguments: [
        ("a", "/", "/"), ("a", "/ping", "=/ping"), ("a", "/ping/", "/"), ("a", "/pin", "/"),
        ("a", "/static/x", "/static/"),
        ("a", "/static/img/x", "/static/img/"), ("a", "/static/imgx", "/static/"), ("a", "/shop", "/shop"),
        ("a", "/shopping", "/shop"), ("a", "/sho", "/"), ("a", "/x.php", "~\\.php$"),
        ("a", "/static/x.php", "~\\.php$"),
        ("a", "/x.phpx", "/"), ("a", "/static/raw.php", "~\\.php$"), ("a", "/static/raw/x", "~^/static/raw"),
        ("a", "/x.Php5", "~(?i)\\.PHP5$"), ("a", "/static/exact.php", "=/static/exact.php"),
        ("a", "/caf%C3%A9/x", "/café/"), ("a", "//static//img/./x", "/static/img/"), ("a", "/static/../ping", "=/ping"),
        ("a", "/%73tatic/x", "/static/"), ("a", "/x?y=.php", "/"), ("a", "", "/"),
        ("example.org", "/x", "example.org/"), ("EXAMPLE.org:8000", "/x", "example.org/"),
        ("example.org.", "/own", "example.org=/own"), ("example.org", "/ping", "example.org/"),
        ("a.example.org", "/wild/x", "*.example.org/wild/"), ("a.example.org", "/x", "/"),
        ("a.b.example.org", "/wild/x", "*.example.org/wild/"), ("x.deep.example.org", "/wild/x", "*.deep.example.org/"),
        ("notexample.org", "/own", "/"), (".example.org", "/wild/x", "/"), ("[::1]:80", "/x", "[::1]/"),
    ])
    func matches(host: String, target: String, body: String) throws {
        let front = try FrontFixture(Self.table)
        #expect(front.send(.get, target, [("Host", host)]).text == body)
    }

    @Test(arguments: [
        ("/shop/x?q=1", "/shop", "/x"), ("/shop/", "/shop", "/"), ("/shop/a%20b/%C3%A9", "/shop", "/a b/é"),
        ("/plain", "/plain", ""), ("/plain/x", "/plain", "/x"), ("/plainly/x", "", "/plainly/x"),
        ("/a/bcd", "/a", "/bcd"), ("/x.php", "", "/x.php"), ("/exact", "", "/exact"), ("/other/x", "", "/other/x"),
    ])
    func mountsSites(target: String, scriptName: String, path: String) throws {
        let front = try FrontFixture(
            ["/", "/shop/", "/plain", "/a/b", "~\\.php$", "=/exact"].map {
                RouteDeclaration(RoutePattern($0), .site("echo"))
            }, sites: ["echo": EchoSite()])
        #expect(front.send(.get, target).text == "[\(scriptName)][\(path)]")
    }

    @Test func addsTheSlashOfAPrefix() throws {
        let front = try FrontFixture(
            [
                RouteDeclaration(.prefix("/shop/"), .site("echo")), RouteDeclaration(.prefix("/a b/"), .site("echo")),
                RouteDeclaration(.prefix("/both/"), .site("echo")), RouteDeclaration(.exact("/both"), .site("echo")),
                RouteDeclaration(.prefix("/no/"), .deny()),
            ], sites: ["echo": EchoSite()])
        let moved = front.send(.get, "/shop?x=1")
        #expect(moved.status == 301)
        #expect(moved["Location"] == "/shop/?x=1")
        #expect(front.send(.post, "/shop").status == 308)
        #expect(front.send(.get, "/a%20b")["Location"] == "/a%20b/")
        #expect(front.send(.get, "/both").text == "[][/both]")
        #expect(front.send(.get, "/no").status == 404)
    }

    @Test(arguments: [
        ("/old/a/b?q=1", "/new/a/b?q=1"), ("/old/", "/new/"), ("/old/%0d%0aX:%20y", "/new/%0D%0AX:%20y"),
        ("/old//evil.example", "/new/evil.example"), ("/old/%5Cevil.example", "/new/%5Cevil.example"),
        ("/fixed/a?q=1", "/elsewhere"), ("/away/a?q", "https://example.org/a?q"), ("/here?q=1", "/there/"),
        ("/old", "/old/"),
    ])
    func redirects(target: String, location: String) throws {
        let front = try FrontFixture([
            RouteDeclaration(.prefix("/old/"), .redirect("/new/")),
            RouteDeclaration(.prefix("/fixed/"), .redirect("/elsewhere", .found)),
            RouteDeclaration(.prefix("/away/"), .redirect("https://example.org/", .permanentRedirect)),
            RouteDeclaration(.exact("/here"), .redirect("/there/")),
        ])
        let answer = front.send(.get, target)
        #expect((300...399).contains(answer.status))
        #expect(answer["Location"] == location)
    }

    @Test(arguments: ["/..", "/%2e%2e/x", "/a%00b", "/%", "/%zz", "x"])
    func refusesWhatIsNoPath(target: String) throws {
        let front = try FrontFixture([RouteDeclaration(.prefix("/"), .respond(.ok, body: []))])
        #expect(front.send(.get, target).status == 400)
    }

    @Test func answersErrorsAsAsked() throws {
        let front = try FrontFixture([RouteDeclaration(.prefix("/no/"), .deny())])
        let plain = front.send(.get, "/x")
        #expect(plain.status == 404)
        #expect(plain["Content-Type"] == "text/plain; charset=utf-8")
        #expect(plain.text == "404 Not Found\nRequest request<1>\n")
        let html = front.send(.get, "/no/x", [("Accept", "text/html,*/*")])
        #expect(html.status == 403)
        #expect(html["Content-Type"] == "text/html; charset=utf-8")
        #expect(html.text.contains("request&lt;1&gt;"))
    }

    @Test func methodsAreLimited() throws {
        let front = try FrontFixture([
            RouteDeclaration(.prefix("/"), .respond(.ok, body: []), methods: [.get, .head])
        ])
        #expect(front.send(.get, "/").status == 200)
        let refused = front.send(.post, "/")
        #expect(refused.status == 405)
        #expect(refused["Allow"] == "GET, HEAD")
    }

    @Test func headersAreEdited() throws {
        let edits = HeaderEdits(set: [("X-Frame-Options", "DENY"), ("Content-Type", "text/x")], remove: ["x-secret"])
        let site = EchoSite {
            $0.start(ResponseHead(.ok, ["X-Secret": "1", "Content-Type": "text/plain", "X": "2"]))
            $0.finish()
        }
        let front = try FrontFixture(
            [
                RouteDeclaration(.prefix("/"), .site("site"), headers: edits),
                RouteDeclaration(.exact("/r"), .respond(.ok, body: []), headers: edits),
            ], sites: ["site": site])
        for target in ["/", "/r"] {
            let answer = front.send(.get, target)
            #expect(answer["X-Frame-Options"] == "DENY")
            #expect(answer.head?.fields.values("Content-Type") == ["text/x"])
            #expect(answer["X-Secret"] == nil)
        }
    }

    @Test func answersHealthBeforeRoutes() throws {
        let front = try FrontFixture(
            [RouteDeclaration(.prefix("/"), .respond(.ok, body: Array("route".utf8)))],
            health: HealthEndpoints(livez: "/livez", readyz: "/r", isReady: { false }))
        #expect(front.send(.get, "/livez").text == "ok\n")
        #expect(front.send(.get, "/r").status == 503)
        #expect(front.send(.get, "/x").text == "route")
        let off = try FrontFixture(
            [RouteDeclaration(.prefix("/"), .respond(.ok, body: Array("route".utf8)))],
            health: HealthEndpoints(livez: nil, readyz: nil))
        #expect(off.send(.get, "/livez").text == "route")
        #expect(off.send(.options, "").status == 204)
    }

    @Test func namesEveryMistake() {
        let declarations: [RouteDeclaration] = [
            RouteDeclaration(.prefix("static/"), .site("a")), RouteDeclaration(.prefix("/a/../b"), .site("a")),
            RouteDeclaration(.prefix("/"), .site("nobody"), host: "a b"), RouteDeclaration(.prefix("/"), .site("a")),
            RouteDeclaration(.prefix("/"), .site("a")), RouteDeclaration(.expression("("), .site("a")),
            RouteDeclaration(.exact("/x"), .redirect("/a b", .ok)),
            RouteDeclaration(.exact("/y"), .deny(), headers: HeaderEdits(set: [("a:", "b")])),
        ]
        do {
            _ = try RouteTable(declarations, sites: ["a"])
            Issue.record("no error")
        } catch {
            #expect(
                error.errors == [
                    RouteError(index: 0, reason: .relativePath("static/")),
                    RouteError(index: 1, reason: .unnormalizedPath("/a/../b")),
                    RouteError(index: 2, reason: .invalidHost("a b")),
                    RouteError(index: 2, reason: .unknownSite("nobody")),
                    RouteError(index: 4, reason: .duplicate(of: 3)),
                    RouteError(
                        index: 5, reason: .invalidExpression("(", .init(offset: 1, message: "missing ')'"))),
                    RouteError(index: 6, reason: .invalidStatus(200)),
                    RouteError(index: 6, reason: .invalidTarget("/a b")),
                    RouteError(index: 7, reason: .invalidHeader(.name("a:"))),
                ])
        }
    }

    @Test func missingSitesAreNamed() throws {
        let table = try RouteTable([RouteDeclaration(.prefix("/"), .site("a"))])
        #expect(throws: FrontHandler.MissingSites(names: ["a"])) { try FrontHandler(table: table, sites: [:]) }
    }

    @Test func theIndexFindsWhatAScanFinds() {
        var generator = SystemRandomNumberGenerator()
        func path() -> [UInt8] {
            [0x2F]
                + (0..<Int.random(in: 0...6, using: &generator)).map { _ in [0x2F, 0x61, 0x62].randomElement() ?? 0x61 }
        }
        for _ in 0..<200 {
            let entries = Set((0..<20).map { _ in path() }).enumerated().map { (path: $1, value: $0) }
            let index = PathIndex(entries)
            for _ in 0..<50 {
                let wanted = path()
                let longest = entries.filter { wanted.starts(with: $0.path) }.max { $0.path.count < $1.path.count }
                wanted.withUnsafeBytes {
                    #expect(index.longestPrefix($0) == longest?.value)
                    #expect(index.value($0) == entries.first { $0.path == wanted }?.value)
                }
            }
        }
    }
}
