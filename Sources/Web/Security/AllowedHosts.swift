import HTTP
import NIOCore

/// The hosts a site answers for: anything else in `Host` could poison links and caches.
struct AllowedHosts: Sendable {
    private let isAny: Bool
    private let exact: [[UInt8]]
    private let patterns: [String]

    /// `example.org`, `.example.org` (with every name below it) or `*`, without ports.
    init(_ hosts: [String]) {
        isAny = hosts.contains("*")
        exact = hosts.map { Array($0.lowercased().utf8) }
        patterns = hosts.map { $0.lowercased() }
    }

    /// Whether the request's host is one of them. HTTP/1.0 requests need none.
    func allows(_ head: RequestHead) -> Bool {
        guard !isAny, let authority = head.authority else { return true }
        let isExact = head.withUnsafeBytes { bytes in
            let given = bytes[Int(authority.start)..<Int(authority.start + authority.count)]
            return exact.contains { given.elementsEqual($0) }
        }
        guard !isExact else { return true }
        guard var host = head.host else { return false }
        if host.hasSuffix(".") { host.removeLast() }
        return patterns.contains { Self.matches(host, pattern: $0) }
    }

    /// Whether `text` is `pattern`, or a name below it when the pattern's host begins with a dot or `*.`.
    static func matches(_ text: String, pattern: String) -> Bool {
        if pattern == text || pattern == "*" { return true }
        // In an origin the star stands after the scheme: https://*.example.org
        let parts = pattern.split(separator: "*", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2 {
            return text.hasPrefix(parts[0]) && text.hasSuffix(parts[1])
                && text.utf8.count > parts[0].utf8.count + parts[1].utf8.count
        }
        return pattern.hasPrefix(".") && (text.hasSuffix(pattern) || text == pattern.dropFirst())
    }
}
