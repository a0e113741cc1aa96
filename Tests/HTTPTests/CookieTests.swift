import HTTP
import Testing

@Suite struct CookieTests {
    @Test(arguments: [
        ("a=1; b=2", ["a=1", "b=2"]), ("a=1;b=2", ["a=1", "b=2"]), (" a = 1 ", ["a=1"]), ("a=\"x y\"", ["a=x y"]),
        ("a=b=c", ["a=b=c"]), ("a", []), ("=1", []), ("", []), (";;a=;", ["a="]), ("a=1; a=2", ["a=1", "a=2"]),
        ("a=\"", ["a=\""]),
        ("novalue; =x; ;;a=b=c", ["a=b=c"]), ("a=1;\u{301}b=2", ["a=1", "\u{301}b=2"]),
    ])
    func reads(text: String, pairs: [String]) {
        #expect(Cookies(parsing: text).pairs.map { "\($0.name)=\($0.value)" } == pairs)
    }

    @Test func severalFieldsCountAsOne() {
        let request = RequestHead(.get, "/", fields: [("Cookie", "a=1"), ("COOKIE", "b=2"), ("X", "c=3")])
        #expect(Cookies(request)["b"] == "2")
        #expect(Cookies(request)["c"] == nil)
        #expect(Cookies(parsing: "a=first; a=second")["a"] == "first")
    }

    @Test func writes() throws {
        #expect(try Cookie("a", "1").fieldValue(isRequestSecure: false) == "a=1; Path=/; HttpOnly; SameSite=Lax")
        #expect(
            try Cookie("a", "1", path: "/x", domain: "example.org", maxAge: .seconds(60), sameSite: .strict)
                .fieldValue(isRequestSecure: true)
                == "a=1; Path=/x; Domain=example.org; Max-Age=60; HttpOnly; Secure; SameSite=Strict")
        #expect(
            try Cookie("a", "", maxAge: .zero).fieldValue(isRequestSecure: false).contains("Max-Age=0; Expires=Thu"))
    }

    @Test func sameSiteNoneIsSecure() throws {
        #expect(try Cookie("a", "1", sameSite: .none).fieldValue(isRequestSecure: false).contains("; Secure"))
    }

    @Test(arguments: [
        ("a b", "x", "/", Cookie.Invalid.name("a b")), ("", "x", "/", .name("")),
        ("a", "x;y", "/", .value(name: "a")),
        ("a", "x\r\nSet-Cookie: b=1", "/", .value(name: "a")), ("a", "x y", "/", .value(name: "a")),
        ("a", "é", "/", .value(name: "a")), ("a", "x", "/;Domain=evil", .attribute(name: "a")),
        ("a", "x", "/\n", .attribute(name: "a")),
    ])
    func refuses(name: String, value: String, path: String, error: Cookie.Invalid) {
        #expect(throws: error) { try Cookie(name, value, path: path) }
    }
}

@Suite struct MediaTypeTests {
    @Test(arguments: [
        ("index.html", "text/html; charset=utf-8"), ("A.CSS", "text/css; charset=utf-8"),
        ("x.min.js", "text/javascript; charset=utf-8"), ("data.json", "application/json"), ("a.svg", "image/svg+xml"),
        ("f.woff2", "font/woff2"), ("noextension", nil), ("x.unknown", nil), ("dir.html/x", nil),
    ])
    func knowsExtensions(name: String, type: String?) {
        #expect(MediaType.contentType(fileName: name) == type)
    }

    @Test(arguments: [
        ("text/html; charset=utf-8", true), ("TEXT/plain", true), ("application/json", true),
        ("application/json;x=1", true), ("application/jsonx", false), ("application/xml", false), ("textual/x", false),
        ("", false), ("image/png", false),
    ])
    func setsMatch(type: String, isContained: Bool) {
        #expect(MediaTypeSet(["text/*", "Application/JSON"]).contains(type) == isContained)
        #expect(MediaTypeSet(["*/*"]).contains(type))
    }
}
