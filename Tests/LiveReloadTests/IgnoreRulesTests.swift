import Testing

@testable import LiveReload

@Suite struct IgnoreRulesTests {
    @Test(arguments: [
        ("*.html", "page.html", true), ("*.html", "below/page.html", false), ("**/*.html", "a/b/page.html", true),
        ("**/*.html", "page.html", true), ("a/**", "a/b/c", true), ("a/**", "a", false), ("a/**/z", "a/z", true),
        ("a/**/z", "a/b/c/z", true), ("a/**/z", "a/b/c", false), ("?at", "cat", true), ("?at", "at", false),
        ("[a-c]at", "bat", true), ("[!a-c]at", "bat", false), ("[^a]at", "bat", true), ("[]x]", "]", true),
        ("[a", "a", false), ("\\*", "*", true), ("\\*", "x", false), ("a*b*c", "a1b2b3c", true),
        ("a*b*c", "a1b2b3", false), ("*", "", false), ("a-[", "a-[", false), ("*.*", "name", false),
    ])
    func patterns(_ pattern: String, _ path: String, _ isMatch: Bool) {
        #expect(GlobPattern(pattern).matches(path) == isMatch)
    }

    @Test func aPatternThatWouldTakeLongDoesNot() {
        let pattern = GlobPattern(String(repeating: "*a", count: 200))
        #expect(!pattern.matches(String(repeating: "a", count: 3000) + "b"))
    }

    @Test func theLastRuleDecides() {
        let rules = IgnoreRules("*.log\n!keep.log\n# a comment\n\n")
        #expect(rules.verdict(on: "a/b.log", isDirectory: false) == true)
        #expect(rules.verdict(on: "a/keep.log", isDirectory: false) == false)
        #expect(rules.verdict(on: "a/b.txt", isDirectory: false) == nil)
    }

    @Test func aSlashTiesAPatternToItsDirectory() {
        let rules = IgnoreRules("/build\ndocs/out\ncache/\n")
        #expect(rules.verdict(on: "build", isDirectory: true) == true)
        #expect(rules.verdict(on: "below/build", isDirectory: true) == nil)
        #expect(rules.verdict(on: "docs/out", isDirectory: true) == true)
        #expect(rules.verdict(on: "x/docs/out", isDirectory: true) == nil)
        #expect(rules.verdict(on: "x/cache", isDirectory: true) == true)
        #expect(rules.verdict(on: "x/cache", isDirectory: false) == nil)
    }

    @Test func spacesAtTheEndDoNotCountUnlessTheyAreMeant() {
        #expect(IgnoreRules("name  ").verdict(on: "name", isDirectory: false) == true)
        #expect(IgnoreRules("name\\ ").verdict(on: "name ", isDirectory: false) == true)
    }

    @Test(arguments: [
        (".git", true, true), ("page.html", false, false), ("page.html~", false, true), ("4913", false, true),
        (".page.html.swp", false, true), ("__pycache__", true, true), ("polls.sqlite3-wal", false, true),
        ("node_modules", true, true), ("views.py", false, false),
    ])
    func nobodysChanges(_ name: String, _ isDirectory: Bool, _ isIgnored: Bool) {
        #expect(BuiltInIgnores.contains(name, isDirectory: isDirectory) == isIgnored)
    }
}
