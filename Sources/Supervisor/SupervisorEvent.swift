import Platform

/// What happens to a supervisor.
public enum SupervisorEvent: Equatable, Sendable {
    /// The beginning.
    case start
    /// Time has passed; sent at the latest when ``SupervisorState/nextDeadline`` is reached.
    case tick
    /// The supervisor did not run for so long though it should have (SIGSTOP, a frozen container): nobody is to be punished for
    /// that time. Sent before anything that was waiting.
    case overslept(Duration)
    /// A worker's process exists.
    case spawned(WorkerID, pid: Int32)
    /// A worker's process could not be made.
    case spawnFailed(WorkerID, SystemError)
    /// A worker said something.
    case message(WorkerID, ControlMessage)
    /// How a worker does, as seen from outside.
    case vitals(WorkerID, WorkerVitals)
    /// A worker's end of the control channel closed.
    case channelClosed(WorkerID)
    /// A child ended; it need not be a worker (process 1 inherits orphans).
    case exited(pid: Int32, ProcessStatus)
    /// A signal came.
    case signal(Signal)
    /// A command came; answered by ``SupervisorAction/answer(_:_:)`` with this number.
    case command(Int, SupervisorCommands.Request)
    /// A file that asks for a reload changed.
    case fileChanged(String)
    /// What was to be prepared is there: sockets are bound, the configuration is valid.
    case prepared(generation: Int, SupervisorOptions)
    /// It is not, and why; nothing is left of it.
    case preparationFailed(generation: Int, String)
    /// The new program did not take over, and why.
    case handOverFailed(String)
    /// Something without which there is no sense in serving is gone for good: finish, and say so by the exit status.
    case giveUp(String)
}

/// What a supervisor does about it.
public enum SupervisorAction: Equatable, Sendable {
    /// Start a process; answered by `spawned` or `spawnFailed`.
    case spawn(WorkerID, slot: Int, generation: Int)
    /// Say DRAIN to a worker.
    case drain(WorkerID, DrainPurpose)
    /// Say something else to a worker.
    case tell(WorkerID, ControlMessage)
    /// Pass on what a worker has told.
    case told(String)
    /// Send a worker a signal.
    case kill(WorkerID, pid: Int32, Signal)
    /// Let go of the worker's control channel: it has ended.
    case forget(WorkerID)
    /// Read the configuration and bind sockets for a new generation; answered by `prepared` or `preparationFailed`, later.
    case prepare(generation: Int, Rollout.Kind)
    /// No worker of the generation accepts any more, and none will: close the sockets that only it has.
    case dropGeneration(Int)
    /// The generation has taken over: its sockets are the ones that people may be told of.
    case announceGeneration(Int)
    /// Become the program that the generation runs; answered by `handOverFailed` or never.
    case handOver(generation: Int, answering: [Int])
    /// Close the supervisor's own copies of the listening sockets and remove Unix sockets' files.
    case closeListeners
    /// All workers of the first generation are ready, for the first time.
    case announceReady
    /// Tell whoever sent the command what became of it.
    case answer(Int, SupervisorCommands.Outcome)
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
