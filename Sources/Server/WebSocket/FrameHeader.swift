import NIOCore

/// What a frame is for (RFC 6455 §5.2).
enum Opcode: UInt8, Sendable {
    case continuation = 0
    case text = 1
    case binary = 2
    case close = 8
    case ping = 9
    case pong = 10

    var isControl: Bool { rawValue >= 8 }
}

/// The beginning of a frame (RFC 6455 §5.2), read and written.
struct FrameHeader: Sendable, Equatable {
    var isFinal: Bool
    /// The first reserved bit: the message is compressed (RFC 7692 §6).
    var isCompressed = false
    var opcode: Opcode
    /// The bytes of the mask, the first in the lowest bits.
    var mask: UInt32 = 0
    var length: Int

    /// Reads a client's frame header off `input`; nil when more bytes are needed. What is wrong in the first two bytes is
    /// told at once.
    static func read(_ input: inout ByteBuffer, compression isCompressionAgreed: Bool) throws(WebSocketError)
        -> FrameHeader?
    {
        let available = input.readableBytes
        guard available >= 2, let start: UInt16 = input.getInteger(at: input.readerIndex) else { return nil }
        let first = UInt8(truncatingIfNeeded: start >> 8)
        let second = UInt8(truncatingIfNeeded: start)
        guard let opcode = Opcode(rawValue: first & 0x0F) else { throw .unknownOpcode(first & 0x0F) }
        var header = FrameHeader(
            isFinal: first & 0x80 != 0, isCompressed: first & 0x40 != 0, opcode: opcode, length: Int(second & 0x7F))
        // Only the first frame of a message says that it is compressed.
        let mayBeCompressed = isCompressionAgreed && (opcode == .text || opcode == .binary)
        guard first & 0x30 == 0, !header.isCompressed || mayBeCompressed else { throw .reservedBits }
        guard !opcode.isControl || (header.isFinal && header.length <= 125) else { throw .malformedControl }
        guard second & 0x80 != 0 else { throw .unmasked }

        let extra = header.length == 126 ? 2 : header.length == 127 ? 8 : 0
        guard available >= 6 + extra else { return nil }
        let position = input.readerIndex + 2
        switch extra {
        case 2: header.length = Int(input.getInteger(at: position, as: UInt16.self) ?? 0)
        case 8:
            let length = input.getInteger(at: position, as: UInt64.self) ?? 0
            guard length >> 63 == 0 else { throw .malformedLength }
            header.length = Int(length)
        default: break
        }
        header.mask = input.getInteger(at: position + extra, endianness: .little, as: UInt32.self) ?? 0
        input.moveReaderIndex(forwardBy: 6 + extra)
        return header
    }

    /// Writes a server's frame header: without a mask.
    func write(into buffer: inout ByteBuffer) {
        let first = (isFinal ? 0x80 : 0) | (isCompressed ? 0x40 : 0) | opcode.rawValue
        switch length {
        case ..<126: buffer.writeInteger(UInt16(first) << 8 | UInt16(truncatingIfNeeded: length))
        case ..<65_536:
            buffer.writeInteger(UInt32(first) << 24 | 126 << 16 | UInt32(truncatingIfNeeded: length))
        default:
            buffer.writeInteger(UInt16(first) << 8 | 127)
            buffer.writeInteger(UInt64(length))
        }
    }
}
