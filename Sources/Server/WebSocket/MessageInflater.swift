import CZlib
import NIOCore

/// Inflates a client's compressed messages (RFC 7692 §7.2.2), one connection's. Its memory is taken with the first one.
final class MessageInflater {
    /// What a deflate block of no bytes ends in; the sender has left it out.
    private static let tail: [UInt8] = [0x00, 0x00, 0xFF, 0xFF]
    private static let step = 16 << 10

    private let windowBits: Int32
    private let keepsContext: Bool
    // At a fixed address: zlib keeps a pointer back to it.
    private var stream: UnsafeMutablePointer<z_stream>?

    /// For a client whose window has 2^`windowBits` bytes, and which refers to earlier messages when `keepsContext`.
    init(windowBits: Int, keepsContext: Bool) {
        self.windowBits = Int32(windowBits)
        self.keepsContext = keepsContext
    }

    deinit {
        guard let stream else { return }
        inflateEnd(stream)
        stream.deallocate()
    }

    /// Inflates a piece of a message behind `output`, which must not become larger than `limit`.
    func inflate(_ input: ByteBuffer, into output: inout ByteBuffer, limit: Int) throws(WebSocketError) {
        let error = input.withUnsafeReadableBytes { run($0, &output, limit) }
        if let error { throw error }
    }

    /// The message is complete.
    func finish(into output: inout ByteBuffer, limit: Int) throws(WebSocketError) {
        let error = Self.tail.withUnsafeBytes { run($0, &output, limit) }
        if let error { throw error }
        if !keepsContext, let stream { inflateReset(stream) }
    }

    private func run(_ input: UnsafeRawBufferPointer, _ output: inout ByteBuffer, _ limit: Int) -> WebSocketError? {
        guard !input.isEmpty else { return nil }
        guard let stream = stream ?? makeStream() else { return .malformedCompression }
        stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(input.count)
        defer { stream.pointee.next_in = nil }
        while true {
            var result = Z_OK
            // One byte more than may come out tells a message that is too big from one that just fits.
            let room = min(Self.step, limit - output.readableBytes + 1)
            output.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { free in
                stream.pointee.next_out = free.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.pointee.avail_out = UInt32(room)
                result = CZlib.inflate(stream, Z_SYNC_FLUSH)
                return room - Int(stream.pointee.avail_out)
            }
            guard output.readableBytes <= limit else { return .tooBig }
            switch result {
            case Z_OK where stream.pointee.avail_out > 0 && stream.pointee.avail_in == 0: return nil
            case Z_OK: break
            case Z_BUF_ERROR where stream.pointee.avail_in == 0: return nil
            case Z_STREAM_END:
                // A last block ends the stream, not the message (RFC 7692 §7.2.3.5): another stream may follow.
                inflateReset(stream)
                if stream.pointee.avail_in == 0 { return nil }
            default: return .malformedCompression
            }
        }
    }

    /// Nil when there is no memory.
    private func makeStream() -> UnsafeMutablePointer<z_stream>? {
        let made = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        made.initialize(to: z_stream())
        // A negative number asks for deflate without any framing.
        guard inflateInit2_(made, -windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            made.deallocate()
            return nil
        }
        stream = made
        return made
    }
}
