public import Logging
import NIOCore
public import Platform
import Synchronization

/// Watches over calls whose deadline has passed, and over the event loops of a process, from a thread that needs neither a
/// loop nor an interpreter's lock.
///
/// What is overdue is named in the log with its stack, and interrupted; what does not leave within the grace is reported to
/// the process, which has itself replaced.
public final class Watchdog: Sendable {
    /// How long things may take.
    public struct Options: Sendable {
        /// For an application to leave after its deadline (`timeouts.grace`).
        public var grace = Duration.seconds(5)
        /// For a loop to be at one thing (`timeouts.stuck`); nil is for ever.
        public var stuck: Duration? = .seconds(30)
        /// A loop that is at one thing for so long is named in the log.
        public var notice = Duration.milliseconds(200)

        public init() {}
    }

    /// What the process has to deal with.
    public enum Finding: Sendable, Equatable {
        /// An application does not leave. The text says which request it was.
        case requestStuck(String)
        /// An event loop does not come back. The text says what it is at, as far as is known.
        case loopStuck(String)
    }

    /// What happens to the process's loops and calls. Called on the watchdog's thread; must not wait for a loop.
    public struct Reactions: Sendable {
        public var found: @Sendable (Finding) -> Void = { _ in }
        /// A loop was at one thing for so long that it should get nothing more to do.
        public var loopBlocked: @Sendable () -> Void = {}
        /// Makes readable what an interpreter says of a thread's stack.
        public var formatStack: @Sendable (String) -> String = { $0 }

        public init() {}
    }

    private struct State {
        var loops: [LoopWatch] = []
        var calls: [OverdueCall] = []
        var givenUp: [OverdueCall] = []
    }

    /// A loop that is at one thing for longer than this gets no new connections.
    static let patience = Duration.milliseconds(100)

    private let options: Options
    private let reactions: Reactions
    private let logger: Logger
    private let state = Mutex(State())
    private let wake: EventCounter
    private let isStopped = Atomic(false)
    private let interrupts = InterruptQueue()
    private let reader: StackReader

    public init(_ options: Options, _ reactions: Reactions, logger: Logger) throws(SystemError) {
        self.options = options
        self.reactions = reactions
        self.logger = logger
        reader = StackReader(format: reactions.formatStack)
        try ThreadStack.install()
        wake = try EventCounter()
    }

    /// Begins to watch. Once.
    public func start() throws(SystemError) {
        try DedicatedThread.start(name: "watchdog", stackSize: 1024 * 1024) { [self] in run() }
    }

    /// Ends the thread, soon.
    public func stop() {
        isStopped.store(true, ordering: .relaxed)
        wake.signal()
    }

    /// Watches a loop, from now on.
    public func watch(_ loop: any WatchedLoop) {
        let watch = LoopWatch(loop.pulse, options, reactions, reader, interrupts, logger)
        state.withLock { $0.loops.append(watch) }
    }

    /// Watches no loop any more: what blocks them from now on is the end of the sites.
    public func ignoreLoops() { state.withLock { $0.loops = [] } }

    /// Calls that did not leave in time, and have not since: nobody waits for them.
    public var callsGivenUp: Int {
        state.withLock { state in
            state.givenUp.removeAll(where: \.hasLeft)
            return state.givenUp.count
        }
    }

    /// Watches a call whose client was answered, until it has left.
    package func add(_ call: OverdueCall) {
        state.withLock { $0.calls.append(call) }
        wake.signal()
    }

    // MARK: On the thread

    private func run() {
        var calls: [CallWatch] = []
        while true {
            let before = MonotonicTime.now()
            wake.wait(within: tick)
            let late = MonotonicTime.now() - before - tick
            let (loops, new) = state.withLock { state in
                defer { state.calls = [] }
                return (state.loops, state.calls)
            }
            let now = MonotonicTime.now()
            if late > Self.oversleeping {
                logger.notice("this process did not run for \(late.logText): limits of time are extended by as much")
                for loop in loops { loop.postpone(now) }
                for call in calls { call.end = call.end + late }
            }
            for loop in loops { loop.look(now) }
            for call in new {
                let watch = CallWatch(call, now + options.grace, logger)
                // Symbols cost time: of a crowd that is late together, the first few tell enough.
                watch.report(calls.count < 16 ? reader : nil)
                if let interrupt = call.interrupt { interrupts.append(interrupt) }
                calls.append(watch)
            }
            // What was overdue at the end is named all the same.
            guard !isStopped.load(ordering: .relaxed) else { return }
            calls.removeAll { watch in
                guard let finding = watch.look(.now(), options.grace) else { return watch.isOver }
                state.withLock { $0.givenUp.append(watch.call) }
                reactions.found(finding)
                return true
            }
        }
    }

    /// Being so much too late, the process was not running: stopped by a signal, or frozen with its container.
    private static let oversleeping = Duration.seconds(2)

    private var tick: Duration {
        let shortest = min(options.grace, options.stuck ?? options.grace, .milliseconds(400))
        return max(shortest / 4, .milliseconds(10))
    }
}

/// An overdue call, as the watchdog sees it. Confined to its thread.
private final class CallWatch {
    let call: OverdueCall
    var end: MonotonicTime
    private let logger: Logger
    private let id: Logger.Metadata

    init(_ call: OverdueCall, _ end: MonotonicTime, _ logger: Logger) {
        self.call = call
        self.end = end
        self.logger = logger
        id = ["request-id": "\(call.requestID)"]
    }

    var isOver: Bool { call.hasLeft }

    /// Says, once, that the deadline has passed, and where the application stands.
    func report(_ reader: StackReader?) {
        let what =
            switch call.answer {
            case .gatewayTimeout: "was answered with 504"
            case .cutOff: "was cut off"
            case .clientGone: "was given up; its client had left"
            }
        let stack = reader.flatMap(call.standing).map { "; it stands at\n\($0)" } ?? ""
        let limit = Duration.nanoseconds(call.limit.nanoseconds).logText
        logger.error("\(call.line) took longer than \(limit) and \(what)\(stack)", metadata: id)
    }

    /// What the process has to know: that the application has not left in time.
    func look(_ now: MonotonicTime, _ grace: Duration) -> Watchdog.Finding? {
        guard !call.hasLeft, now >= end else { return nil }
        var isWhole = true
        for work in call.running where !work.replaceThread() { isWhole = false }
        logger.error("\(call.line) has not left within \(grace.logText) of its deadline", metadata: id)
        if !isWhole { logger.critical("too many threads are stuck: one more is lost until the server is restarted") }
        return .requestStuck(call.line)
    }
}

/// A thread on which things wait for an interpreter's lock, made when first needed.
final class InterruptQueue: Sendable {
    private struct State {
        var waiting: [@Sendable () -> Void] = []
        var isRunning = false
    }

    private let state = Mutex(State())

    func append(_ interrupt: @escaping @Sendable () -> Void) {
        let starts = state.withLock { state in
            state.waiting.append(interrupt)
            defer { state.isRunning = true }
            return !state.isRunning
        }
        guard starts else { return }
        do throws(SystemError) {
            try DedicatedThread.start(name: "interrupt", stackSize: 1024 * 1024) { [self] in run() }
        } catch {
            // The grace passes, and the process is replaced.
            state.withLock { $0.isRunning = false }
        }
    }

    private func run() {
        while let next = take() { next() }
    }

    private func take() -> (@Sendable () -> Void)? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isRunning = false
                return nil
            }
            return state.waiting.removeFirst()
        }
    }
}

extension Duration {
    /// Seconds with two places, as logs have them: `0.25 s`.
    var logText: String {
        let (seconds, attoseconds) = components
        let hundredths = attoseconds / 10_000_000_000_000_000
        if hundredths == 0 { return "\(seconds) s" }
        return "\(seconds).\(hundredths < 10 ? "0" : "")\(hundredths) s"
    }
}
