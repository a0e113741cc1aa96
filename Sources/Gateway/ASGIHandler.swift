import HTTP
public import Logging
public import NIOCore

/// Serves an asynchronous application on one event loop: each request becomes a call of the application, in a task that
/// runs on the loop and starts on the stack of the request's arrival.
public final class ASGIHandler: SiteHandler {
    private let eventLoop: any EventLoop
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
        self.eventLoop = eventLoop
        self.state = state
        self.watchdog = watchdog
        let executor = LoopExecutor(eventLoop)
        runners = ASGIRunners(application, executor, logger: logger)
        sockets = ASGISockets(application, executor, state, logger: logger)
    }

    deinit {
        // Elsewhere than on the loop, the loop may be gone already: parked tasks then stay what they are, memory.
        if eventLoop.inEventLoop { runners.close() }
    }

    public func handle(_ exchange: any Exchange, scriptName: String, path: String) {
        if exchange.request.asksForUpgrade, sockets.handle(exchange, scriptName: scriptName, path: path) { return }
        let call = ASGIExchange(
            exchange, on: eventLoop, scriptName: scriptName, path: path, state: state, watchdog: watchdog)
        exchange.call = call
        runners.run(call)
    }
}
