import Foundation
import Testing

@testable import Front

@Suite struct PathExpressionTests {
    @Test(arguments: [
        ("\\.php$", "/x.php", true), ("\\.php$", "/x.php/", false), ("\\.php", "/x.php/", true), ("^/a", "/ba", false),
        ("^/a", "/ab", true), ("^/(a|b)+$", "/abab", true), ("^/(a|b)+$", "/abac", false), ("^$", "/", false),
        ("a{2,3}b", "/aab", true), ("^/a{2,3}b", "/aaaab", false), ("^/a{2}$", "/aa", true),
        ("^/a{2,}$", "/aaaaa", true),
        ("^/a{2,}$", "/a", false), ("^/[a-c]x?$", "/b", true), ("^/[^a-c]$", "/b", false), ("^/[^a-c]$", "/é", true),
        ("^/.$", "/é", true), ("^/.$", "/日", true), ("^/.$", "/日本", false), ("\\d+", "/a12", true),
        ("^/\\D+$", "/a1", false),
        ("^/\\w+$", "/a_1", true), ("^/[\\w-]+$", "/a-b", true), ("^/\\W$", "/é", true), ("(?i)ABC", "/xabcx", true),
        ("(?i)[a-c]+$", "/ABC", true), ("a|^/b", "/b", true), ("a|^/b", "/cb", false), ("é+", "/éé", true),
        ("", "/", true),
        ("x*", "/", true), ("(?:a|)b", "/b", true), ("^/[]x]$", "/]", true), ("^/[a-]$", "/-", true),
        ("\\/x\\.y", "/x.y", true),
        ("^/a.*b.*c$", "/a1b2c", true), ("a$|b", "/ba", true), ("a$|bx", "/ab", false), ("$", "/", true),
        ("a+?b", "/aab", true),
        ("^/(\\d{4})/(\\d{2})/[^/]+/?$", "/2026/11/title/", true), ("^/(\\d{4})/(\\d{2})/[^/]+/?$", "/2026/1/t", false),
        ("(^/x|y)z", "/xz", true), ("(^/x|y)z", "/axz", false), ("(^/x|y)z", "/ayz", true),
    ])
    func finds(expression: String, path: String, isFound: Bool) throws {
        #expect(try PathExpression(expression).isFound(in: path) == isFound)
    }

    @Test(arguments: [
        "(", ")", "a)", "[", "[a", "[b-a]", "*", "a|*", "+", "\\", "a{", "a{3,2}", "a{999}", "(?=a)", "(?<n>a)", "\\1",
        "\\b",
        "a++", "[é]", "^*", "{2}",
    ])
    func refuses(expression: String) {
        #expect(throws: PathExpression.Invalid.self) { try PathExpression(expression) }
    }

    @Test func refusesWhatWouldGrowWithoutBounds() {
        #expect(throws: PathExpression.Invalid.self) { try PathExpression("a.{200}a.{200}$") }
        #expect(throws: PathExpression.Invalid.self) { try PathExpression("((a{200}){200}){200}") }
        #expect(throws: PathExpression.Invalid.self) { try PathExpression(String(repeating: "(", count: 100_000)) }
    }

    @Test func agreesWithFoundation() throws {
        // Against another implementation, over small random expressions.
        var generator = SystemRandomNumberGenerator()
        let atoms = ["a", "b", "/", ".", "[ab]", "[^a]", "(a|b)", "(ab|/)", "^", "$", "(a|^/)"]
        let suffixes = ["", "", "", "*", "+", "?", "{1,2}"]
        for _ in 0..<400 {
            var text = ""
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let atom = atoms.randomElement(using: &generator) ?? "a"
                text += atom + (atom == "^" || atom == "$" ? "" : suffixes.randomElement(using: &generator) ?? "")
            }
            let own = try PathExpression(text)
            let other = try NSRegularExpression(pattern: text)
            for _ in 0..<20 {
                let path =
                    "/"
                    + (0..<Int.random(in: 0...5, using: &generator)).map { _ in
                        ["a", "b", "/"].randomElement(using: &generator) ?? "a"
                    }.joined()
                let expected = other.firstMatch(in: path, range: NSRange(location: 0, length: path.utf16.count)) != nil
                #expect(own.isFound(in: path) == expected, "\(text) in \(path)")
            }
        }
    }
}
