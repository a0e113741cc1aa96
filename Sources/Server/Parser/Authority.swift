import HTTP

/// `uri-host [ ":" port ]` (RFC 9110 §7.2, RFC 3986 §3.2).
enum Authority {
    /// Whether the bytes at `range` name a host, with or without a port.
    static func isValid(_ bytes: UnsafeRawBufferPointer, _ range: ByteRange) -> Bool {
        let value = UnsafeRawBufferPointer(rebasing: bytes[range.bounds])
        guard let first = value.first else { return false }
        var index = 0
        if first == UInt8(ascii: "[") {
            guard let close = value.firstIndex(of: UInt8(ascii: "]")), close > 2 else { return false }
            guard value[1..<close].allSatisfy(isAddressByte) else { return false }
            index = close + 1
        } else {
            while index < value.count, value[index] != Ascii.colon {
                guard isNameByte(value[index]) else { return false }
                index += 1
            }
            guard index > 0 else { return false }
        }
        if index == value.count { return true }
        guard value[index] == Ascii.colon else { return false }
        let port = value[(index + 1)...]
        return port.count <= 5 && port.allSatisfy { $0 &- 0x30 < 10 }
    }

    private static func isAddressByte(_ byte: UInt8) -> Bool {
        byte &- 0x30 < 10 || Token.lower(byte) &- 0x61 < 6 || byte == Ascii.colon || byte == UInt8(ascii: ".")
    }

    /// A registered name's characters; percent-encoding and sub-delimiters have no use in a host that exists.
    @inline(__always)
    private static func isNameByte(_ byte: UInt8) -> Bool {
        // One bit a character, as in ``Token``: - . 0-9, and A-Z _ a-z.
        byte < 64
            ? (0x03FF_6000_0000_0000 >> UInt64(byte)) & 1 == 1
            : byte < 128 && (0x07FF_FFFE_87FF_FFFE >> UInt64(byte - 64)) & 1 == 1
    }
}
