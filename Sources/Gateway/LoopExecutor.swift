public import NIOCore

/// An event loop as a task executor: a task that prefers it runs on the loop's thread whenever it runs nonisolated code.
public final class LoopExecutor: TaskExecutor {
    /// The loop that jobs are run on.
    public let eventLoop: any EventLoop

    /// The executor of `eventLoop`; one is enough for a loop.
    public init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
