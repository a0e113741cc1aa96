/// A media type with its parameters (RFC 9110 §8.3.1).
public struct MediaType: Sendable, Equatable {
    /// In lower case.
    public let type: String
    /// In lower case.
    public let subtype: String
    /// Names in lower case; values as they are, without quotes.
    public let parameters: [String: String]

    /// `type/subtype` without parameters.
    public var essence: String { "\(type)/\(subtype)" }

    /// Reads a `Content-Type` value; nil when it is malformed.
    public init?(parsing text: some StringProtocol) {
        var scanner = ParameterScanner(bytes: Array(text.utf8))
        guard let type = scanner.token(), scanner.take(UInt8(ascii: "/")), let subtype = scanner.token(),
            let parameters = scanner.parameters()
        else { return nil }
        self.type = type.lowercased()
        self.subtype = subtype.lowercased()
        self.parameters = parameters
    }
}

/// Reads tokens, quoted strings and `;name=value` lists.
private struct ParameterScanner {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) {
        self.bytes = bytes
        skipSpaces()
    }

    mutating func skipSpaces() {
        while position < bytes.count, bytes[position] == 0x20 || bytes[position] == 0x09 { position += 1 }
    }

    mutating func take(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    mutating func token() -> String? {
        let start = position
        while position < bytes.count, Token.contains(bytes[position]) { position += 1 }
        return position > start ? String(decoding: bytes[start..<position], as: UTF8.self) : nil
    }

    mutating func quoted() -> String? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        var value: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") { return String(decoding: value, as: UTF8.self) }
            if byte == UInt8(ascii: "\\"), position < bytes.count {
                value.append(bytes[position])
                position += 1
            } else {
                value.append(byte)
            }
        }
        return nil
    }

    mutating func parameters() -> [String: String]? {
        var parameters: [String: String] = [:]
        while true {
            skipSpaces()
            guard position < bytes.count else { return parameters }
            guard take(UInt8(ascii: ";")) else { return nil }
            skipSpaces()
            // A semicolon with nothing behind it is allowed (RFC 9110 §5.6.6).
            guard position < bytes.count, bytes[position] != UInt8(ascii: ";") else { continue }
            guard let name = token(), take(UInt8(ascii: "=")), let value = quoted() ?? token() else { return nil }
            if parameters[name.lowercased()] == nil { parameters[name.lowercased()] = value }
        }
    }
}

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
