import CZlib
import NIOCore

/// Compresses messages to a client (RFC 7692 §7.2.1), one connection's. Its memory (some 32 KiB) is taken with the first
/// one.
final class MessageDeflater {
    /// Smaller messages are sent as they are: there is next to nothing to gain.
    static let minimumSize = 64
    /// Messages are many and small, and somebody waits for them.
    private static let level = Z_BEST_SPEED
    /// A hash table in proportion to the window.
    private static let memoryLevel: Int32 = 5

    private let windowBits: Int32
    private let keepsContext: Bool
    // At a fixed address: zlib keeps a pointer back to it.
    private var stream: UnsafeMutablePointer<z_stream>?

    /// With a window of 2^`windowBits` bytes; when `keepsContext`, a message may refer to earlier ones.
    init(windowBits: Int, keepsContext: Bool) {
        self.windowBits = Int32(windowBits)
        self.keepsContext = keepsContext
    }

    deinit {
        guard let stream else { return }
        deflateEnd(stream)
        stream.deallocate()
    }

    /// The compressed form of a message that is not empty; nil when there is no memory for it.
    func compress(_ message: ByteBuffer) -> ByteBuffer? {
        guard let stream = stream ?? makeStream() else { return nil }
        var output = ByteBuffer()
        output.reserveCapacity(min(message.readableBytes / 2 + 64, 64 << 10))
        message.withUnsafeReadableBytes { input in
            stream.pointee.next_in = UnsafeMutablePointer(
                mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
            stream.pointee.avail_in = UInt32(input.count)
            repeat {
                output.writeWithUnsafeMutableBytes(minimumWritableBytes: 512) { free in
                    stream.pointee.next_out = free.baseAddress?.assumingMemoryBound(to: UInt8.self)
                    stream.pointee.avail_out = UInt32(free.count)
                    deflate(stream, Z_SYNC_FLUSH)
                    return free.count - Int(stream.pointee.avail_out)
                }
            } while stream.pointee.avail_out == 0
            stream.pointee.next_in = nil
        }
        // Each flush ends in an empty block, whose last four bytes the receiver adds by itself.
        output.moveWriterIndex(to: output.writerIndex - min(4, output.readableBytes))
        if !keepsContext { deflateReset(stream) }
        return output
    }

    private func makeStream() -> UnsafeMutablePointer<z_stream>? {
        let made = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        made.initialize(to: z_stream())
        let result = deflateInit2_(
            made, Self.level, Z_DEFLATED, -windowBits, Self.memoryLevel, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard result == Z_OK else {
            made.deallocate()
            return nil
        }
        stream = made
        return made
    }
}
