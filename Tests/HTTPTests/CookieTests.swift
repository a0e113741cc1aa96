import HTTP
import Testing

@Suite struct CookieTests {
    @Test(arguments: [
        ("a=1; b=2", ["a=1", "b=2"]), ("a=1;b=2", ["a=1", "b=2"]), (" a = 1 ", ["a=1"]), ("a=\"x y\"", ["a=x y"]),
        ("a=b=c", ["a=b=c"]), ("a", []), ("=1", []), ("", []), (";;a=;", ["a="]), ("a=1; a=2", ["a=1", "a=2"]),
        ("a=\"", ["a=\""]),
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
        var cookie = SetCookie("id", "x")
        #expect(try cookie.fieldValue() == "id=x; Path=/; HttpOnly; SameSite=Lax")
        cookie.maxAge = 60
        cookie.expires = HTTPDate(seconds: 0)
        cookie.domain = "example.org"
        cookie.isSecure = true
        cookie.isHTTPOnly = false
        cookie.sameSite = SetCookie.SameSite.none
        #expect(
            try cookie.fieldValue() == "id=x; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=60; "
                + "Domain=example.org; Path=/; Secure; SameSite=None")
        #expect(
            try SetCookie.deleting("id").fieldValue()
                == "id=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; HttpOnly; SameSite=Lax")
    }

    @Test(arguments: [
        ("a b", "x", "/", SetCookie.Invalid.name("a b")), ("", "x", "/", .name("")),
        ("a", "x;y", "/", .value(name: "a")),
        ("a", "x\r\nSet-Cookie: b=1", "/", .value(name: "a")), ("a", "x y", "/", .value(name: "a")),
        ("a", "é", "/", .value(name: "a")), ("a", "x", "/;Domain=evil", .attribute(name: "a")),
        ("a", "x", "/\n", .attribute(name: "a")),
    ])
    func refuses(name: String, value: String, path: String, error: SetCookie.Invalid) {
        #expect(throws: error) { try SetCookie(name, value, path: path).fieldValue() }
    }

    @Test func sameSiteNoneNeedsSecure() {
        var cookie = SetCookie("a", "x")
        cookie.sameSite = SetCookie.SameSite.none
        #expect(throws: SetCookie.Invalid.sameSiteNoneNeedsSecure(name: "a")) { try cookie.fieldValue() }
    }
}

@Suite struct MediaTypeTests {
    @Test(arguments: [
        ("text/html", "text/html", [:]), ("Text/HTML; Charset=UTF-8", "text/html", ["charset": "UTF-8"]),
        ("multipart/form-data; boundary=\"a;\\\"b\"", "multipart/form-data", ["boundary": "a;\"b"]),
        ("a/b;;x=1;", "a/b", ["x": "1"]), ("a/b;x=1;x=2", "a/b", ["x": "1"]),
    ])
    func reads(text: String, essence: String, parameters: [String: String]) {
        let type = MediaType(parsing: text)
        #expect(type?.essence == essence)
        #expect(type?.parameters == parameters)
    }

    @Test(arguments: ["", "text", "text/", "/html", "text/html x", "a/b;x", "a/b;x=", "a/b;x=\"", "a b/c"])
    func refuses(text: String) {
        #expect(MediaType(parsing: text) == nil)
    }

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
