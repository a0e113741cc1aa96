public import NIOCore

/// An event loop as a task executor: a task that prefers it runs on the loop's thread whenever it runs nonisolated code.
public final class LoopExecutor: TaskExecutor, @unchecked Sendable {
    // Sendable by confinement: `isRunning` and `runsNext` are touched on the loop alone.

    /// The loop that jobs are run on.
    public let eventLoop: any EventLoop

    /// Whether a job of this executor is on the stack.
    private var isRunning = false
    /// Whether the next job is run by the call that enqueues it.
    private var runsNext = false

    /// The executor of `eventLoop`; one is enough for a loop.
    public init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        if eventLoop.inEventLoop, runsNext {
            runsNext = false
            return run(job)
        }
        eventLoop.execute { self.run(job) }
    }

    private func run(_ job: UnownedJob) {
        isRunning = true
        job.runSynchronously(on: asUnownedTaskExecutor())
        isRunning = false
    }

    /// Resumes `continuation`, and runs what follows it on the stack of this call. In a job, where the stack could grow
    /// without end, what follows is run later. On the loop.
    func resume<T>(_ continuation: UnsafeContinuation<T, Never>, returning value: sending T) {
        runsNext = !isRunning
        continuation.resume(returning: value)
        runsNext = false
    }

    /// Starts a task that prefers this executor, on the stack of this call unless that is a job's. On the loop.
    func start(_ body: @escaping @Sendable () async -> Void) -> Task<Void, Never> {
        guard !isRunning else { return Task(executorPreference: self, operation: body) }
        isRunning = true
        defer { isRunning = false }
        return Task.immediate(executorPreference: self) { await body() }
    }
}
