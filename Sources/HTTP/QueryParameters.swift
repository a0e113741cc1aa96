/// The pairs of a query or of an `application/x-www-form-urlencoded` body, in order, duplicates kept (WHATWG URL §5.1).
public struct QueryParameters: Sendable {
    /// One name with its value, both decoded.
    public typealias Pair = (name: String, value: String)

    /// The pairs in order.
    public private(set) var pairs: [Pair] = []

    /// No pairs.
    public init() {}

    /// Why an encoded text was refused.
    public struct TooMany: Error, Equatable, CustomStringConvertible {
        /// The most pairs allowed.
        public let limit: Int

        /// More than `limit` pairs.
        public init(limit: Int) { self.limit = limit }

        public var description: String { "more than \(limit) parameters" }
    }

    /// Reads `a=1&b=2`: `+` is a space, a broken escape stands for itself, bytes that are not UTF-8 are replaced.
    /// Throws when there are more than `limit` pairs, which would be an attack on whoever looks through them.
    public init(parsing text: some Sequence<UInt8>, limit: Int = 1000) throws(TooMany) {
        var name: [UInt8] = []
        var value: [UInt8] = []
        var isInValue = false
        var refused = false
        func end() {
            defer {
                name.removeAll(keepingCapacity: true)
                value.removeAll(keepingCapacity: true)
                isInValue = false
            }
            guard isInValue || !name.isEmpty else { return }
            guard pairs.count < limit else {
                refused = true
                return
            }
            pairs.append((Self.decoded(name), Self.decoded(value)))
        }
        for byte in text {
            switch byte {
            case UInt8(ascii: "&"): end()
            case UInt8(ascii: "=") where !isInValue: isInValue = true
            default: if isInValue { value.append(byte) } else { name.append(byte) }
            }
            if refused { throw TooMany(limit: limit) }
        }
        end()
        if refused { throw TooMany(limit: limit) }
    }

    /// The last value of this name, as a later one overrides an earlier one; nil without any.
    public subscript(name: String) -> String? { pairs.last { $0.name == name }?.value }

    /// Every value of this name, in order.
    public func values(_ name: String) -> [String] { pairs.filter { $0.name == name }.map(\.value) }

    /// Adds a pair at the end.
    public mutating func append(_ name: String, _ value: String) { pairs.append((name, value)) }

    /// The pairs encoded for a query or a form body.
    public var encoded: String {
        pairs.map { "\(Self.encoded($0.name))=\(Self.encoded($0.value))" }.joined(separator: "&")
    }

    private static func encoded(_ text: String) -> String {
        text.split(separator: " ", omittingEmptySubsequences: false).map { PercentCoding.encodeComponent($0) }
            .joined(separator: "+")
    }

    private static func decoded(_ bytes: [UInt8]) -> String {
        guard bytes.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
            return String(decoding: bytes, as: UTF8.self)
        }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if byte == UInt8(ascii: "%"), index + 2 < bytes.count, let high = PercentCoding.hexValue(bytes[index + 1]),
                let low = PercentCoding.hexValue(bytes[index + 2])
            {
                result.append(high << 4 | low)
                index += 3
            } else {
                result.append(byte == UInt8(ascii: "+") ? 0x20 : byte)
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
