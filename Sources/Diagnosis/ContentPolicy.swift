/// A page's `Content-Security-Policy` (CSP Level 3), as far as what development puts into the page has to get on with it.
public struct ContentPolicy: Sendable {
    private var directives: [(name: String, sources: [String])]

    public init(_ value: String) {
        directives = value.split(separator: ";").compactMap { part in
            let words = part.split(whereSeparator: \.isWhitespace).map(String.init)
            return words.first.map { ($0.lowercased(), Array(words.dropFirst())) }
        }
    }

    /// As it stands in the field.
    public var value: String {
        directives.map { ([$0.name] + $0.sources).joined(separator: " ") }.joined(separator: "; ")
    }

    private static let scripts = ["script-src-elem", "script-src"]
    private static let styles = ["style-src-elem", "style-src"]

    /// The nonce that lets a script run, where the policy has one.
    public var nonce: String? { nonce(Self.scripts) }

    /// The nonce that lets a style sheet in the page count, where the policy has one.
    public var styleNonce: String? { nonce(Self.styles) }

    /// The policy with leave for a script of the page's own origin, and for it to listen there.
    public var widened: String {
        var policy = self
        if nonce == nil { policy.allow("'self'", for: Self.scripts) }
        policy.allow("'self'", for: ["connect-src"])
        return policy.value
    }

    /// The policy with leave for the style sheet in the page that has this hash (`sha256-…`).
    public func allowingStyle(hash: String) -> ContentPolicy {
        var policy = self
        policy.allow("'\(hash)'", for: Self.styles)
        return policy
    }

    private func sources(_ name: String) -> [String]? { directives.first { $0.name == name }?.sources }

    private func nonce(_ names: [String]) -> String? {
        for name in names + ["default-src"] {
            guard let sources = sources(name) else { continue }
            return sources.lazy.compactMap { source in
                source.hasPrefix("'nonce-") && source.hasSuffix("'") ? String(source.dropFirst(7).dropLast()) : nil
            }.first
        }
        return nil
    }

    /// Adds `source` to the first of `names` that the policy has, else to one that starts as `default-src` is.
    private mutating func allow(_ source: String, for names: [String]) {
        guard
            let name = names.first(where: { sources($0) != nil })
                ?? (sources("default-src").map { _ in names.last ?? "" })
        else { return }
        var allowed = sources(name) ?? sources("default-src") ?? []
        guard !allowed.contains(source), !Self.isOpen(allowed, for: source) else { return }
        allowed.removeAll { $0 == "'none'" }
        allowed.append(source)
        if let index = directives.firstIndex(where: { $0.name == name }) {
            directives[index].sources = allowed
        } else {
            directives.append((name, allowed))
        }
    }

    /// Whether `sources` allow as much already. A hash next to `'unsafe-inline'` would take from that, not add to it.
    private static func isOpen(_ sources: [String], for source: String) -> Bool {
        guard source != "'self'" else { return sources.contains("*") }
        let isStrict = sources.contains { $0.hasPrefix("'nonce-") || $0.hasPrefix("'sha") }
        return sources.contains("'unsafe-inline'") && !isStrict
    }
}
