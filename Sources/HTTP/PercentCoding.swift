/// Percent-encoding of URI components (RFC 3986 §2.1).
public enum PercentCoding {
    /// The bytes behind `text`; nil when a `%` is not followed by two hexadecimal digits.
    public static func decode(_ text: some Sequence<UInt8>) -> [UInt8]? {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(text.underestimatedCount)
        var iterator = text.makeIterator()
        while let byte = iterator.next() {
            guard byte == UInt8(ascii: "%") else {
                decoded.append(byte)
                continue
            }
            guard let high = iterator.next().flatMap(hexValue), let low = iterator.next().flatMap(hexValue) else {
                return nil
            }
            decoded.append(high << 4 | low)
        }
        return decoded
    }

    /// The text behind `text`: a `%` that no two digits follow stands for itself, and bytes that are not UTF-8 are
    /// replaced. In forms, `+` is a space (WHATWG URL §5.1).
    public static func decodeLeniently(_ text: some BidirectionalCollection<UInt8>, plusIsSpace: Bool = false) -> String
    {
        guard text.contains(where: { $0 == UInt8(ascii: "%") || (plusIsSpace && $0 == UInt8(ascii: "+")) }) else {
            return String(decoding: text, as: UTF8.self)
        }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(text.underestimatedCount)
        var rest = text[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), let high = rest.first.flatMap(hexValue),
                let low = rest.dropFirst().first.flatMap(hexValue)
            {
                decoded.append(high << 4 | low)
                rest = rest.dropFirst(2)
            } else {
                decoded.append(plusIsSpace && byte == UInt8(ascii: "+") ? 0x20 : byte)
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }

    /// `path` for use as the path of a URI: everything but pchar and `/` is encoded (RFC 3986 §3.3).
    public static func encodePath(_ path: some Sequence<UInt8>) -> String { encode(path, keeping: isPathByte) }

    /// `path` for use as the path of a URI: everything but pchar and `/` is encoded (RFC 3986 §3.3).
    public static func encodePath(_ path: String) -> String {
        path.utf8.allSatisfy(isPathByte) ? path : encodePath(path.utf8)
    }

    /// `text` for use as one name or value of a query, or one segment of a path: only unreserved bytes are kept.
    public static func encodeComponent(_ text: some Sequence<UInt8>) -> String {
        encode(text, keeping: isUnreserved)
    }

    /// `text` for use as one name or value of a query, or one segment of a path: only unreserved bytes are kept.
    public static func encodeComponent(_ text: some StringProtocol) -> String { encodeComponent(text.utf8) }

    private static func encode(_ text: some Sequence<UInt8>, keeping isKept: (UInt8) -> Bool) -> String {
        var encoded: [UInt8] = []
        encoded.reserveCapacity(text.underestimatedCount)
        for byte in text {
            if isKept(byte) {
                encoded.append(byte)
            } else {
                encoded.append(UInt8(ascii: "%"))
                encoded.append(hexDigit(byte >> 4))
                encoded.append(hexDigit(byte & 15))
            }
        }
        return String(decoding: encoded, as: UTF8.self)
    }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }

    private static func isPathByte(_ byte: UInt8) -> Bool {
        isUnreserved(byte) || "/!$&'()*+,;=:@".utf8.contains(byte)
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x41 + value - 10 }

    /// What one hexadecimal digit is worth.
    @inlinable
    public static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
