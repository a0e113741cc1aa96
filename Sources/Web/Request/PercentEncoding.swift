/// Percent-encoding of URLs (RFC 3986 §2.1) and of forms (`application/x-www-form-urlencoded`).
enum PercentEncoding {
    /// What may stand in a path as it is: unreserved, sub-delims, and `/ : @ ~`.
    static func path(_ text: String) -> String {
        encode(text) { isUnreserved($0) || "/:@!$&'()*+,;=".utf8.contains($0) }
    }

    /// A name or value of a query.
    static func query(_ text: String) -> String { encode(text, isUnreserved) }

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        PathPattern.isSlugByte(byte) || byte == 0x2E || byte == 0x7E
    }

    private static func encode(_ text: String, _ isAllowed: (UInt8) -> Bool) -> String {
        if text.utf8.allSatisfy(isAllowed) { return text }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count + 16)
        for byte in text.utf8 {
            if isAllowed(byte) {
                bytes.append(byte)
            } else {
                bytes.append(0x25)
                bytes.append(hexadecimal[Int(byte >> 4)])
                bytes.append(hexadecimal[Int(byte & 15)])
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static let hexadecimal = Array("0123456789ABCDEF".utf8)

    /// Decodes `%41` and, in forms, `+`. A `%` that no two digits follow stands for itself; bytes that are not UTF-8 are
    /// replaced.
    static func decode(_ bytes: some RandomAccessCollection<UInt8>, plusIsSpace: Bool = false) -> String {
        guard bytes.contains(where: { $0 == 0x25 || (plusIsSpace && $0 == 0x2B) }) else {
            return String(decoding: bytes, as: UTF8.self)
        }
        var decoded: [UInt8] = []
        decoded.reserveCapacity(bytes.count)
        var index = bytes.startIndex
        while index < bytes.endIndex {
            let byte = bytes[index]
            if byte == 0x25, bytes.distance(from: index, to: bytes.endIndex) > 2,
                let high = digit(bytes[bytes.index(after: index)]),
                let low = digit(bytes[bytes.index(index, offsetBy: 2)])
            {
                decoded.append(high << 4 | low)
                index = bytes.index(index, offsetBy: 3)
            } else {
                decoded.append(plusIsSpace && byte == 0x2B ? 0x20 : byte)
                index = bytes.index(after: index)
            }
        }
        return String(decoding: decoded, as: UTF8.self)
    }

    /// The value of a hexadecimal digit.
    static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }
}
