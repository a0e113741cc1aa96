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

        public init() {}
    }

    private let application: any WSGIApplication
    private let eventLoop: any EventLoop
    private let pool: ThreadPool
    private let options: Options
    private let logger: Logger

    /// Serves `application` to `eventLoop` on the threads of `pool`; its failures go to `logger`.
    public init(
        _ application: any WSGIApplication, on eventLoop: any EventLoop, pool: ThreadPool, options: Options = Options(),
        logger: Logger
    ) {
        self.application = application
        self.eventLoop = eventLoop
        self.pool = pool
        self.options = options
        self.logger = logger
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
        let hints = EarlyHints(exchange)
        let environ = Environ(
            request: exchange.request, connection: exchange.connection, scriptName: scriptName, pathInfo: path,
            input: input, isMultithreaded: !options.runsInline && pool.threadCount > 1,
            isMultiprocess: options.isMultiprocess, requestID: exchange.requestID, earlyHints: hints.send)
        if options.runsInline {
            InlineCall(application, environ, exchange, logger: logger).run()
            return
        }
        let call = PooledCall(application, environ, exchange, logger: logger)
        do {
            try pool.submit { call.run() }
        } catch {
            ErrorPage.send(.serviceUnavailable, on: exchange)
        }
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
