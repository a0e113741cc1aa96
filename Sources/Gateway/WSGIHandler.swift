import HTTP
public import Logging
public import NIOCore

/// Serves a synchronous application to one event loop: collects each request's body first, without occupying a thread,
/// then calls the application on a thread of the pool, or on the loop itself when it is configured so.
public final class WSGIHandler: SiteHandler {
    /// How a synchronous application is served.
    public struct Options: Sendable {
        /// Up to this many bytes a request body is kept in memory; a larger one goes to a file.
        public var bodyMemory = 64 * 1024
        /// Where large request bodies are written to; the files have no name there.
        public var temporaryDirectory = "/tmp"
        /// Whether other processes serve the same application (`wsgi.multiprocess`).
        public var isMultiprocess = false
        /// Calls the application as soon as the head is there and lets its reads wait for the body, which occupies a thread.
        /// Not for applications that run inline.
        public var streamsInput = false
        /// Calls the application on the event loop instead of the pool: the fastest way for one that never waits, and a
        /// stand-still for everything else in the worker when it does.
        public var runsInline = false
        /// Told of calls whose deadline has passed.
        public var watchdog: Watchdog?
        /// Stands in for the answer of an application that has failed; without one, that is a plain page.
        public var failurePage: FailurePage?

        public init() {}
    }

    private let application: any WSGIApplication
    private let direct: (any DirectWSGIApplication)?
    private let eventLoop: any EventLoop
    private let pool: ThreadPool
    private let options: Options
    private let logger: Logger
    private let calls: PooledCall.Context
    /// What the last inline call was answered through, to be used again when nobody kept it.
    private var spareReply: WSGIReply?
    private var spareSink: DirectSink?
    /// Calls that this turn of the loop has made, on their way to the pool.
    private var pending: [(call: PooledCall, exchange: any Exchange)] = []

    /// Serves `application` to `eventLoop` on the threads of `pool`; its failures go to `logger`.
    public init(
        _ application: any WSGIApplication, on eventLoop: any EventLoop, pool: ThreadPool, options: Options = Options(),
        logger: Logger
    ) {
        self.application = application
        direct = application as? any DirectWSGIApplication
        self.eventLoop = eventLoop
        self.pool = pool
        self.options = options
        self.logger = logger
        if options.runsInline { (eventLoop as? any WatchedLoop)?.pulse.servesInline() }
        calls = PooledCall.Context(
            pool: pool, logger: logger, watchdog: options.watchdog, direct: direct, failurePage: options.failurePage)
    }

    public func handle(_ exchange: any Exchange, scriptName: String, path: String) {
        guard exchange.request.framing != .none else {
            return call(exchange, scriptName: scriptName, path: path, input: BodyInput.empty)
        }
        if options.streamsInput, !options.runsInline {
            let input = StreamingInput(exchange)
            if !exchange.request.expectsContinue { input.prime() }
            return call(exchange, scriptName: scriptName, path: path, input: input)
        }
        BodyCollector(exchange, memory: options.bodyMemory, directory: options.temporaryDirectory).collect { result in
            switch result {
            case .success(let input): self.call(exchange, scriptName: scriptName, path: path, input: input)
            case .failure(let failure): self.refuse(exchange, failure)
            }
        }
    }

    private func call(_ exchange: any Exchange, scriptName: String, path: String, input: any WSGIInput) {
        let head = exchange.request
        let isHead = head.method == .head
        if let direct {
            let request = WSGIRequest(
                head, exchange.connection, scriptName: scriptName, pathInfo: path, input: input)
            if options.runsInline { return answer(exchange, isHead: isHead) { reply in try direct(request, reply) } }
            return submit(exchange, isHead: isHead) { reply in try direct(request, reply) }
        }
        let hints = EarlyHints(exchange)
        let environ = Environ(
            request: head, connection: exchange.connection, scriptName: scriptName, pathInfo: path,
            input: input, isMultithreaded: !options.runsInline && pool.threadCount > 1,
            isMultiprocess: options.isMultiprocess, id: exchange.id, earlyHints: hints.send)
        let call: @Sendable (WSGIReply) throws -> (any WSGIBody)? = { [application] reply in
            let response = reply.response
            return try application(environ, StartResponse(begin: response.begin, write: response.write))
        }
        if options.runsInline { answer(exchange, isHead: isHead, call) } else { submit(exchange, isHead: isHead, call) }
    }

    /// Calls the application here and now.
    private func answer(_ exchange: any Exchange, isHead: Bool, _ call: (WSGIReply) throws -> (any WSGIBody)?) {
        let (sink, reply) = takeReply(exchange, isHead: isHead)
        do {
            if let body = try call(reply) {
                InlineBody(body, reply.response, exchange, calls).send()
            }
        } catch {
            InlineBody.fail(error, reply.response, exchange, calls)
        }
        spareSink = sink
        spareReply = reply
    }

    private func takeReply(_ exchange: any Exchange, isHead: Bool) -> (DirectSink, WSGIReply) {
        if let sink = spareSink, isKnownUniquelyReferenced(&spareReply), let reply = spareReply {
            sink.exchange = exchange
            reply.reset(isHead: isHead)
            return (sink, reply)
        }
        let sink = DirectSink(exchange)
        return (sink, WSGIReply(sink, isHead: isHead, loop: eventLoop))
    }

    /// Has the application called on a thread. Calls of the same turn of the loop go to the pool together.
    private func submit(
        _ exchange: any Exchange, isHead: Bool, _ call: @escaping @Sendable (WSGIReply) throws -> (any WSGIBody)?
    ) {
        let call = PooledCall(exchange, isHead: isHead, calls, call)
        exchange.call = call
        pending.append((call, exchange))
        if pending.count == 1 { eventLoop.assumeIsolated().execute { self.submitPending() } }
    }

    private func submitPending() {
        let submitted = pending
        pending = []
        let accepted = pool.submit(
            submitted.lazy.map { [lease = direct?.lease] in .init(lease, $0.call.run, expire: $0.call.expire) })
        for refused in submitted[accepted...] { ErrorPage.send(.serviceUnavailable, on: refused.exchange) }
    }

    private func refuse(_ exchange: any Exchange, _ failure: BodyCollector.Failure) {
        switch failure {
        case .body(let failure):
            if exchange.isOpen { ErrorPage.send(failure.status, on: exchange) }
        case .storage(let error):
            logger.error(
                "cannot keep a request body on disk",
                metadata: [
                    "request-id": "\(exchange.requestID)", "error": "\(error)",
                    "directory": "\(options.temporaryDirectory)",
                ])
            if exchange.isOpen { ErrorPage.send(error.status, on: exchange) }
        }
    }
}

/// Early hints from whichever thread, sent on the loop of the exchange.
private struct EarlyHints: @unchecked Sendable {
    // Sendable: the exchange is touched on its loop alone.
    private let exchange: any Exchange
    private let eventLoop: any EventLoop

    init(_ exchange: any Exchange) {
        self.exchange = exchange
        eventLoop = exchange.eventLoop
    }

    func send(_ fields: Fields) {
        guard !eventLoop.inEventLoop else { return exchange.inform(103, fields) }
        eventLoop.execute { self.exchange.inform(103, fields) }
    }
}
