import Platform
import Synchronization

/// What may be asked of a running server from any thread of its process: the supervisor's in process mode, the only one's in
/// thread mode. Whoever runs the workers takes the commands off the queue and publishes what it is doing.
public final class SupervisorCommands: Sendable {
    /// A wish.
    public enum Request: Equatable, Sendable {
        /// Bring in the configuration and code as they are now, without losing a request.
        case reload
        /// The same, with another executable: the one named, else the one on disk now where this program was started from.
        case upgrade(executable: String? = nil)
        /// So many workers from now on.
        case scale(to: Int)
        /// Finish what was begun, then end.
        case stop
        /// Tell every worker this (``WorkerControl/onTell(_:)``). Done at once; a worker with no room for it misses it.
        case tell(String)
        /// Tell every worker this, those included that start later, under a successor of this program too; what was
        /// announced before is not told any more.
        case announce(String)
    }

    /// What became of it.
    public enum Outcome: Equatable, Sendable {
        /// Done; for a stop: begun.
        case done
        /// Not even tried, and why.
        case refused(String)
        /// Tried without success, and why; the server serves as it did before.
        case failed(String)
    }

    /// Told the outcome, once, on the thread of whoever runs the workers: not to be kept waiting.
    public typealias Completion = @Sendable (Outcome) -> Void

    /// A wish with its sender.
    public struct Command: Sendable {
        public let request: Request
        public let completion: Completion
    }

    private struct State {
        var waiting: [Command] = []
        var snapshot = PoolSnapshot()
        var hasEnded = false
    }
    private let state = Mutex(State())
    private let wake: EventCounter

    public init() throws(SystemError) {
        wake = try EventCounter()
    }

    // MARK: - From any thread

    /// Sends a wish.
    public func send(_ request: Request, completion: @escaping Completion = { _ in }) {
        let isTooLate = state.withLock { state in
            if !state.hasEnded { state.waiting.append(Command(request: request, completion: completion)) }
            return state.hasEnded
        }
        if isTooLate { return completion(.refused("the server has ended")) }
        wake.signal()
    }

    /// The workers as they were when something last happened to one.
    public var snapshot: PoolSnapshot { state.withLock { $0.snapshot } }

    // MARK: - For whoever runs the workers

    /// Readable when commands wait.
    public var descriptor: Int32 { wake.descriptor }

    /// Takes the waiting commands.
    public func take() -> [Command] {
        wake.take()
        return state.withLock { state in
            defer { state.waiting = [] }
            return state.waiting
        }
    }

    /// Makes a new snapshot known.
    public func publish(_ snapshot: PoolSnapshot) {
        state.withLock { $0.snapshot = snapshot }
    }

    /// Refuses what waits and whatever comes after: nobody takes commands any more.
    public func end() {
        state.withLock { $0.hasEnded = true }
        for command in take() { command.completion(.refused("the server has ended")) }
    }
}
