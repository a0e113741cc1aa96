/// The trace that a request belongs to, as its `traceparent` says (W3C Trace Context, §3.2).
public struct TraceContext: Equatable, Sendable {
    /// 32 hexadecimal digits in lower case, not all zeros.
    public let traceID: String
    /// The span that asked: 16 hexadecimal digits in lower case, not all zeros.
    public let parentID: String
    /// Whether whoever asked may have recorded it.
    public let isSampled: Bool

    /// Nil when the value is not valid, which is to be ignored.
    public init?(parsing value: some Collection<UInt8>) {
        let bytes = Array(value)
        // version "-" trace-id "-" parent-id "-" trace-flags; later versions may have more behind.
        guard bytes.count >= 55, [2, 35, 52].allSatisfy({ bytes[$0] == Self.dash }),
            bytes.count == 55 || (bytes[55] == Self.dash && !bytes[..<2].elementsEqual("00".utf8)),
            !bytes[..<2].elementsEqual("ff".utf8), Self.isHex(bytes[..<2]),
            Self.isHex(bytes[3..<35]), bytes[3..<35].contains(where: { $0 != Self.zero }),
            Self.isHex(bytes[36..<52]), bytes[36..<52].contains(where: { $0 != Self.zero }),
            Self.isHex(bytes[53..<55]), let flags = UInt8(String(decoding: bytes[53..<55], as: UTF8.self), radix: 16)
        else { return nil }
        traceID = String(decoding: bytes[3..<35], as: UTF8.self)
        parentID = String(decoding: bytes[36..<52], as: UTF8.self)
        isSampled = flags & 1 == 1
    }

    private static let dash = UInt8(ascii: "-")
    private static let zero = UInt8(ascii: "0")

    private static func isHex(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.allSatisfy {
            (zero...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
        }
    }
}
