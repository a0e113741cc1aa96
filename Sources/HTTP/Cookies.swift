/// The cookies of a request (RFC 6265 §4.2).
public struct Cookies: Sendable {
    /// Names and values in the order they were sent. Browsers send the most specific path first.
    public let pairs: [(name: String, value: String)]

    /// Reads the value of a `Cookie` field: pairs between semicolons, a pair of quotes around a value taken off. What is
    /// no pair is passed over, as every server does.
    public init(parsing text: some StringProtocol) {
        // By bytes: a combining character behind a semicolon must not hide it.
        pairs = text.utf8.split(separator: UInt8(ascii: ";")).compactMap { element in
            guard let equals = element.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            let name = Self.trimmed(element[..<equals])
            guard !name.isEmpty else { return nil }
            var value = Self.trimmed(element[element.index(after: equals)...])
            if value.count >= 2, value.first == 0x22, value.last == 0x22 { value = value.dropFirst().dropLast() }
            return (String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self))
        }
    }

    /// The cookies of `request`; several fields count as one (RFC 9113 §8.2.3).
    public init(_ request: RequestHead) {
        self.init(parsing: request.fields.values("Cookie").joined(separator: ";"))
    }

    /// The first value of this name, which is the most specific one; nil without any.
    public subscript(name: String) -> String? { pairs.first { $0.name == name }?.value }

    private static func trimmed<Bytes: BidirectionalCollection<UInt8>>(_ bytes: Bytes) -> Bytes.SubSequence {
        let rest = bytes.drop { $0 == 0x20 || $0 == 0x09 }
        guard let end = rest.lastIndex(where: { $0 != 0x20 && $0 != 0x09 }) else { return rest.prefix(0) }
        return rest[...end]
    }
}
