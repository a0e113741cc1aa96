import Gateway
import HTTP
import NIOCore

/// An exchange whose response is compressed on its way out, where the policy, the response and the client allow it.
///
/// Which responses those are is ``GzipDecision``'s. What is complete is compressed in one go and sent with its length; what
/// streams, or is long, by ``GzipStreaming``.
final class GzipFilter: ExchangeFilter {
    private let policy: GzipPolicy
    private let pool: GzipStreamPool
    private let accepts: Bool
    private var streaming: GzipStreaming?

    /// A filter around `inner`. Without `accepts`, only `Vary` is added where the answer would have differed.
    init(_ inner: any Exchange, _ policy: GzipPolicy, _ pool: GzipStreamPool, accepts: Bool) {
        self.policy = policy
        self.pool = pool
        self.accepts = accepts
        super.init(inner)
    }

    /// Whether `request` takes gzip. HEAD never gets it: its fields are those of the plain response.
    static func isAccepted(_ request: RequestHead) -> Bool {
        guard let range = request.fields.first("Accept-Encoding"), request.method != .head else { return false }
        return request.withUnsafeBytes { head in
            AcceptEncoding(
                parsing: UnsafeRawBufferPointer(rebasing: head[Int(range.start)..<Int(range.start + range.count)])
            ).prefersGzip
        }
    }

    override var hasStarted: Bool { streaming != nil || inner.hasStarted }

    override var isWritable: Bool { streaming?.isWritable ?? inner.isWritable }

    override func whenWritable(_ ready: @escaping () -> Void) {
        if let streaming { streaming.whenWritable(ready) } else { inner.whenWritable(ready) }
    }

    override func respond(_ head: ResponseHead, _ body: ByteBuffer) {
        let count = body.readableBytes
        guard count >= policy.minSize else { return inner.respond(head, body) }
        let decision = GzipDecision(head, policy, count: count)
        guard decision.isCompressible else { return inner.respond(head, body) }
        guard accepts, decision.contentLength ?? count == count else {
            return inner.respond(decision.varying(head), body)
        }
        if count <= GzipStreaming.slice * 2 {
            pool.respond(head, body, decision, policy, to: inner)
        } else {
            let streaming = GzipStreaming(inner, policy, pool, head, decision)
            self.streaming = streaming
            streaming.send(body)
        }
    }

    override func start(_ head: ResponseHead) {
        let decision = GzipDecision(head, policy, count: nil)
        guard decision.isCompressible else { return inner.start(head) }
        guard accepts else { return inner.start(decision.varying(head)) }
        streaming = GzipStreaming(inner, policy, pool, head, decision)
    }

    override func write(_ bytes: ByteBuffer) {
        if let streaming { streaming.write(bytes) } else { inner.write(bytes) }
    }

    override func write(_ file: FileRegion, keeping owner: AnyObject) {
        if let streaming { streaming.write(file, keeping: owner) } else { inner.write(file, keeping: owner) }
    }

    override func write(lent bytes: UnsafeRawBufferPointer) {
        guard let streaming else { return inner.write(lent: bytes) }
        streaming.write(ByteBuffer(bytes: bytes))
        streaming.flush()
    }

    override func flush() {
        if let streaming { streaming.flush() } else { inner.flush() }
    }

    override func finish() {
        if let streaming { streaming.finish() } else { inner.finish() }
    }

    override func finish(trailers: Fields) {
        if let streaming { streaming.finish(trailers: trailers) } else { inner.finish(trailers: trailers) }
    }

    override func abort() {
        if let streaming { streaming.abort() } else { inner.abort() }
    }
}

/// The compression of one route's responses, on one loop.
final class RouteGzip: ResponseFilter {
    private let policy: GzipPolicy
    private let pool: GzipStreamPool

    init(_ policy: GzipPolicy, _ pool: GzipStreamPool) {
        self.policy = policy
        self.pool = pool
    }

    func around(_ exchange: any Exchange) -> any Exchange {
        GzipFilter(exchange, policy, pool, accepts: GzipFilter.isAccepted(exchange.request))
    }

    func respond(_ head: ResponseHead, _ body: ByteBuffer, to exchange: any Exchange) {
        if body.readableBytes < policy.minSize {
            exchange.respond(head, body)
        } else {
            around(exchange).respond(head, body)
        }
    }
}

extension GzipStreamPool {
    /// Compresses a whole body and sends it with its length.
    func respond(
        _ head: ResponseHead, _ body: ByteBuffer, _ decision: GzipDecision, _ policy: GzipPolicy,
        to exchange: any Exchange
    ) {
        guard let compressed = compress(body, level: policy.level) else {
            return exchange.respond(decision.varying(head), body)
        }
        exchange.respond(decision.compressed(head, count: compressed.readableBytes), compressed)
    }
}
