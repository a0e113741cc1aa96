import HTTP
import Testing

@Suite struct NormalizedPathTests {
    @Test(arguments: [
        "/", "/a", "/a/", "/a/b.c", "/a..b/c...", "/.well-known/x", "/...", "/a/..b", "/café", "/a;b=c",
    ])
    func plainPathsAreNotCopied(path: String) {
        #expect(NormalizedPath(path) == .unchanged)
    }

    @Test(arguments: [
        ("", "/"), ("//", "/"), ("/a//b", "/a/b"), ("///a", "/a"), ("/a//", "/a/"), ("/.", "/"), ("/./a", "/a"),
        ("/a/.", "/a/"), ("/a/..", "/"), ("/a/../b", "/b"), ("/a/b/../../c", "/c"), ("/a/../", "/"),
        ("/%61", "/a"), ("/%2e%2E/..%2fa", nil), ("/a/%2e%2e/b", "/b"), ("/a%2Fb", "/a/b"), ("/a%2f%2e%2e%2fb", "/b"),
        ("/%25", "/%"), ("/%2541", "/%41"), ("/a%20b", "/a b"), ("/%c3%a9", "/é"), ("/..%5cx", "/..\\x"),
        ("/..", nil), ("/../x", nil), ("/a/../../x", nil), ("/%2e%2e%2fetc", nil), ("/a%00", nil), ("/%", nil),
        ("/%4", nil), ("/%zz", nil), ("a", nil), ("*", nil), ("/%2e%2e/", nil),
    ])
    func normalises(raw: String, path: String?) {
        let expected: NormalizedPath = path.map { .changed(Array($0.utf8)) } ?? .invalid
        #expect(NormalizedPath(raw) == expected)
    }
}

@Suite struct PercentCodingTests {
    @Test(arguments: [
        ("a b", "a%20b", "a%20b"), ("/x/é", "/x/%C3%A9", "%2Fx%2F%C3%A9"), ("a?b#c", "a%3Fb%23c", "a%3Fb%23c"),
        ("~-._", "~-._", "~-._"), ("a:b@c", "a:b@c", "a%3Ab%40c"), ("\r\n\\\"", "%0D%0A%5C%22", "%0D%0A%5C%22"),
        ("%41", "%2541", "%2541"),
    ])
    func encodes(text: String, path: String, component: String) {
        #expect(PercentCoding.encodePath(text.utf8) == path)
        #expect(PercentCoding.encodePath(text) == path)
        #expect(PercentCoding.encodeComponent(text) == component)
        #expect(PercentCoding.decode(component.utf8).map { String(decoding: $0, as: UTF8.self) } == text)
    }

    @Test(arguments: ["%", "%1", "%g0", "%0g", "a%"]) func refusesBrokenEscapes(text: String) {
        #expect(PercentCoding.decode(text.utf8) == nil)
    }

    @Test(arguments: [
        ("a%41+b", "aA+b", "aA b"), ("%", "%", "%"), ("%4", "%4", "%4"), ("%zz%41", "%zzA", "%zzA"),
        ("%%41", "%A", "%A"), ("%ff", "\u{FFFD}", "\u{FFFD}"), ("%2B", "+", "+"), ("", "", ""),
        ("plain", "plain", "plain"),
    ])
    func decodesLeniently(text: String, decoded: String, ofForm: String) {
        #expect(PercentCoding.decodeLeniently(text.utf8) == decoded)
        #expect(PercentCoding.decodeLeniently(text.utf8, plusIsSpace: true) == ofForm)
    }
}

@Suite struct QueryValuesTests {
    @Test(arguments: [
        ("a=1&b=2", ["a=1", "b=2"]), ("", []), ("&&", []), ("a", ["a="]), ("=1", ["=1"]), ("a=1=2", ["a=1=2"]),
        ("a=1&a=2", ["a=1", "a=2"]), ("q=a+b%20c", ["q=a b c"]), ("q=%C3%A9", ["q=é"]), ("q=%", ["q=%"]),
        ("q=%zz%41", ["q=%zzA"]), ("q=%ff", ["q=\u{FFFD}"]), ("a+b=c", ["a b=c"]), ("a=%26", ["a=&"]),
        ("a=&b", ["a=", "b="]),
    ])
    func reads(text: String, pairs: [String]) throws {
        #expect(try QueryValues(parsing: text.utf8).pairs.map { "\($0.name)=\($0.value)" } == pairs)
    }

    @Test func findsAndWrites() throws {
        var query = try QueryValues(parsing: "a=1&b=x&a=2".utf8)
        #expect(query["a"] == "2")
        #expect(query.all("a") == ["1", "2"])
        #expect(query["c"] == nil)
        query.append("n ö", "&=")
        #expect(query.encoded == "a=1&b=x&a=2&n%20%C3%B6=%26%3D")
    }

    @Test func limitsThePairs() throws {
        #expect(throws: QueryValues.TooMany(limit: 2)) { try QueryValues(parsing: "a&b&c".utf8, limit: 2) }
        #expect(try QueryValues(parsing: "a&b".utf8, limit: 2).pairs.count == 2)
    }
}
