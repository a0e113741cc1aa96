import HTTP
public import Logging
public import NIOCore

/// Serves an asynchronous application on one event loop: each request becomes a call of the application, in a task that
/// runs on the loop and starts on the stack of the request's arrival.
public final class ASGIHandler: SiteHandler {
    private let application: any ASGIApplication
    private let eventLoop: any EventLoop
    private let executor: LoopExecutor
    private let logger: Logger

    /// Serves `application` on `eventLoop`; its failures go to `logger`.
    public init(_ application: any ASGIApplication, on eventLoop: any EventLoop, logger: Logger) {
        self.application = application
        self.eventLoop = eventLoop
        self.logger = logger
        executor = LoopExecutor(eventLoop)
    }

    public func handle(_ exchange: any Exchange, scriptName: String, path: String) {
        let channel = ASGIExchange(exchange, on: eventLoop, logger: logger)
        let scope = HTTPScope(
            request: exchange.request, connection: exchange.connection, rootPath: scriptName, path: path,
            requestID: exchange.requestID, eventLoop: eventLoop)
        channel.task = Task.immediate(executorPreference: executor) { [application] in
            do {
                try await application(.http(scope), Receive(channel), Send(channel))
                channel.end(nil)
            } catch {
                channel.end(error)
            }
        }
    }
}
