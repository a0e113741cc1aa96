public import Dispatch
public import Gateway
import Glibc
public import Logging
public import NIOCore
public import Platform
import Synchronization

/// Told when a descriptor is ready, on the loop that watches it.
protocol DescriptorWatcher: AnyObject {
    func descriptorIsReady(_ events: Poller.Events)
    /// The loop watches no more: the descriptor is to be closed.
    func loopEnds()
}

/// An event loop: one thread that waits for descriptors, timers, and what others ask it to do.
///
/// It is NIO's protocol with a narrower inside: a watcher is told that its descriptor is ready and makes the system calls
/// itself, so that between the kernel and a request there are two calls and not a pipeline.
public final class ServerLoop: EventLoop, DescriptorLoop, WatchedLoop, @unchecked Sendable {
    // Sendable: `inbox` and `timers` are locked; the other variables are touched by the loop's own thread alone.

    /// What other threads ask for.
    private struct Inbox {
        var tasks: [@Sendable () -> Void] = []
        var isStopped = false
    }

    /// Rounds of tasks that may follow each other before descriptors are looked at again.
    private static let taskRounds = 64

    private let poller: Poller
    private let wakeUp: EventCounter
    private let wakeDescriptor: CInt
    private let inbox = Mutex(Inbox())
    private let timers = Mutex(TimerQueue())
    private let thread = Atomic<UInt>(0)
    private let hasEnded: EventCounter
    private let logger: Logger
    public let pulse = LoopPulse()
    /// An empty buffer for the next socket that has something to send.
    var spareOutput = ByteBuffer()
    private var watchers: [(any DescriptorWatcher)?] = []
    private var tasks: [() -> Void] = []
    private var isStopping = false

    private init(logger: Logger) throws(SystemError) {
        poller = try Poller()
        wakeUp = try EventCounter()
        wakeDescriptor = wakeUp.descriptor
        hasEnded = try EventCounter()
        self.logger = logger
        try poller.add(wakeUp.descriptor, .readable)
    }

    /// Starts a loop on a thread of its own.
    convenience init(name: String, logger: Logger) throws(SystemError) {
        try self.init(logger: logger)
        let hasBegun = try EventCounter()
        try DedicatedThread.start(name: name) { [self] in
            thread.store(UInt(pthread_self()), ordering: .releasing)
            hasBegun.signal()
            run()
        }
        hasBegun.wait()
    }

    /// Makes the calling thread a loop, until ``stop()`` or `shutdownGracefully`. `body` is called first, on the loop.
    public static func runOnCurrentThread(logger: Logger, _ body: (ServerLoop) -> Void) throws(SystemError) {
        let loop = try ServerLoop(logger: logger)
        loop.thread.store(UInt(pthread_self()), ordering: .releasing)
        body(loop)
        loop.run()
    }

    // MARK: Descriptors

    /// Tells `watcher` when one of `events` (or an error) comes, until ``unwatch(_:)``. On the loop.
    func watch(_ descriptor: CInt, _ events: Poller.Events, _ watcher: any DescriptorWatcher) throws(SystemError) {
        let index = Int(descriptor)
        while watchers.count <= index {
            watchers.append(contentsOf: repeatElement(nil, count: max(64, watchers.count)))
        }
        try poller.add(descriptor, events)
        watchers[index] = watcher
    }

    /// Changes what a watched descriptor is awaited for. On the loop.
    func change(_ descriptor: CInt, _ events: Poller.Events) {
        do throws(SystemError) { try poller.change(descriptor, events) } catch {
            logger.error("cannot watch a connection: \(error)")
        }
    }

    /// Forgets a descriptor, which its owner may then close. On the loop.
    func unwatch(_ descriptor: CInt) {
        watchers[Int(descriptor)] = nil
        // Fails for a descriptor that is closed already, which has taken it out as well.
        do throws(SystemError) { try poller.remove(descriptor) } catch {
            logger.debug("cannot forget a connection: \(error)")
        }
    }

    public func whenReadable(_ descriptor: CInt, _ isReady: @escaping () -> Void) throws(SystemError) {
        try watch(descriptor, .readable, ClosureWatcher(isReady))
    }

    public func forget(_ descriptor: CInt) { unwatch(descriptor) }

    private final class ClosureWatcher: DescriptorWatcher {
        private let isReady: () -> Void

        init(_ isReady: @escaping () -> Void) { self.isReady = isReady }

        func descriptorIsReady(_ events: Poller.Events) { isReady() }
        func loopEnds() {}
    }

    // MARK: The thread

    private func run() {
        pulse.adoptThread()
        turns()
        pulse.rest()
        let left = watchers
        watchers = []
        for watcher in left { watcher?.loopEnds() }
        hasEnded.signal()
    }

    private func turns() {
        while !isStopping {
            runTasks()
            pulse.rest()
            do throws(SystemError) {
                try poller.wait(milliseconds: patience) { ready in
                    pulse.beat()
                    if ready.descriptor == wakeDescriptor { return takeInbox() }
                    watchers[Int(ready.descriptor)]?.descriptorIsReady(ready.events)
                }
            } catch {
                logger.critical("an event loop cannot wait: \(error)")
                return
            }
            runTimers()
        }
    }

    /// How long to wait for descriptors, in milliseconds, rounded up so that timers are not looked at too early.
    private var patience: CInt {
        guard tasks.isEmpty else { return 0 }
        guard let next = timers.withLock({ $0.nextDeadline }) else { return -1 }
        let wait = (next - .now()).nanoseconds
        return wait <= 0 ? 0 : CInt(min((wait + 999_999) / 1_000_000, 60_000))
    }

    private func takeInbox() {
        wakeUp.take()
        let (taken, stops) = inbox.withLock { inbox in
            defer { inbox.tasks = [] }
            return (inbox.tasks, inbox.isStopped)
        }
        for task in taken { tasks.append(task) }
        if stops { isStopping = true }
    }

    private func runTasks() {
        var rounds = 0
        while !tasks.isEmpty, rounds < Self.taskRounds {
            rounds += 1
            let now = tasks
            tasks = []
            for task in now {
                pulse.beat()
                task()
            }
        }
    }

    private func runTimers() {
        guard let next = timers.withLock({ $0.nextDeadline }) else { return }
        let now = NIODeadline.now()
        guard next <= now else { return }
        for action in timers.withLock({ $0.due(now) }) {
            pulse.beat()
            action()
        }
    }

    /// Ends the thread; what is still to be done is dropped. Blocks; not on the loop.
    public func stop() {
        inbox.withLock { $0.isStopped = true }
        wakeUp.signal()
        hasEnded.wait()
    }

    // MARK: EventLoop

    public var inEventLoop: Bool { thread.load(ordering: .relaxed) == UInt(pthread_self()) }

    public var now: NIODeadline { .now() }

    public func execute(_ task: @escaping @Sendable () -> Void) {
        if inEventLoop {
            tasks.append(task)
            return
        }
        let isFirst = inbox.withLock { inbox in
            inbox.tasks.append(task)
            return inbox.tasks.count == 1
        }
        if isFirst { wakeUp.signal() }
    }

    public func _executeIsolatedUnsafeUnchecked(_ task: @escaping () -> Void) { tasks.append(task) }

    @discardableResult
    public func scheduleTask<T>(
        deadline: NIODeadline, _ task: @escaping @Sendable () throws -> T
    ) -> Scheduled<T> {
        let promise = makePromise(of: T.self)
        let timer = timers.withLock { timers in
            timers.insert(deadline) {
                do { promise.assumeIsolated().succeed(try task()) } catch { promise.fail(error) }
            }
        }
        // The thread may be asleep until a later time than this.
        if !inEventLoop { wakeUp.signal() }
        return Scheduled(promise: promise, cancellationTask: { [self] in timers.withLock { $0.cancel(timer) } })
    }

    @discardableResult
    public func scheduleTask<T>(in delay: TimeAmount, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
        scheduleTask(deadline: .now() + delay, task)
    }

    public func next() -> any EventLoop { self }

    public func makeIterator() -> EventLoopIterator { EventLoopIterator([self]) }

    public func shutdownGracefully(queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void) {
        queue.async { [self] in
            stop()
            callback(nil)
        }
    }
}
