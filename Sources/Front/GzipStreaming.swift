import Gateway
import HTTP
import NIOCore

/// A response on its way through gzip, piece by piece: what ``GzipFilter`` makes for those that are not compressed in one
/// go. Long bodies are taken in slices, so that the event loop does other things between.
final class GzipStreaming {
    private enum Phase {
        /// There was no memory for a stream: the response goes through as it is.
        case passing
        /// The head and what was written of the body wait for more, or for the end.
        case holding(ResponseHead)
        case compressing(GzipStream)
        case done
    }

    /// What waits to be compressed.
    private enum Piece {
        case bytes(ByteBuffer)
        case file(FileRegion, AnyObject)
        case flush
        case finish(trailers: Fields)
    }

    /// Bytes compressed before others get their turn on the event loop.
    static let slice = 64 << 10
    /// Bytes held back until a response counts as a stream.
    private static let holdLimit = 32 << 10

    private let inner: any Exchange
    private let policy: GzipPolicy
    private let pool: GzipStreamPool
    private var phase: Phase
    private var held = ByteBuffer()
    // Made when first needed: most of what streams is small after all, and compressed in one go.
    private lazy var pending = CircularBuffer<Piece>()
    private var isPumping = false
    private var isEventStream = false
    /// Bytes `Content-Length` still promises; nil without one.
    private var remaining: Int?
    private var waiting: [() -> Void] = []

    /// The way of a response with `head` to `inner`, held back until it is known whether it is a stream.
    init(
        _ inner: any Exchange, _ policy: GzipPolicy, _ pool: GzipStreamPool, _ head: ResponseHead,
        _ decision: GzipDecision
    ) {
        self.inner = inner
        self.policy = policy
        self.pool = pool
        isEventStream = decision.isEventStream
        remaining = decision.contentLength
        phase = .holding(head)
    }

    deinit { if case .compressing(let stream) = phase { pool.give(stream) } }

    var isWritable: Bool { !isPumping && inner.isWritable }

    func whenWritable(_ ready: @escaping () -> Void) {
        if isPumping { waiting.append(ready) } else { inner.whenWritable(ready) }
    }

    /// The whole of a body that is too long to be compressed in one go.
    func send(_ body: ByteBuffer) {
        guard case .holding(let head) = phase else { return }
        begin(head, GzipDecision(head, policy, count: body.readableBytes))
        write(body)
        finish()
    }

    func write(_ bytes: ByteBuffer) {
        switch phase {
        case .passing: inner.write(bytes)
        case .done: break
        case .holding(let head):
            var bytes = clipped(bytes)
            held.writeBuffer(&bytes)
            if isEventStream || held.readableBytes > Self.holdLimit {
                begin(head, GzipDecision(head, policy, count: nil))
            }
        case .compressing:
            enqueue(.bytes(clipped(bytes)))
            if isEventStream { enqueue(.flush) }
        }
    }

    func write(_ file: FileRegion, keeping owner: AnyObject) {
        switch phase {
        case .passing: inner.write(file, keeping: owner)
        case .done: break
        case .holding(let head):
            begin(head, GzipDecision(head, policy, count: nil))
            write(file, keeping: owner)
        case .compressing:
            let count = min(file.readableBytes, remaining ?? file.readableBytes)
            if remaining != nil { remaining = (remaining ?? 0) - count }
            let start = file.readerIndex
            enqueue(
                .file(FileRegion(fileHandle: file.fileHandle, readerIndex: start, endIndex: start + count), owner))
        }
    }

    func flush() {
        switch phase {
        case .passing: inner.flush()
        case .done: break
        case .holding(let head):
            begin(head, GzipDecision(head, policy, count: nil))
            enqueue(.flush)
        case .compressing: enqueue(.flush)
        }
    }

    func finish() {
        switch phase {
        case .passing: inner.finish()
        case .done: break
        case .holding(let head): finishHeld(head)
        case .compressing:
            // The client must see that something is missing.
            if let remaining, remaining > 0 { return abort() }
            enqueue(.finish(trailers: Fields()))
        }
    }

    func finish(trailers: Fields) {
        switch phase {
        case .holding(let head) where !trailers.isEmpty && inner.request.acceptsTrailers && (remaining ?? 0) == 0:
            // A body of known length has no trailers: it stays a stream.
            begin(head, GzipDecision(head, policy, count: nil))
            finish(trailers: trailers)
        case .compressing where (remaining ?? 0) == 0: enqueue(.finish(trailers: trailers))
        case .passing: inner.finish(trailers: trailers)
        case .holding, .compressing, .done: finish()
        }
    }

    func abort() {
        pending.removeAll()
        release()
        inner.abort()
        notify()
    }

    /// The body ended while it was held back: its length is known after all.
    private func finishHeld(_ head: ResponseHead) {
        let decision = GzipDecision(head, policy, count: held.readableBytes)
        if let remaining, remaining > 0 {
            // Too short: the server knows what to do about it.
            phase = .done
            inner.start(head)
            inner.write(held)
            inner.finish()
        } else if decision.isCompressible {
            phase = .done
            pool.respond(head, held, decision, policy, to: inner)
        } else {
            phase = .done
            inner.respond(decision.varying(head), held)
        }
    }

    /// Sends the head of a compressed stream, and what was held back.
    private func begin(_ head: ResponseHead, _ decision: GzipDecision) {
        guard let stream = pool.take(level: policy.level, count: decision.contentLength) else {
            phase = .passing
            inner.start(decision.varying(head))
            inner.write(held)
            return
        }
        phase = .compressing(stream)
        inner.start(decision.compressed(head, count: nil))
        if held.readableBytes > 0 { enqueue(.bytes(held)) }
        held = ByteBuffer()
        if isEventStream {
            enqueue(.flush)
            // A compressed stream has an end of its own, which the client's decoder wants to see.
            inner.onLeave { [weak self] in self?.finish() }
        }
    }

    private func clipped(_ bytes: ByteBuffer) -> ByteBuffer {
        guard let left = remaining else { return bytes }
        let count = min(left, bytes.readableBytes)
        remaining = left - count
        return bytes.getSlice(at: bytes.readerIndex, length: count) ?? ByteBuffer()
    }

    private func enqueue(_ piece: Piece) {
        pending.append(piece)
        if !isPumping { pump() }
    }

    /// Compresses what waits, as long as the connection takes it and the slice lasts.
    private func pump() {
        isPumping = true
        var budget = Self.slice
        while let piece = pending.first {
            guard case .compressing(let stream) = phase, inner.isOpen else {
                pending.removeAll()
                release()
                break
            }
            guard inner.isWritable else { return inner.whenWritable { self.pump() } }
            guard budget > 0 else { return inner.eventLoop.assumeIsolated().execute { self.pump() } }
            budget -= step(piece, stream, budget)
        }
        isPumping = false
        notify()
    }

    /// Handles the first piece, or `budget` bytes of it; how many it took.
    private func step(_ piece: Piece, _ stream: GzipStream, _ budget: Int) -> Int {
        var output = ByteBuffer()
        var taken = 0
        switch piece {
        case .bytes(var bytes):
            if let part = bytes.readSlice(length: min(budget, bytes.readableBytes)) {
                taken = part.readableBytes
                stream.compress(part, .none, into: &output)
            }
            if bytes.readableBytes > 0 { pending[pending.startIndex] = .bytes(bytes) } else { pending.removeFirst() }
        case .file(var region, let owner):
            let part = FileReading.read(region, count: min(budget, region.readableBytes))
            taken = part.readableBytes
            guard taken > 0 || region.readableBytes == 0 else {
                // The file lost bytes that were promised.
                abort()
                return 0
            }
            stream.compress(part, .none, into: &output)
            region.moveReaderIndex(forwardBy: taken)
            if region.readableBytes > 0 {
                pending[pending.startIndex] = .file(region, owner)
            } else {
                pending.removeFirst()
            }
        case .flush:
            pending.removeFirst()
            stream.compress(ByteBuffer(), .sync, into: &output)
        case .finish:
            pending.removeFirst()
            stream.compress(ByteBuffer(), .finish, into: &output)
        }
        if output.readableBytes > 0 { inner.write(output) }
        switch piece {
        case .flush: inner.flush()
        case .finish(let trailers):
            release()
            if trailers.isEmpty { inner.finish() } else { inner.finish(trailers: trailers) }
        case .bytes, .file: break
        }
        return taken
    }

    private func release() {
        if case .compressing(let stream) = phase { pool.give(stream) }
        phase = .done
    }

    private func notify() {
        let ready = waiting
        waiting = []
        for call in ready { inner.whenWritable(call) }
    }
}
