import Platform

/// What the supervisor knows about one worker process. (The process's descriptors are in ``WorkerHandle``; what runs inside
/// it is ``WorkerControl``.)
public struct WorkerState: Equatable, Sendable {
    /// The stations of a worker's life, in order; each may be left for the end at any time.
    public enum Phase: Equatable, Sendable {
        /// Asked for, its process id not yet known.
        case spawning
        /// Started, not ready; killed at the deadline.
        case starting(deadline: MonotonicTime)
        /// Serving.
        case ready(since: MonotonicTime)
        /// Told to finish; killed at the deadline.
        case draining(deadline: MonotonicTime)
        /// Its control channel closed though nobody asked it to end; killed at the deadline if it still exists then.
        case detached(deadline: MonotonicTime)
        /// Sent SIGKILL.
        case killed

        var deadline: MonotonicTime? {
            switch self {
            case .starting(let deadline), .draining(let deadline), .detached(let deadline): deadline
            case .spawning, .ready, .killed: nil
            }
        }
    }

    public let id: WorkerID
    /// Its place in the pool, from 0: what numbers a worker in logs and metrics, and outlives the process.
    public let slot: Int
    /// Which configuration and code it runs; a rolling reload brings in the next.
    public let generation: Int
    /// Its process id, once known.
    public internal(set) var pid: Int32?
    public internal(set) var phase: Phase
    /// When it was asked for.
    public let startedAt: MonotonicTime
    /// When it became ready, if it did.
    public internal(set) var readyAt: MonotonicTime?
    /// When it last said something.
    public internal(set) var lastHeard: MonotonicTime
    /// Its last counters.
    public internal(set) var report: WorkerReport?
    /// Why it says it cannot start.
    public internal(set) var failure: String?
    /// Why it is to be replaced.
    public internal(set) var retiring: RetireReason?
    /// How it does, as seen from outside.
    var vitals = WorkerVitals()
    /// Whether it was told to finish, or will be as soon as it has a process: its place is taken or gone.
    var isLeaving = false
    /// What it was told to finish for.
    var purpose = DrainPurpose.replace
    /// Whether it was started to take the place of one that serves.
    var isReplacement = false

    /// Puts off what depends on having been heard.
    mutating func postpone(by duration: Duration) {
        lastHeard = lastHeard + duration
        switch phase {
        case .starting(let deadline): phase = .starting(deadline: deadline + duration)
        case .draining(let deadline): phase = .draining(deadline: deadline + duration)
        case .detached(let deadline): phase = .detached(deadline: deadline + duration)
        case .spawning, .ready, .killed: break
        }
    }

    /// Whether it serves and has not been told to stop.
    public var isReady: Bool {
        if case .ready = phase { true } else { false }
    }

    /// For status documents.
    public var snapshot: WorkerSnapshot {
        let station: WorkerSnapshot.Phase =
            switch phase {
            case .spawning, .starting: .starting
            case .ready: .ready
            case .draining, .detached: .draining
            case .killed: .killed
            }
        return WorkerSnapshot(
            id: id, slot: slot, generation: generation, pid: pid, phase: station, startedAt: startedAt,
            readyAt: readyAt, retiring: retiring, report: report, lastHeard: lastHeard)
    }

    /// `worker 2 (pid 4711)`: for logs. People count from 1.
    var label: String { "worker \(slot + 1)" + (pid.map { " (pid \($0))" } ?? "") }
}
