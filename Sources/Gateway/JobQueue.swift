import NIOCore
import Synchronization

#if canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// What a thread of a pool runs, and what it wants to hold meanwhile.
struct PoolJob: Sendable {
    /// True says that another thread has taken the place of the one that ran it.
    typealias Body = @Sendable (PoolThread) -> Bool

    fileprivate let run: Body
    fileprivate let lease: ThreadLease?
    /// Takes the place of `run` when the job has waited too long.
    fileprivate let expire: @Sendable () -> Void
    fileprivate var queuedAt: UInt64 = 0

    init(_ lease: ThreadLease? = nil, _ run: @escaping Body, expire: @escaping @Sendable () -> Void = {}) {
        self.lease = lease
        self.run = run
        self.expire = expire
    }
}

/// The bounded queue between event loops and the threads of a ``ThreadPool``.
final class JobQueue: @unchecked Sendable {
    // Sendable: these are touched only while the monitor is held.
    private var jobs = CircularBuffer<PoolJob>(initialCapacity: 64)
    private var idle = 0
    /// Whether a thread was woken for a job with a lease and does not hold it yet. One thread at a time holds such a lease:
    /// one more that is awake is enough to go on when the holder gives it up.
    private var isOneComing = false
    private var isClosed = false

    private let limit: Int
    private let threads: Int
    /// Nanoseconds that a job may wait.
    private let longestWait: UInt64
    private let observer: (any ThreadPoolObserver)?
    private let monitor = Monitor()

    // Written under the monitor, read by whoever wants to know.
    let busy = Atomic<Int>(0)
    let queued = Atomic<Int>(0)
    let started = Atomic<UInt64>(0)
    let refused = Atomic<UInt64>(0)
    let expired = Atomic<UInt64>(0)
    let queueNanoseconds = Atomic<UInt64>(0)

    /// A queue in front of `threads` threads in which `limit` jobs may wait.
    init(
        limit: Int, threads: Int, longestWait: UInt64 = .max, observer: (any ThreadPoolObserver)? = nil
    ) {
        self.limit = limit
        self.threads = threads
        self.longestWait = longestWait
        self.observer = observer
    }

    func append(
        _ run: @escaping PoolJob.Body, expire: @escaping @Sendable () -> Void = {}
    ) throws(ThreadPoolError) {
        guard append(CollectionOfOne(PoolJob(nil, run, expire: expire))) == 1 else {
            throw monitor.withLock { isClosed } ? .closed : .queueFull
        }
    }

    /// Takes as many of `added` as there is room for; the result is how many.
    func append(_ added: some Collection<PoolJob>) -> Int {
        let now = Self.now()
        var accepted = 0
        var wakes = 0
        monitor.lock()
        for job in added {
            // A job for which a thread is free does not count as waiting, even if that thread has not woken up, or begun,
            // yet.
            guard !isClosed, jobs.count < limit + threads - busy.load(ordering: .relaxed) else { break }
            var job = job
            job.queuedAt = now
            jobs.append(job)
            accepted += 1
            if wakes < idle, wakesThread(for: job) { wakes += 1 }
        }
        queued.store(jobs.count, ordering: .relaxed)
        observer?.queueChanged(waiting: jobs.count)
        monitor.unlock()
        if accepted < added.count {
            refused.add(UInt64(added.count - accepted), ordering: .relaxed)
            observer?.jobsRefused(added.count - accepted)
        }
        // After unlocking, so that the woken thread does not run straight into the lock.
        for _ in 0..<wakes { monitor.signal() }
        return accepted
    }

    /// Whether an idle thread is to be woken for `job`; the monitor is held.
    private func wakesThread(for job: PoolJob) -> Bool {
        guard job.lease != nil else { return true }
        guard !isOneComing else { return false }
        isOneComing = true
        return true
    }

    /// The next job, waiting for one; nil when the queue is closed and everything in it was taken. `lease` is what the thread
    /// holds, and is exchanged for the job's.
    func next(_ lease: inout ThreadLease?) -> PoolJob.Body? {
        var hasWaited = false
        monitor.lock()
        while true {
            if let job = jobs.popFirst() {
                queued.store(jobs.count, ordering: .relaxed)
                let waited = Self.now() &- job.queuedAt
                if waited > longestWait {
                    // Whoever asked has mostly given up by now; those behind are served the sooner.
                    expired.add(1, ordering: .relaxed)
                    monitor.unlock()
                    job.expire()
                    monitor.lock()
                    continue
                }
                let nowBusy = busy.add(1, ordering: .relaxed).newValue
                started.add(1, ordering: .relaxed)
                queueNanoseconds.add(waited, ordering: .relaxed)
                observer?.jobStarted(waited: waited, waiting: jobs.count, busy: nowBusy)
                if job.lease !== lease {
                    monitor.unlock()
                    lease?.end()
                    job.lease?.begin()
                    lease = job.lease
                    monitor.lock()
                }
                if hasWaited { isOneComing = false }
                let wakes = job.lease != nil && idle > 0 && jobs.first.map(wakesThread) == true
                monitor.unlock()
                if wakes { monitor.signal() }
                return job.run
            }
            if let held = lease {
                monitor.unlock()
                held.end()
                lease = nil
                monitor.lock()
                continue
            }
            if hasWaited { isOneComing = false }
            guard !isClosed else {
                monitor.unlock()
                return nil
            }
            idle += 1
            monitor.wait()
            idle -= 1
            hasWaited = true
        }
    }

    /// A job has ended.
    func jobEnded() {
        let left = busy.subtract(1, ordering: .relaxed).newValue
        observer?.jobEnded(busy: left)
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
