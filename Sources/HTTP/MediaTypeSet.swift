/// A set of media types as configuration writes it: `application/json`, `text/*`, `*/*`.
public struct MediaTypeSet: Sendable, Equatable {
    private let exact: [[UInt8]]
    private let families: [[UInt8]]
    private let isEverything: Bool

    /// The set of these patterns, compared without case.
    public init(_ patterns: [String]) {
        let lower = patterns.map { $0.lowercased() }
        isEverything = lower.contains("*/*") || lower.contains("*")
        families = lower.filter { $0.hasSuffix("/*") }.map { Array($0.utf8.dropLast()) }
        exact = lower.filter { !$0.hasSuffix("/*") }.map { Array($0.utf8) }
    }

    /// Whether the type at the front of a `Content-Type` value is in the set.
    public func contains(_ contentType: some Collection<UInt8>) -> Bool {
        if isEverything { return true }
        let essence = contentType.prefix { $0 != 0x3B && $0 != 0x20 && $0 != 0x09 }
        func starts(_ pattern: [UInt8]) -> Bool {
            essence.count >= pattern.count && zip(essence, pattern).allSatisfy { Token.lower($0) == $1 }
        }
        return exact.contains { $0.count == essence.count && starts($0) } || families.contains(where: starts)
    }

    /// As ``contains(_:)-(Collection)``, of text.
    public func contains(_ contentType: String) -> Bool { contains(contentType.utf8) }
}
