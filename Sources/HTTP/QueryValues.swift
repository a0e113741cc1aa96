/// Names and values of a query or of an `application/x-www-form-urlencoded` body (WHATWG URL §5.1): a name may come
/// several times, and the order is kept.
public struct QueryValues: Sendable, Equatable {
    /// Everything that was sent, in order.
    public private(set) var pairs: [(name: String, value: String)] = []

    /// The most values that are read: a flood of them is refused (as Django's `DATA_UPLOAD_MAX_NUMBER_FIELDS`).
    public static let maximumCount = 1000

    /// More values came than the limit allows.
    public struct TooMany: Error, Equatable, CustomStringConvertible {
        /// The most values allowed.
        public let limit: Int

        /// More than `limit` values.
        public init(limit: Int) { self.limit = limit }

        public var description: String { "more than \(limit) values" }
    }

    /// No values.
    public init() {}

    /// Reads `a=1&b=2`: `+` is a space, a broken escape stands for itself, bytes that are not UTF-8 are replaced.
    /// Throws when there are more than `limit` values, which would be an attack on whoever looks through them.
    public init(parsing text: some BidirectionalCollection<UInt8>, limit: Int = maximumCount) throws(TooMany) {
        for part in text.lazy.split(separator: UInt8(ascii: "&")) {
            guard pairs.count < limit else { throw TooMany(limit: limit) }
            let equals = part.firstIndex(of: UInt8(ascii: "=")) ?? part.endIndex
            let value = part[equals...].dropFirst()
            pairs.append(
                (
                    PercentCoding.decodeLeniently(part[..<equals], plusIsSpace: true),
                    PercentCoding.decodeLeniently(value, plusIsSpace: true)
                ))
        }
    }

    /// Whether nothing was sent.
    public var isEmpty: Bool { pairs.isEmpty }

    /// The last value of this name, as Django's `QueryDict`; nil when it was not sent.
    public subscript(name: String) -> String? { pairs.last { $0.name == name }?.value }

    /// Every value of this name, in order.
    public func all(_ name: String) -> [String] { pairs.filter { $0.name == name }.map(\.value) }

    /// The last value of this name as a whole number; nil when it was not sent or is none.
    public func int(_ name: String) -> Int? { self[name].flatMap { Int($0) } }

    /// Adds a value, as a client does that puts a form together.
    public mutating func append(_ name: String, _ value: String) { pairs.append((name, value)) }

    /// `a=1&b=2`, percent-encoded.
    public var encoded: String {
        pairs.map { "\(PercentCoding.encodeComponent($0.name))=\(PercentCoding.encodeComponent($0.value))" }.joined(
            separator: "&")
    }

    public static func == (a: Self, b: Self) -> Bool {
        a.pairs.elementsEqual(b.pairs) { $0.name == $1.name && $0.value == $1.value }
    }
}

extension QueryValues: ExpressibleByDictionaryLiteral {
    public init(dictionaryLiteral elements: (String, String)...) {
        for (name, value) in elements { append(name, value) }
    }
}
