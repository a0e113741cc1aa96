/// The rules of one `.gitignore` (gitignore(5)): which entries below its directory are left alone.
struct IgnoreRules: Sendable {
    private struct Rule: Sendable {
        let pattern: GlobPattern
        let isNegated: Bool
        let isForDirectories: Bool
    }

    private let rules: [Rule]

    /// Reads the text of a file; lines that say nothing are passed over.
    init(_ text: String) {
        rules = text.split(whereSeparator: \.isNewline).compactMap(Self.rule)
    }

    private static func rule(_ line: Substring) -> Rule? {
        var line = line
        while line.last == " ", !line.hasSuffix("\\ ") { line.removeLast() }
        guard !line.isEmpty, line.first != "#" else { return nil }
        let isNegated = line.first == "!"
        if isNegated { line.removeFirst() }
        let isForDirectories = line.last == "/"
        if isForDirectories { line.removeLast() }
        // A slash anywhere but at the end ties the pattern to this directory; without one it is for any depth.
        let isAnchored = line.contains("/")
        if line.first == "/" { line.removeFirst() }
        guard !line.isEmpty else { return nil }
        return Rule(
            pattern: GlobPattern(isAnchored ? String(line) : "**/\(line)"), isNegated: isNegated,
            isForDirectories: isForDirectories)
    }

    /// Whether the entry at `path`, relative to the file's directory, is ignored; nil when no rule speaks of it. The last
    /// rule that does decides.
    func verdict(on path: String, isDirectory: Bool) -> Bool? {
        for rule in rules.reversed() where isDirectory || !rule.isForDirectories {
            if rule.pattern.matches(path) { return !rule.isNegated }
        }
        return nil
    }
}
