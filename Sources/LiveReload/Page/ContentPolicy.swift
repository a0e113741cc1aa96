/// A page's `Content-Security-Policy` (CSP Level 3), as far as the script of the development server has to get on with it.
struct ContentPolicy {
    private var directives: [(name: String, sources: [String])]

    init(_ value: String) {
        directives = value.split(separator: ";").compactMap { part in
            let words = part.split(whereSeparator: \.isWhitespace).map(String.init)
            return words.first.map { ($0.lowercased(), Array(words.dropFirst())) }
        }
    }

    /// The nonce that lets a script run, where the policy has one.
    var nonce: String? {
        for name in ["script-src-elem", "script-src", "default-src"] {
            guard let sources = sources(name) else { continue }
            return sources.lazy.compactMap { source in
                source.hasPrefix("'nonce-") && source.hasSuffix("'") ? String(source.dropFirst(7).dropLast()) : nil
            }.first
        }
        return nil
    }

    /// The policy with leave for a script of the page's own origin, and for it to listen there.
    var widened: String {
        var policy = self
        if nonce == nil { policy.allowSelf(["script-src-elem", "script-src"]) }
        policy.allowSelf(["connect-src"])
        return policy.directives.map { ([$0.name] + $0.sources).joined(separator: " ") }.joined(separator: "; ")
    }

    private func sources(_ name: String) -> [String]? { directives.first { $0.name == name }?.sources }

    /// Adds `'self'` to the first of `names` that the policy has, else to one that starts as `default-src` is.
    private mutating func allowSelf(_ names: [String]) {
        guard
            let name = names.first(where: { sources($0) != nil })
                ?? (sources("default-src").map { _ in names.last ?? "" })
        else { return }
        var allowed = sources(name) ?? sources("default-src") ?? []
        guard !allowed.contains("'self'"), !allowed.contains("*") else { return }
        allowed.removeAll { $0 == "'none'" }
        allowed.append("'self'")
        if let index = directives.firstIndex(where: { $0.name == name }) {
            directives[index].sources = allowed
        } else {
            directives.append((name, allowed))
        }
    }
}
