import Platform

/// What is known about one program. (Its descriptors are in ``ProgramProcess``.)
public struct ProgramState: Equatable, Sendable {
    /// The stations of its life.
    public enum Phase: Equatable, Sendable {
        /// For what it needs.
        case waiting
        /// Asked for, its process id not yet known.
        case spawning
        /// Runs, and is not ready; killed at the deadline, and ready by itself at `readyAt`.
        case starting(deadline: MonotonicTime, readyAt: MonotonicTime?)
        case ready(since: MonotonicTime)
        /// Ended with a failure, or to be started again anyway: at this time.
        case pausing(until: MonotonicTime)
        /// Asked to stop; killed at the deadline.
        case stopping(deadline: MonotonicTime)
        /// Sent SIGKILL; no longer waited for after the deadline.
        case killed(deadline: MonotonicTime)
        /// Ended by itself, as it may, and is not started again.
        case finished
        /// Given up.
        case failed
        /// Stopped because it was asked to.
        case stopped
    }

    public internal(set) var declaration: ProgramDeclaration
    public internal(set) var phase: Phase = .waiting
    /// Its process id, while it runs.
    public internal(set) var pid: Int32?
    /// Failures in a row.
    public internal(set) var failures = 0
    /// How often it was started.
    public internal(set) var starts = 0
    /// How it ended the last time.
    public internal(set) var lastStatus: ProcessStatus?
    /// Ends in a row that came soon after the start: what the pauses grow with.
    var shortRuns = 0
    /// Whether its end is wanted.
    var isAskedToStop = false
    /// What takes its place when it has stopped.
    var successor: ProgramDeclaration?
    /// Whether it goes when it has stopped.
    var isRemoved = false

    init(_ declaration: ProgramDeclaration) { self.declaration = declaration }

    public var name: String { declaration.name }

    /// Whether there is a process, or will be in a moment.
    var isAlive: Bool {
        switch phase {
        case .spawning, .starting, .ready, .stopping, .killed: true
        case .waiting, .pausing, .finished, .failed, .stopped: false
        }
    }

    /// Whether those that need it may start.
    public var isReady: Bool {
        switch phase {
        // What has not been ready is not finished when it ends, but has failed.
        case .ready, .finished: true
        default: false
        }
    }

    var deadline: MonotonicTime? {
        switch phase {
        case .starting(let deadline, let readyAt): min(deadline, readyAt ?? deadline)
        case .pausing(let time), .stopping(let time), .killed(let time): time
        case .waiting, .spawning, .ready, .finished, .failed, .stopped: nil
        }
    }

    /// `program redis (pid 4711)`: for logs.
    var label: String { "program \(name)" + (pid.map { " (pid \($0))" } ?? "") }
}

/// What happens to programs.
public enum ProgramEvent: Equatable, Sendable {
    /// The beginning.
    case start
    /// Time has passed; sent at the latest when ``ProgramsState/nextDeadline`` is reached.
    case tick
    /// A process exists.
    case spawned(String, pid: Int32)
    /// A process could not be made.
    case spawnFailed(String, SystemError)
    /// What was asked for as a sign of readiness has been seen.
    case becameReady(String, pid: Int32)
    /// A process ended, and with it all of its group; nil when its status is not known.
    case exited(pid: Int32, ProcessStatus?)
    /// Stop all, in reverse order.
    case stop
    /// End all, at once.
    case kill
    /// From now on these are to run; what has not changed runs on.
    case update([ProgramDeclaration])
}

/// What is to be done about programs.
public enum ProgramAction: Equatable, Sendable {
    /// Start a process; answered by `spawned` or `spawnFailed`.
    case spawn(String)
    /// Send a signal to a process group.
    case signal(String, pid: Int32, Signal)
    /// What the workers need is ready, for the first time.
    case workersMayStart
    /// A program without which the server is of no use was given up.
    case giveUp(String)
    /// Nothing runs any more.
    case allStopped
    case log(SupervisorLog)
}
