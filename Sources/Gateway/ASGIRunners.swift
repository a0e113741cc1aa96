import Logging
import NIOCore

/// The tasks that call an asynchronous application on one event loop.
///
/// Making a task costs more than everything else a gateway does for a small request, so a task that has served one
/// request is parked and serves another. While it runs its first part, up to where the application suspends for the
/// first time, it is on the stack of the request's arrival.
final class ASGIRunners: @unchecked Sendable {
    // Sendable by confinement: everything stored is touched on the executor's loop alone.

    /// How many parked tasks are kept; one takes about a kilobyte.
    private static let limit = 128

    private let application: any ASGIApplication
    private let executor: LoopExecutor
    private let logger: Logger
    private var parked: [ASGIRunner] = []
    private var isClosed = false
    /// Calls of the application that have not returned.
    private(set) var calls = 0

    init(_ application: any ASGIApplication, _ executor: LoopExecutor, logger: Logger) {
        self.application = application
        self.executor = executor
        self.logger = logger
    }

    /// Calls the application for `exchange`.
    func run(_ exchange: ASGIExchange) {
        if let runner = parked.popLast(), let continuation = runner.continuation {
            exchange.runner = runner
            executor.resume(continuation, returning: exchange)
        } else {
            let runner = ASGIRunner()
            runner.first = exchange
            exchange.runner = runner
            runner.task = executor.start { await self.serve(runner) }
        }
    }

    /// Ends the parked tasks; those that are running end with their request.
    func close() {
        isClosed = true
        let ending = parked
        parked = []
        for runner in ending { runner.continuation?.resume(returning: nil) }
    }

    private func serve(_ runner: ASGIRunner) async {
        var next = runner.takeFirst()
        while next != nil {
            // In a scope of its own: a parked task holds nothing of the request it served last.
            if let exchange = next {
                next = nil
                calls += 1
                do {
                    try await application(exchange.scope, Receive(exchange), Send(exchange))
                    exchange.end(nil, logger: logger)
                } catch {
                    exchange.end(error, logger: logger)
                }
                calls -= 1
            }
            guard !runner.isCancelled, !isClosed, parked.count < Self.limit else { return }
            next = await withUnsafeContinuation { continuation in
                runner.continuation = continuation
                parked.append(runner)
            }
        }
    }
}

/// A task that serves one request after another, and where it is parked in between.
final class ASGIRunner: @unchecked Sendable {
    // Sendable by confinement to the loop.

    /// The task; nil during the first part of its first request.
    var task: Task<Void, Never>?
    /// A cancelled task stays cancelled: it is of no use to another request.
    private(set) var isCancelled = false
    /// What it was started for.
    fileprivate var first: ASGIExchange?
    /// Resumed with the next request, or with nil to end.
    var continuation: UnsafeContinuation<ASGIExchange?, Never>?

    fileprivate func takeFirst() -> ASGIExchange? {
        defer { first = nil }
        return first
    }

    /// Cancels the request that is running, and the task with it.
    func cancel() {
        isCancelled = true
        task?.cancel()
    }
}
