import NIOCore
import Platform
import Synchronization

#if canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Told what the threads of a pool do. It must be quick: whoever submits or takes up a job waits for it.
public protocol ThreadPoolObserver: Sendable {
    /// A job has been taken up after so many nanoseconds; so many still wait, and so many threads are busy. One call at a
    /// time, as ``queueChanged(waiting:)``.
    func jobStarted(waited nanoseconds: UInt64, waiting: Int, busy: Int)
    /// So many jobs wait now.
    func queueChanged(waiting: Int)
    /// A job has ended; so many threads are busy.
    func jobEnded(busy: Int)
    /// So many jobs found the queue full.
    func jobsRefused(_ count: Int)
}

/// Named worker threads behind one bounded queue, first in, first out.
///
/// The queue is what protects a site from more synchronous work than it can do: a job that finds it full is refused at
/// once, so that the client hears 503 now instead of a time-out later. There is one pool in a worker process; every
/// event loop submits to it.
public final class ThreadPool: Sendable {
    private let queue: JobQueue
    private let threads: Mutex<Threads>
    private let name: String

    private struct Threads {
        var running: [pthread_t] = []
        var started = 0
        /// How many were given up, because what they run does not come back.
        var abandoned = 0
    }

    /// What the pool has done and is doing.
    public struct Counts: Sendable, Equatable {
        /// Threads that run a job now.
        public var busy = 0
        /// Jobs that wait for a thread now.
        public var queued = 0
        /// Jobs that a thread has taken up, ever.
        public var started: UInt64 = 0
        /// Jobs that were refused, ever.
        public var refused: UInt64 = 0
        /// Jobs that had waited too long when a thread was free, ever.
        public var expired: UInt64 = 0
        /// How long the jobs in ``started`` waited for a thread, together, in nanoseconds.
        public var queueNanoseconds: UInt64 = 0
    }

    /// The number of threads.
    public let threadCount: Int

    /// Starts `threads` threads (at least one) called `name` and a number, as `ps -L` and `top -H` show them (the kernel
    /// keeps 15 bytes). At most `queueLimit` jobs wait while all of them are busy. Throws when the system refuses a
    /// thread; those that were started are ended again. A job that has waited longer than `longestWait` is not run.
    public init(
        threads count: Int, queueLimit: Int, longestWait: TimeAmount? = nil, name: String = "worker",
        observer: (any ThreadPoolObserver)? = nil
    ) throws(ThreadPoolError) {
        threadCount = max(1, count)
        self.name = name
        queue = JobQueue(
            limit: max(0, queueLimit), threads: threadCount,
            longestWait: longestWait.map { UInt64(max(0, $0.nanoseconds)) } ?? .max, observer: observer)
        threads = Mutex(Threads())
        for _ in 0..<threadCount {
            do {
                try startThread()
            } catch {
                shutdown()
                throw error
            }
        }
    }

    private func startThread() throws(ThreadPoolError) {
        let number = threads.withLock { threads in
            defer { threads.started += 1 }
            return threads.started
        }
        let thread = try WorkerThread(queue: queue, name: "\(name)-\(number)").start()
        threads.withLock { $0.running.append(thread) }
    }

    /// How many threads may be given up: as many as the pool has, and a few in a small one.
    private var abandonLimit: Int { max(threadCount, 4) }

    /// How many threads were given up: they still run what they were given, and end after it.
    public var abandonedThreads: Int { threads.withLock { $0.abandoned } }

    /// Gives up the thread of this handle, which is at work that does not come back, and starts another in its place. False
    /// when that was done too often, or the system refuses a thread: then the pool has one thread less.
    func replaceThread(_ handle: UInt) -> Bool {
        let isAllowed = threads.withLock { threads in
            threads.running.removeAll { UInt($0) == handle }
            threads.abandoned += 1
            return threads.abandoned <= abandonLimit
        }
        pthread_detach(pthread_t(handle))
        queue.jobEnded()
        guard isAllowed else { return false }
        do throws(ThreadPoolError) { try startThread() } catch { return false }
        return true
    }

    deinit { queue.close() }

    /// What the pool has done and is doing; each number is read on its own.
    public var counts: Counts {
        Counts(
            busy: queue.busy.load(ordering: .relaxed), queued: queue.queued.load(ordering: .relaxed),
            started: queue.started.load(ordering: .relaxed), refused: queue.refused.load(ordering: .relaxed),
            expired: queue.expired.load(ordering: .relaxed),
            queueNanoseconds: queue.queueNanoseconds.load(ordering: .relaxed))
    }

    /// Queues `job`; throws ``ThreadPoolError/queueFull`` or ``ThreadPoolError/closed`` without waiting. `expired` is called
    /// in its place when it has waited too long. Called from any thread.
    public func submit(
        _ job: @escaping @Sendable () -> Void, expired: @escaping @Sendable () -> Void = {}
    ) throws(ThreadPoolError) {
        try queue.append(
            { _ in
                job()
                return false
            }, expire: expired)
    }

    /// Queues `jobs`, in their order; the result is how many of them were taken. Called from any thread.
    func submit(_ jobs: some Collection<PoolJob>) -> Int { queue.append(jobs) }

    /// Runs `body` on a thread of the pool and returns its result to where the calling task runs. Throws what `body`
    /// throws, or at once ``ThreadPoolError/queueFull`` or ``ThreadPoolError/closed``, or ``ThreadPoolError/waitedTooLong``
    /// once a thread is free; the gateways answer these by 503.
    /// When the task is cancelled before a thread has taken `body` up, that is not run, and `CancellationError` thrown;
    /// later, ``RequestDeadline/hasPassed`` tells it.
    public func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        let call = PooledRun(PooledWork(for: self), body)
        return try await withTaskCancellationHandler {
            try await withUnsafeThrowingContinuation { continuation in
                guard call.wait(continuation) else { return }
                do {
                    try queue.append(call.run, expire: call.expire)
                } catch {
                    call.fail(error)
                }
            }
        } onCancel: {
            call.cancel()
        }
    }

    /// Refuses new jobs from now on; those already queued are still run.
    public func close() { queue.close() }

    /// Closes the pool and waits until every queued job has run and every thread has ended. Not called from a thread
    /// of the pool or from an event loop.
    public func shutdown() {
        queue.close()
        let ending = threads.withLock { threads in
            defer { threads.running = [] }
            return threads.running
        }
        for thread in ending { pthread_join(thread, nil) }
    }
}

/// Why a job was not taken, or a pool not made.
public enum ThreadPoolError: Error, Equatable, CustomStringConvertible {
    /// As many jobs wait as may.
    case queueFull
    /// No thread was free for longer than a job may wait.
    case waitedTooLong
    /// The pool is being shut down.
    case closed
    /// The system refused a thread; its error number.
    case cannotStartThread(errno: Int32)

    public var description: String {
        switch self {
        case .queueFull: "every worker thread is busy and the queue in front of them is full"
        case .waitedTooLong: "no worker thread was free for longer than a request may wait"
        case .closed: "the thread pool is shutting down"
        case .cannotStartThread(let errno): "cannot start a worker thread: \(String(cString: strerror(errno)))"
        }
    }
}

/// One thread of a pool: takes jobs until the queue is closed and empty.
private final class WorkerThread: Sendable {
    private let queue: JobQueue
    private let name: String

    init(queue: JobQueue, name: String) {
        self.queue = queue
        self.name = name
    }

    func start() throws(ThreadPoolError) -> pthread_t {
        var thread = pthread_t()
        let me = Unmanaged.passRetained(self)
        let status = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<WorkerThread>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, me.toOpaque())
        guard status == 0 else {
            me.release()
            throw .cannotStartThread(errno: status)
        }
        return thread
    }

    private func run() {
        takeName()
        ThreadStack.allowHere()
        let me = PoolThread(id: .current, handle: UInt(pthread_self()))
        var lease: ThreadLease?
        while let job = queue.next(&lease) {
            guard !job(me) else {
                lease?.end()
                return
            }
            queue.jobEnded()
        }
    }

    /// Names the calling thread. By way of `/proc`, as Swift's Glibc does not show `pthread_setname_np`; a thread that
    /// cannot be named works as well.
    private func takeName() {
        let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        let name = Array(name.utf8.prefix(15))
        _ = write(file, name, name.count)
        close(file)
    }
}
