import HTTP
public import Logging
public import NIOCore

/// Serves an asynchronous application on one event loop: each request becomes a call of the application, in a task that
/// runs on the loop and starts on the stack of the request's arrival.
public final class ASGIHandler: SiteHandler {
    private let direct: (any DirectASGIApplication)?
    private let eventLoop: any EventLoop
    private let logger: Logger
    private let runners: ASGIRunners
    private let sockets: ASGISockets
    private let state: LifespanState?
    private let watchdog: Watchdog?

    /// Serves `application` on `eventLoop`; its failures go to `logger`. `state` is its ``ASGILifespan``'s. Used on
    /// `eventLoop` alone. `watchdog` is told of calls whose deadline has passed.
    public init(
        _ application: any ASGIApplication, on eventLoop: any EventLoop, state: LifespanState? = nil,
        watchdog: Watchdog? = nil, logger: Logger
    ) {
        direct = application as? any DirectASGIApplication
        self.eventLoop = eventLoop
        self.state = state
        self.watchdog = watchdog
        self.logger = logger
        let executor = LoopExecutor(eventLoop)
        runners = ASGIRunners(application, executor, logger: logger)
        sockets = ASGISockets(application, executor, state, logger: logger)
    }

    deinit {
        // Elsewhere than on the loop, the loop may be gone already: parked tasks then stay what they are, memory.
        if eventLoop.inEventLoop { runners.close() }
    }

    public var callsInProgress: Int { runners.calls }

    public func handle(_ exchange: any Exchange, scriptName: String, path: String) {
        handle(exchange, filter: nil, scriptName: scriptName, path: path)
    }

    public func handle(_ exchange: any Exchange, through filter: any ResponseFilter, scriptName: String, path: String) {
        handle(exchange, filter: filter, scriptName: scriptName, path: path)
    }

    private func handle(_ inner: any Exchange, filter: (any ResponseFilter)?, scriptName: String, path: String) {
        // Made only for those who need an exchange, and not for who has the whole response at hand.
        var exchange: any Exchange { filter?.around(inner) ?? inner }
        let head = inner.request
        if head.asksForUpgrade, sockets.handle(exchange, scriptName: scriptName, path: path) { return }
        guard let direct, head.framing == .none else {
            return run(channel(exchange, scriptName: scriptName, path: path))
        }
        switch direct.begin(head, inner.connection, rootPath: scriptName, path: path, id: inner.id) {
        case .response(let head, let body):
            // A head that says nothing of the framing leaves no rule to check.
            if head.fields.marks.isDisjoint(with: [.contentLength, .hopByHop]), !head.status.isBodiless {
                return filter?.respond(head, body, to: inner) ?? inner.respond(head, body)
            }
            channel(exchange, scriptName: scriptName, path: path).answer(head, body, logger: logger)
        case .call(let prepared):
            run(channel(exchange, scriptName: scriptName, path: path, prepared: prepared))
        }
    }

    private func run(_ call: ASGIExchange) {
        call.exchange.call = call
        runners.run(call)
    }

    private func channel(
        _ exchange: any Exchange, scriptName: String, path: String, prepared: (any AnyObject & Sendable)? = nil
    ) -> ASGIExchange {
        ASGIExchange(
            exchange, on: eventLoop, scriptName: scriptName, path: path, state: state, prepared: prepared,
            watchdog: watchdog)
    }
}
