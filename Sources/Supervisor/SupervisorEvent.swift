import Platform

/// What happens to a supervisor.
public enum SupervisorEvent: Equatable, Sendable {
    /// The beginning.
    case start
    /// Time has passed; sent at the latest when ``SupervisorState/nextDeadline`` is reached.
    case tick
    /// A worker's process exists.
    case spawned(WorkerID, pid: Int32)
    /// A worker's process could not be made.
    case spawnFailed(WorkerID, SystemError)
    /// A worker said something.
    case message(WorkerID, ControlMessage)
    /// A worker's end of the control channel closed.
    case channelClosed(WorkerID)
    /// A child ended; it need not be a worker (process 1 inherits orphans).
    case exited(pid: Int32, ProcessStatus)
    /// A signal came.
    case signal(Signal)
}

/// What a supervisor does about it.
public enum SupervisorAction: Equatable, Sendable {
    /// Start a process; answered by `spawned` or `spawnFailed`.
    case spawn(WorkerID, slot: Int, generation: Int)
    /// Say DRAIN to a worker.
    case drain(WorkerID, DrainPurpose)
    /// Send a worker a signal.
    case kill(WorkerID, pid: Int32, Signal)
    /// Let go of the worker's control channel: it has ended.
    case forget(WorkerID)
    /// Close the supervisor's own copies of the listening sockets and remove Unix sockets' files.
    case closeListeners
    /// All workers of the first generation are ready, for the first time.
    case announceReady
    /// Tell people.
    case log(SupervisorLog)
    /// End with this exit status. No more events are expected.
    case exit(Int32)
}

/// A line for the log.
public struct SupervisorLog: Equatable, Sendable {
    public enum Level: Equatable, Sendable { case debug, info, notice, warning, error }

    public var level: Level
    public var message: String

    public init(_ level: Level, _ message: String) {
        self.level = level
        self.message = message
    }
}
