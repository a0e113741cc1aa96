import Platform

/// The pool of workers at a moment, for status documents.
public struct PoolSnapshot: Equatable, Sendable {
    /// The stations of a server's life.
    public enum Phase: String, Sendable {
        /// Not every worker has been ready yet.
        case starting
        case running
        /// Replacing its workers.
        case reloading
        /// Told to stop: requests in flight are finished.
        case draining
        case ended
    }

    public var phase = Phase.starting
    /// The generation of configuration and code that serves; counts from 1.
    public var generation = 1
    /// How many workers there should be.
    public var target = 0
    /// All worker processes there are, in the order of their starting.
    public var workers: [WorkerSnapshot] = []
    /// How many workers were started to take another's place, and why.
    public var respawns: [RespawnReason: Int] = [:]
    /// Reloads and upgrades that brought in a new generation.
    public var reloads = 0
    /// Reloads and upgrades that left the old one in place.
    public var failedReloads = 0
    /// Why the last reload failed; nil when it did not.
    public var lastFailure: String?

    public init() {}
}

/// A worker process at a moment.
public struct WorkerSnapshot: Equatable, Sendable {
    /// The stations of a worker's life.
    public enum Phase: String, Sendable {
        case starting
        case ready
        case draining
        case killed
    }

    public var id: WorkerID
    /// Its place in the pool, from 0.
    public var slot: Int
    public var generation: Int
    /// Its process id; nil before there is a process.
    public var pid: Int32?
    public var phase: Phase
    /// When it was started.
    public var startedAt: MonotonicTime
    /// When it became ready; nil before.
    public var readyAt: MonotonicTime?
    /// Why it is to be replaced; nil when it is not.
    public var retiring: RetireReason?
    /// What it last said about itself.
    public var report: WorkerReport?
    /// When it last said anything.
    public var lastHeard: MonotonicTime

    public init(
        id: WorkerID, slot: Int, generation: Int, pid: Int32?, phase: Phase, startedAt: MonotonicTime,
        readyAt: MonotonicTime? = nil, retiring: RetireReason? = nil, report: WorkerReport? = nil,
        lastHeard: MonotonicTime
    ) {
        self.id = id
        self.slot = slot
        self.generation = generation
        self.pid = pid
        self.phase = phase
        self.startedAt = startedAt
        self.readyAt = readyAt
        self.retiring = retiring
        self.report = report
        self.lastHeard = lastHeard
    }
}

/// Why a worker was started in another's place.
public enum RespawnReason: String, CaseIterable, Sendable {
    /// The one before ended, though it served and nobody had asked it to end.
    case crash
    /// The one before did not become ready.
    case bootFailure = "boot-failure"
    case reload
    case upgrade
    case maxRequests = "max-requests"
    case maxAge = "max-age"
    case maxMemory = "max-memory"
    case requestStuck = "request-stuck"
    case loopStuck = "loop-stuck"

    /// The same reason, where it has led to a successor.
    public init(_ reason: RetireReason) {
        switch reason {
        case .maxRequests: self = .maxRequests
        case .maxAge: self = .maxAge
        case .maxMemory: self = .maxMemory
        case .requestStuck: self = .requestStuck
        case .loopStuck: self = .loopStuck
        }
    }
}
