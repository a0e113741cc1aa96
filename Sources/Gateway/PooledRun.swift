import Synchronization

/// A call of ``ThreadPool/run(_:)``: a task that waits for what a thread does.
final class PooledRun<Value: Sendable>: Sendable {
    private let work: PooledWork
    private let body: @Sendable () throws -> Value
    private let waiter = Mutex(Waiter.none)

    private enum Waiter {
        case none
        case waiting(UnsafeContinuation<Value, any Error>)
        /// Cancelled before it waited.
        case cancelled
    }

    init(_ work: PooledWork, _ body: @escaping @Sendable () throws -> Value) {
        self.work = work
        self.body = body
    }

    /// The task waits; false when it was cancelled before, and has been told so.
    func wait(_ continuation: UnsafeContinuation<Value, any Error>) -> Bool {
        let isCancelled = waiter.withLock { waiter in
            if case .cancelled = waiter { return true }
            waiter = .waiting(continuation)
            return false
        }
        if isCancelled { continuation.resume(throwing: CancellationError()) }
        return !isCancelled
    }

    /// On the thread.
    func run(_ thread: PoolThread) -> Bool {
        guard work.begin(on: thread) else { return false }
        let result = RequestDeadline.$work.withValue(work) { Result { try body() } }
        let end = work.end()
        resume(with: result)
        return end.isReplaced
    }

    func fail(_ error: any Error) { resume(with: .failure(error)) }

    /// It has waited too long.
    func expire() {
        if work.revoke() { resume(with: .failure(ThreadPoolError.waitedTooLong)) }
    }

    /// The task was cancelled. Called at once, on the thread that cancels it.
    func cancel() {
        if work.revoke() {
            let isWaiting = waiter.withLock { waiter in
                if case .waiting = waiter { return true }
                waiter = .cancelled
                return false
            }
            if isWaiting { resume(with: .failure(CancellationError())) }
        } else if work.isRunning {
            OverdueCall.cancelling?.add(work)
        }
    }

    private func resume(with result: Result<Value, any Error>) {
        let continuation = waiter.withLock { waiter -> UnsafeContinuation<Value, any Error>? in
            guard case .waiting(let continuation) = waiter else { return nil }
            waiter = .none
            return continuation
        }
        continuation?.resume(with: result)
    }
}
