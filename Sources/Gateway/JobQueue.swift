import NIOCore
import Synchronization

#if canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// The bounded queue between event loops and the threads of a ``ThreadPool``.
final class JobQueue: @unchecked Sendable {
    private struct Job {
        let run: @Sendable () -> Void
        let queuedAt: UInt64
    }

    // Sendable: these three are touched only while the monitor is held.
    private var jobs = CircularBuffer<Job>(initialCapacity: 64)
    private var idle = 0
    private var isClosed = false

    private let limit: Int
    private let threads: Int
    private let monitor = Monitor()

    // Written under the monitor, read by whoever wants to know.
    let busy = Atomic<Int>(0)
    let queued = Atomic<Int>(0)
    let started = Atomic<UInt64>(0)
    let refused = Atomic<UInt64>(0)
    let queueNanoseconds = Atomic<UInt64>(0)

    /// A queue in front of `threads` threads in which `limit` jobs may wait.
    init(limit: Int, threads: Int) {
        self.limit = limit
        self.threads = threads
    }

    func append(_ run: @escaping @Sendable () -> Void) throws(ThreadPoolError) {
        let job = Job(run: run, queuedAt: Self.now())
        monitor.lock()
        // A job for which a thread is free does not count as waiting, even if that thread has not woken up, or begun, yet.
        guard !isClosed, jobs.count < limit + threads - busy.load(ordering: .relaxed) else {
            let error = isClosed ? ThreadPoolError.closed : .queueFull
            monitor.unlock()
            refused.add(1, ordering: .relaxed)
            throw error
        }
        jobs.append(job)
        queued.store(jobs.count, ordering: .relaxed)
        let wakes = idle > 0
        monitor.unlock()
        // After unlocking, so that the woken thread does not run straight into the lock.
        if wakes { monitor.signal() }
    }

    /// The next job, waiting for one; nil when the queue is closed and everything in it was taken.
    func next() -> (@Sendable () -> Void)? {
        monitor.lock()
        defer { monitor.unlock() }
        while true {
            if let job = jobs.popFirst() {
                queued.store(jobs.count, ordering: .relaxed)
                busy.add(1, ordering: .relaxed)
                started.add(1, ordering: .relaxed)
                queueNanoseconds.add(Self.now() &- job.queuedAt, ordering: .relaxed)
                return job.run
            }
            guard !isClosed else { return nil }
            idle += 1
            monitor.wait()
            idle -= 1
        }
    }

    func close() {
        monitor.withLock { isClosed = true }
        monitor.broadcast()
    }

    /// Nanoseconds of the monotonic clock.
    private static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }
}
