import Glibc
import Platform
import Synchronization

/// Why a worker should finish.
public enum DrainReason: Equatable, Sendable {
    /// The supervisor said so, and what for.
    case requested(DrainPurpose)
    /// The supervisor is gone; nobody will start a successor.
    case supervisorGone
    /// Somebody sent this worker SIGTERM.
    case signal
}

/// A worker's own view of its life: what it was given, and the line to its supervisor. (The supervisor's view is
/// ``WorkerState``.)
///
/// A worker's duties:
/// 1. Make the object first thing in `main`; register ``onDrain(_:)``; load; begin to accept; then call ``ready()``.
/// 2. On drain: accept what already waits in the listening sockets' queues until there is nothing left (EAGAIN), then close
///    the listeners. The supervisor closes its own at the same time, and when the last copy is closed the kernel resets what
///    is still queued. Then finish what is in flight and exit with status 0.
///
/// A drain that takes longer than `timeouts.drain` is ended by the supervisor, or, when that is gone, from here.
public final class WorkerControl: Sendable {
    /// This process in the supervisor's life.
    public let id: WorkerID
    /// The worker's place in the pool, from 0.
    public let slot: Int
    /// The generation of configuration and code it belongs to.
    public let generation: Int
    /// The sockets to accept from, in the order the supervisor was given them.
    public let listeners: [ListeningSocket]
    /// The bytes that the supervisor hands to all workers: the configuration.
    public let payload: [UInt8]

    private let channel: ControlChannel
    private let drainLimit: Duration
    private let terminate: @Sendable (Int32) -> Void

    private struct State {
        var isReady = false
        var drainReason: DrainReason?
        var onTell: (@Sendable (String) -> Void)?
        /// What was told before anybody listened.
        var untold: [String] = []
        var onDrain: (@Sendable (DrainReason) -> Void)?
        var onHurry: (@Sendable () -> Void)?
        var onUnready: (@Sendable () -> Void)?
        var onReopenLogs: (@Sendable () -> Void)?
        var attachments: [String: Int32] = [:]
    }
    private let state = Mutex(State())

    /// Reads the supervisor's instructions from the environment, removes them from there, and begins to listen to the
    /// supervisor and to SIGTERM on a thread of its own. From here on SIGINT and SIGHUP (which a terminal sends to the whole
    /// group) have no effect, nor has SIGPIPE.
    public static func fromEnvironment(_ environment: [String: String]) throws(WorkerControlError) -> WorkerControl {
        let launch = try WorkerLaunch(environment: environment)
        for name in [WorkerLaunch.descriptorsVariable, WorkerLaunch.workerVariable] { unsetenv(name) }
        let control = try WorkerControl(launch: launch) { _exit($0) }
        do {
            try Signal.brokenPipe.ignore()
            // Watched and dropped rather than ignored, because programs the sites start would inherit that.
            let signals = try SignalSource([
                .terminate, .interrupt, .hangUp, .user1, .user2, .moreWorkers, .fewerWorkers,
            ])
            try control.start(signals: signals)
        } catch {
            throw .system(error)
        }
        return control
    }

    init(launch: WorkerLaunch, terminate: @escaping @Sendable (Int32) -> Void) throws(WorkerControlError) {
        var listeners: [ListeningSocket] = []
        for number in launch.listeners {
            do {
                listeners.append(try ListeningSocket(inheriting: number))
            } catch {
                throw .listener(error)
            }
        }
        let config = Descriptor(adopting: launch.config)
        let control = Descriptor(adopting: launch.control)
        do {
            try control.setCloseOnExec(true)
            payload = try MemoryFile.contents(of: config)
        } catch {
            throw .system(error)
        }
        self.listeners = listeners
        id = launch.id
        slot = launch.slot
        generation = launch.generation
        drainLimit = launch.drain
        channel = ControlChannel(adopting: control)
        self.terminate = terminate
        do {
            for number in launch.attachments.values { try Descriptor.setCloseOnExec(number) }
        } catch {
            throw .system(error)
        }
        var attachments = launch.attachments
        if let image = attachments.removeValue(forKey: WorkerLaunch.image) { _ = Descriptor(adopting: image) }
        state.withLock { [attachments] in $0.attachments = attachments }
    }

    /// What the supervisor attached under this name (``SupervisorObserver/attachments(for:)``), once; nil when there is no such
    /// thing or it was taken before.
    public func attachment(_ name: String) -> Descriptor? {
        guard let number = state.withLock({ $0.attachments.removeValue(forKey: name) }) else { return nil }
        return Descriptor(adopting: number)
    }

    /// What to do when it is time to finish; called once, on the control thread. To be registered before ``ready()``: a worker
    /// that is told to finish before it is ready ends at once, for nothing is in flight.
    public func onDrain(_ action: @escaping @Sendable (DrainReason) -> Void) {
        state.withLock { $0.onDrain = action }
    }

    /// What to do when the server stops while this worker, which was replaced, has open streams; on the control thread.
    public func onHurry(_ action: @escaping @Sendable () -> Void) { state.withLock { $0.onHurry = action } }

    /// What to do when readiness is to be denied while requests are still served; on the control thread.
    public func onUnready(_ action: @escaping @Sendable () -> Void) { state.withLock { $0.onUnready = action } }

    /// What to do when log files are to be opened anew; on the control thread.
    public func onReopenLogs(_ action: @escaping @Sendable () -> Void) { state.withLock { $0.onReopenLogs = action } }

    /// What to do with what the supervisor passes on (``SupervisorCommands/Request/tell(_:)``): called for what has come
    /// already, and then on the control thread. Not to be kept waiting.
    public func onTell(_ action: @escaping @Sendable (String) -> Void) {
        state.withLock { state in
            // Under the lock, so that nothing overtakes.
            for text in state.untold { action(text) }
            state.untold = []
            state.onTell = action
        }
    }

    /// Tells the supervisor that this worker serves.
    public func ready() {
        state.withLock { $0.isReady = true }
        channel.send(.ready, waits: true)
    }

    /// Tells the supervisor that this worker lives, with its counters. Never waits: a heartbeat for which there is no room is
    /// dropped.
    public func heartbeat(_ report: WorkerReport) {
        channel.send(.heartbeat(report))
    }

    /// Tells whoever set up the supervisor something (``SupervisorProcess/Setup/onTold``).
    public func tell(_ text: String) {
        channel.send(.tell(text), waits: true)
    }

    /// Asks the supervisor for a successor; when that is ready, this worker is told to drain. May be called from any thread, and
    /// more than once.
    public func retire(_ reason: RetireReason) {
        channel.send(.retire(reason), waits: true)
    }

    /// Tells the supervisor why this worker cannot start; the caller exits after it, with status 78 when another try would not
    /// help.
    public func failed(_ reason: String) {
        channel.send(.failed(reason), waits: true)
    }

    /// Starts the control thread.
    func start(signals: SignalSource?) throws(SystemError) {
        try DedicatedThread.start(name: "control", stackSize: 256 * 1024) { [self] in listen(signals) }
    }

    private func listen(_ signals: SignalSource?) {
        var deadline: MonotonicTime?
        var terminations = 0
        var isClosed = false
        while true {
            let isDraining = deadline != nil
            var waiting = [
                // A closed channel would be readable for ever.
                pollfd(fd: isClosed ? -1 : channel.descriptor.rawValue, events: Int16(POLLIN), revents: 0),
                pollfd(fd: signals?.descriptor ?? -1, events: Int16(POLLIN), revents: 0),
            ]
            _ = poll(&waiting, nfds_t(waiting.count), deadline.map { ($0 - .now()).pollMilliseconds } ?? -1)

            if let deadline, deadline <= .now() {
                terminate(1)
                return
            }
            var reason: DrainReason?
            for signal in signals?.take() ?? [] where signal == .terminate {
                terminations += 1
                reason = .signal
            }
            if terminations > 1 { return terminate(0) }
            if !isClosed {
                switch channel.receive() {
                case .message(.drain(.stop)):
                    reason = .requested(.stop)
                    if isDraining { state.withLock { $0.onHurry }?() }
                case .message(.drain(.replace)): reason = .requested(.replace)
                case .message(.tell(let text)): told(text)
                case .message(.unready): state.withLock { $0.onUnready }?()
                case .message(.reopenLogs): state.withLock { $0.onReopenLogs }?()
                case .closed:
                    isClosed = true
                    reason = .supervisorGone
                case .message, .unknown, .nothing: break
                }
            }
            if let reason, !isDraining {
                deadline = .now() + drainLimit + .seconds(1)
                guard begin(reason) else { return }
            }
        }
    }

    private func told(_ text: String) {
        let action = state.withLock { state in
            if state.onTell == nil { state.untold.append(text) }
            return state.onTell
        }
        action?(text)
    }

    /// Begins the drain; false when that ended the process (in tests: would have).
    private func begin(_ reason: DrainReason) -> Bool {
        let action = state.withLock { state -> (@Sendable (DrainReason) -> Void)? in
            state.drainReason = reason
            return state.isReady ? state.onDrain : nil
        }
        guard let action else {
            terminate(0)
            return false
        }
        action(reason)
        return true
    }

    /// Why this worker is finishing; nil while it is not.
    public var drainReason: DrainReason? { state.withLock { $0.drainReason } }
}
