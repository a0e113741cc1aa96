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

/// Told when a loop begins to work and when it is done, on the loop: twice a turn, so it must be quick. Times are
/// nanoseconds of the monotonic clock.
public protocol TurnObserver: AnyObject {
    /// The loop was woken.
    func turnBegan(at now: UInt64)
    /// The loop has done everything and is about to wait. `received` and `sent` count the bytes of its sockets so far.
    func turnEnded(at now: UInt64, began: UInt64, received: UInt64, sent: UInt64)
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

    /// Told of the loop's turns. On the loop.
    var turnObserver: (any TurnObserver)?
    /// When the loop was woken last.
    private(set) var turnBegan: UInt64 = 0
    /// Since when what this turn deals with has been waiting, as far as that is known.
    private(set) var readySince: UInt64 = 0
    /// Turns until what came during a long one must have been looked at: accepted, watched, and read.
    private var turnsToCatchUp = 0
    /// A turn that takes longer, in nanoseconds, lets others wait.
    private static let longTurn: UInt64 = 20_000_000
    /// The clock as it was last looked at; ``clock`` looks again when something has run since.
    private var lastReading: UInt64 = 0
    private var isReadingFresh = false
    /// Bytes that came from and went to the sockets of this loop.
    var received: UInt64 = 0
    var sent: UInt64 = 0

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
        try watch(descriptor, .readable, ClosureWatcher(self, isReady))
    }

    public func forget(_ descriptor: CInt) { unwatch(descriptor) }

    private final class ClosureWatcher: DescriptorWatcher {
        private unowned let loop: ServerLoop
        private let isReady: () -> Void

        init(_ loop: ServerLoop, _ isReady: @escaping () -> Void) {
            self.loop = loop
            self.isReady = isReady
        }

        func descriptorIsReady(_ events: Poller.Events) {
            loop.ageClock()
            isReady()
        }
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
        turnBegan = readClock()
        readySince = turnBegan
        while !isStopping {
            runTasks()
            let now = runTimers()
            if now &- turnBegan > Self.longTurn { turnsToCatchUp = 4 } else if isCatchingUp { turnsToCatchUp -= 1 }
            turnObserver?.turnEnded(at: now, began: turnBegan, received: received, sent: sent)
            pulse.rest()
            do throws(SystemError) {
                var isFirst = true
                try poller.wait(milliseconds: patience(at: now)) { ready in
                    if isFirst {
                        isFirst = false
                        beginTurn()
                    }
                    pulse.beat()
                    if ready.descriptor == wakeDescriptor { return takeInbox() }
                    watchers[Int(ready.descriptor)]?.descriptorIsReady(ready.events)
                }
                // Nothing was ready: a timer is due, or a task was left.
                if isFirst { beginTurn() }
            } catch {
                logger.critical("an event loop cannot wait: \(error)")
                return
            }
        }
    }

    private func beginTurn() {
        let (lastBegan, lastEnded) = (turnBegan, lastReading)
        turnBegan = readClock()
        // What was there without waiting came while the turn before was at work: on average, in the middle of it.
        readySince = turnBegan &- lastEnded < 20_000 ? lastEnded &- (lastEnded &- lastBegan) / 2 : turnBegan
        turnObserver?.turnBegan(at: turnBegan)
    }

    /// Looks at the clock (`CLOCK_MONOTONIC`), in nanoseconds.
    @discardableResult
    func readClock() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        lastReading = UInt64(bitPattern: Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec))
        isReadingFresh = true
        return lastReading
    }

    /// The time, in nanoseconds: looked up unless nothing has run since it was looked up last. On the loop.
    var clock: UInt64 { isReadingFresh ? lastReading : readClock() }

    /// Whether what is looked at now may have waited since before a long turn.
    var isCatchingUp: Bool { turnsToCatchUp > 0 }

    /// Code that may take its time runs next.
    func ageClock() { isReadingFresh = false }

    /// How long to wait for descriptors, in milliseconds, rounded up so that timers are not looked at too early.
    private func patience(at now: UInt64) -> CInt {
        guard tasks.isEmpty else { return 0 }
        guard let next = timers.withLock({ $0.nextDeadline }) else { return -1 }
        guard next.uptimeNanoseconds > now else { return 0 }
        return CInt(min((next.uptimeNanoseconds - now + 999_999) / 1_000_000, 60_000))
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
            ageClock()
            let now = tasks
            tasks = []
            for task in now {
                pulse.beat()
                task()
            }
        }
    }

    /// Runs what is due; the result is the time afterwards.
    private func runTimers() -> UInt64 {
        let now = readClock()
        let time = NIODeadline.uptimeNanoseconds(now)
        let due = timers.withLock { timers in
            guard let next = timers.nextDeadline, next <= time else { return [] as [@Sendable () -> Void] }
            return timers.due(time)
        }
        guard !due.isEmpty else { return now }
        for action in due {
            pulse.beat()
            action()
        }
        return readClock()
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
