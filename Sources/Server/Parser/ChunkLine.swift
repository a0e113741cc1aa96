import HTTP
import NIOCore

/// The line that begins a chunk: its size, and extensions that are checked and ignored (RFC 9112 §7.1, §7.1.1).
struct ChunkLine {
    let size: Int
    let extensionCount: Int

    /// 15 hexadecimal digits fit in an `Int` without overflow.
    private static let digitLimit = 15

    /// Reads one line off `input`, or nil when it is not complete.
    static func read(_ input: inout ByteBuffer, extensionLimit: Int) throws(RequestError) -> ChunkLine? {
        let bytes = input.readableBytesView
        var size = 0
        var digits = 0
        var index = bytes.startIndex
        while index < bytes.endIndex, let digit = hexDigit(bytes[index]) {
            digits += 1
            guard digits <= digitLimit else { throw .malformedChunk }
            size = size << 4 | digit
            index += 1
        }
        guard index < bytes.endIndex else { return nil }
        guard digits > 0 else { throw .malformedChunk }
        let extensionStart = index
        if bytes[index] != Ascii.cr {
            // BWS is only ever followed by an extension.
            while index < bytes.endIndex, bytes[index] == Ascii.space || bytes[index] == Ascii.tab { index += 1 }
            guard index < bytes.endIndex else { return try tooLong(index - extensionStart, extensionLimit) }
            guard bytes[index] == UInt8(ascii: ";") else { throw .malformedChunk }
            while index < bytes.endIndex, bytes[index] != Ascii.cr {
                guard Token.isFieldValueByte(bytes[index]) else { throw .malformedChunk }
                index += 1
            }
        }
        let extensionCount = index - extensionStart
        guard extensionCount <= extensionLimit else { throw .malformedChunk }
        guard index + 1 < bytes.endIndex else { return nil }
        guard bytes[index + 1] == Ascii.lf else { throw .malformedChunk }
        input.moveReaderIndex(to: index + 2)
        return ChunkLine(size: size, extensionCount: extensionCount)
    }

    private static func tooLong(_ count: Int, _ limit: Int) throws(RequestError) -> ChunkLine? {
        guard count <= limit else { throw .malformedChunk }
        return nil
    }

    private static func hexDigit(_ byte: UInt8) -> Int? {
        switch byte {
        case 0x30...0x39: Int(byte - 0x30)
        case 0x41...0x46: Int(byte - 0x41 + 10)
        case 0x61...0x66: Int(byte - 0x61 + 10)
        default: nil
        }
    }
}
