import HTTP

#if canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// What a gateway must know of the fields an application sends, found in one pass over their bytes: the announced
/// length, and whether there are fields that only a server may send.
struct FramingFields {
    /// The first `Content-Length`.
    private(set) var contentLength: Int?
    /// Whether a `Content-Length` is no number, or two of them differ.
    private(set) var isContentLengthInvalid = false
    /// The first hop-by-hop field (RFC 9110 §7.6.1; PEP 3333, "Other HTTP Features").
    private(set) var hopByHopField: String?

    private static let contentLengthName: StaticString = "content-length"
    private static let hopByHop: [StaticString] = [
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te", "trailer", "trailers",
        "transfer-encoding", "upgrade",
    ]

    init(_ fields: Fields) {
        guard !fields.marks.isDisjoint(with: [.contentLength, .hopByHop]) else { return }
        fields.wire.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            var start = 0
            while start < bytes.count {
                guard let feed = memchr(base + start, 0x0A, bytes.count - start) else { return }
                let end = UnsafeRawPointer(feed) - base
                // By their first letter almost all fields are told apart from the few that matter here.
                switch bytes[start] | 0x20 {
                case UInt8(ascii: "c"), UInt8(ascii: "k"), UInt8(ascii: "p"), UInt8(ascii: "t"), UInt8(ascii: "u"):
                    take(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
                default: break
                }
                start = end + 1
            }
        }
    }

    private mutating func take(_ line: UnsafeRawBufferPointer) {
        if Self.isField(line, Self.contentLengthName) {
            let length = Self.number(line.dropFirst(Self.contentLengthName.utf8CodeUnitCount + 1))
            if length == nil || contentLength.map({ $0 != length }) == true { isContentLengthInvalid = true }
            contentLength = contentLength ?? length
        } else if hopByHopField == nil, let name = Self.hopByHop.first(where: { Self.isField(line, $0) }) {
            hopByHopField = name.description
        }
    }

    private static func isField(_ line: UnsafeRawBufferPointer, _ name: StaticString) -> Bool {
        let count = name.utf8CodeUnitCount
        guard line.count > count, line[count] == 0x3A else { return false }
        return name.withUTF8Buffer { name in
            for index in 0..<count where Token.lower(line[index]) != name[index] { return false }
            return true
        }
    }

    /// The decimal number between optional white space (RFC 9110 §8.6), or nil.
    private static func number(_ value: UnsafeRawBufferPointer.SubSequence) -> Int? {
        var number = 0
        var hasDigits = false
        var hasEnded = false
        for byte in value {
            switch byte {
            case 0x30...0x39 where !hasEnded:
                hasDigits = true
                let (tens, overflows) = number.multipliedReportingOverflow(by: 10)
                let (sum, overflowsToo) = tens.addingReportingOverflow(Int(byte - 0x30))
                guard !overflows, !overflowsToo else { return nil }
                number = sum
            case 0x20, 0x09, 0x0D: hasEnded = hasDigits
            default: return nil
            }
        }
        return hasDigits ? number : nil
    }
}
