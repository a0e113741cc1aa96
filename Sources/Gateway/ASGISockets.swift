import Logging
import NIOCore

/// Serves an asynchronous application's WebSockets on one event loop: each is a call of the application, in a task that
/// runs on the loop and starts on the stack of the handshake's arrival.
final class ASGISockets: @unchecked Sendable {
    // Sendable by confinement to the executor's loop.

    private let application: any ASGIApplication
    private let executor: LoopExecutor
    private let state: LifespanState?
    private let logger: Logger

    init(_ application: any ASGIApplication, _ executor: LoopExecutor, _ state: LifespanState?, logger: Logger) {
        self.application = application
        self.executor = executor
        self.state = state
        self.logger = logger
    }

    /// Calls the application for a handshake, or refuses one that cannot be granted; false when `exchange` is an ordinary
    /// request.
    func handle(_ exchange: any Exchange, scriptName: String, path: String) -> Bool {
        guard exchange.isWebSocketHandshake else { return exchange.refusesWebSocketHandshake() }
        // How long a socket is open, and how long its handshake takes, is the application's business.
        exchange.timeLimit = nil
        let socket = ASGISocket(exchange, executor, scriptName: scriptName, path: path, state: state)
        let scope = WebSocketScope(
            request: exchange.request, connection: exchange.connection, rootPath: scriptName, path: path,
            requestID: exchange.requestID, eventLoop: executor.eventLoop, state: state?.values ?? [:])
        let task = executor.start { [application, logger] in
            do {
                try await application(.webSocket(scope), Receive(socket), Send(socket))
                socket.end(nil, logger: logger)
            } catch {
                socket.end(error, logger: logger)
            }
        }
        // Nobody cancels it: it ends with its socket.
        _ = task
        return true
    }
}
