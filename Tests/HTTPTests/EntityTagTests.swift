import HTTP
import Testing

@Suite struct EntityTagTests {
    @Test(arguments: [
        ("\"\"", EntityTag("")), ("\"xyzzy\"", EntityTag("xyzzy")), ("W/\"x\"", EntityTag("x", isWeak: true)),
        ("\"a,b\"", EntityTag("a,b")), ("w/\"x\"", nil), ("xyzzy", nil), ("\"x", nil), ("\"x\" ", nil),
        ("\"a b\"", nil), ("\"x\"\"y\"", nil), ("", nil),
    ])
    func reads(text: String, tag: EntityTag?) {
        #expect(EntityTag(parsing: text) == tag)
    }

    @Test(arguments: [
        // RFC 9110 §8.8.3.2
        ("W/\"1\"", "W/\"1\"", false, true), ("W/\"1\"", "W/\"2\"", false, false), ("W/\"1\"", "\"1\"", false, true),
        ("\"1\"", "\"1\"", true, true),
    ])
    func compares(a: String, b: String, strongly: Bool, weakly: Bool) throws {
        let a = try #require(EntityTag(parsing: a))
        let b = try #require(EntityTag(parsing: b))
        #expect(a.matchesStrongly(b) == strongly)
        #expect(a.matchesWeakly(b) == weakly)
        #expect(EntityTag(parsing: a.description) == a)
    }

    @Test(arguments: [
        ("*", EntityTagCondition.any), (" * ", .any), ("\"a\"", .tags([EntityTag("a")])),
        ("\"a\", W/\"b\",\t\"c,d\"", .tags([EntityTag("a"), EntityTag("b", isWeak: true), EntityTag("c,d")])),
        (", ,\"a\",,", .tags([EntityTag("a")])), ("\"a\" \"b\"", .tags([EntityTag("a")])), ("a", .tags([])),
        ("*, \"a\"", .tags([])), ("\"a\", b, \"c\"", .tags([EntityTag("a")])), ("", .tags([])),
    ])
    func readsLists(text: String, condition: EntityTagCondition) {
        #expect(EntityTagCondition(parsing: text) == condition)
    }
}
