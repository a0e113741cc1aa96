import CZlib
import NIOCore

/// One gzip stream of zlib (RFC 1952), used for one response after another.
final class GzipStream {
    /// What has to come out of a call besides what zlib gives by itself.
    enum Flush {
        case none
        /// Everything so far, so that the client can decode it.
        case sync
        /// The end of the stream.
        case finish
    }

    // At a fixed address: zlib keeps a pointer back to it.
    private let stream: UnsafeMutablePointer<z_stream>
    let level: Int32
    let windowBits: Int32

    /// A stream for bodies of `level`, with a window of 2^`windowBits` bytes; nil when there is no memory for it.
    init?(level: Int32, windowBits: Int32) {
        self.level = level
        self.windowBits = windowBits
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        // 16 more asks for gzip instead of zlib framing. The hash table shrinks with the window, as there is less to find.
        let memory = max(1, windowBits - 7)
        let result = deflateInit2_(
            stream, level, Z_DEFLATED, windowBits + 16, memory, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard result == Z_OK else {
            stream.deallocate()
            return nil
        }
    }

    deinit {
        deflateEnd(stream)
        stream.deallocate()
    }

    /// Ready for the next body.
    func reset() { deflateReset(stream) }

    /// Compresses `input` and appends what comes out to `output`.
    func compress(_ input: UnsafeRawBufferPointer, _ flush: Flush, into output: inout ByteBuffer) {
        let mode =
            switch flush {
            case .none: Z_NO_FLUSH
            case .sync: Z_SYNC_FLUSH
            case .finish: Z_FINISH
            }
        stream.pointee.next_in = UnsafeMutablePointer(
            mutating: input.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.pointee.avail_in = UInt32(input.count)
        var result = Z_OK
        repeat {
            let room = max(1024, min(32 << 10, Int(stream.pointee.avail_in) / 2))
            if output.writableBytes < room { output.reserveCapacity(minimumWritableBytes: room) }
            output.writeWithUnsafeMutableBytes(minimumWritableBytes: room) { free in
                stream.pointee.next_out = free.baseAddress?.assumingMemoryBound(to: UInt8.self)
                stream.pointee.avail_out = UInt32(min(free.count, Int(UInt32.max)))
                let before = stream.pointee.avail_out
                result = deflate(stream, mode)
                return Int(before - stream.pointee.avail_out)
            }
        } while result == Z_OK && (stream.pointee.avail_out == 0 || (flush == .finish))
        stream.pointee.next_in = nil
    }

    /// As ``compress(_:_:into:)-(UnsafeRawBufferPointer,_,_)``, of a buffer.
    func compress(_ input: ByteBuffer, _ flush: Flush, into output: inout ByteBuffer) {
        input.withUnsafeReadableBytes { compress($0, flush, into: &output) }
    }
}

/// The compressors of an event loop: they are large (256 KiB and more) and slow to make, so they are used again.
final class GzipStreamPool {
    private var idle: [GzipStream] = []
    /// One for each level that was asked for.
    private var compressors: [BodyCompressor] = []
    private static let idleLimit = 8

    /// A stream for a body of `count` bytes (nil when unknown). A small body gets a small window: nothing lies farther
    /// back, and there is less to clear.
    func take(level: Int, count: Int?) -> GzipStream? {
        var windowBits: Int32 = 15
        if let count {
            // 262 bytes is zlib's MIN_LOOKAHEAD, which a window cannot use.
            while windowBits > 9, count <= (1 << (windowBits - 1)) - 262 { windowBits -= 1 }
        }
        if let index = idle.lastIndex(where: { $0.windowBits == windowBits && $0.level == Int32(level) }) {
            return idle.remove(at: index)
        }
        return GzipStream(level: Int32(level), windowBits: windowBits)
    }

    /// Takes a stream back.
    func give(_ stream: GzipStream) {
        stream.reset()
        if idle.count >= Self.idleLimit { idle.removeFirst() }
        idle.append(stream)
    }

    /// The gzip form of a whole body; nil when there is no memory for it.
    func compress(_ body: ByteBuffer, level: Int) -> ByteBuffer? {
        if let compressor = compressors.first(where: { $0.level == level }) { return compressor.compress(body) }
        guard let compressor = BodyCompressor(level: level) else { return nil }
        compressors.append(compressor)
        return compressor.compress(body)
    }
}
