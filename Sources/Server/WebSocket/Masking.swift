import NIOCore

/// A client's mask (RFC 6455 §5.3), taken off as the payload arrives.
struct Masking: Sendable {
    /// The mask as the next four bytes see it: the first in the lowest bits.
    private var key: UInt32

    init(_ mask: UInt32) { key = mask }

    /// Takes `count` bytes off `input` and appends them, unmasked, to `output`.
    mutating func unmask(_ count: Int, of input: inout ByteBuffer, into output: inout ByteBuffer) {
        let key = self.key
        output.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { target in
            input.withUnsafeReadableBytes { source in
                guard let from = source.baseAddress, let to = target.baseAddress, source.count >= count else { return }
                Self.xor(from, into: to, count: count, key)
            }
            return count
        }
        input.moveReaderIndex(forwardBy: count)
        // The mask goes on where this piece ended.
        let shift = UInt32(truncatingIfNeeded: (count & 3) * 8)
        self.key = shift == 0 ? key : key >> shift | key << (32 - shift)
    }

    /// 32 bytes at a time, then 8, then what is left.
    private static func xor(_ from: UnsafeRawPointer, into to: UnsafeMutableRawPointer, count: Int, _ key: UInt32) {
        let little = key.littleEndian
        let word = UInt64(little) << 32 | UInt64(little)
        let block = SIMD4<UInt64>(repeating: word)
        var offset = 0
        while offset &+ 32 <= count {
            let bytes = from.loadUnaligned(fromByteOffset: offset, as: SIMD4<UInt64>.self)
            to.storeBytes(of: bytes ^ block, toByteOffset: offset, as: SIMD4<UInt64>.self)
            offset &+= 32
        }
        while offset &+ 8 <= count {
            let bytes = from.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            to.storeBytes(of: bytes ^ word, toByteOffset: offset, as: UInt64.self)
            offset &+= 8
        }
        while offset < count {
            let byte = UInt8(truncatingIfNeeded: key >> UInt32(truncatingIfNeeded: (offset & 3) &* 8))
            to.storeBytes(
                of: from.load(fromByteOffset: offset, as: UInt8.self) ^ byte, toByteOffset: offset, as: UInt8.self)
            offset &+= 1
        }
    }
}
