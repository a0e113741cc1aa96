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
    public func contains(_ contentType: UnsafeRawBufferPointer) -> Bool {
        if isEverything { return true }
        var count = 0
        while count < contentType.count, !Self.endsType(contentType[count]) { count += 1 }
        for pattern in exact where pattern.count == count && Self.starts(contentType, pattern) { return true }
        for family in families where family.count <= count && Self.starts(contentType, family) { return true }
        return false
    }

    /// As ``contains(_:)-(UnsafeRawBufferPointer)``, of text.
    public func contains(_ contentType: String) -> Bool {
        var text = contentType
        return text.withUTF8 { contains(UnsafeRawBufferPointer($0)) }
    }

    /// A semicolon, space or tab.
    private static func endsType(_ byte: UInt8) -> Bool { byte == 0x3B || byte == 0x20 || byte == 0x09 }

    /// Whether `type`, which is long enough, begins with `pattern`.
    private static func starts(_ type: UnsafeRawBufferPointer, _ pattern: [UInt8]) -> Bool {
        for index in 0..<pattern.count where Token.lower(type[index]) != pattern[index] { return false }
        return true
    }
}
