/// How a pool of worker processes is kept.
public struct SupervisorOptions: Equatable, Sendable {
    /// How many workers there should be, at least 1.
    public var workers: Int
    /// The fewest and the most there may be.
    public var bounds: ClosedRange<Int>
    /// Whether the pool grows with queue time and shrinks when idle, within its bounds.
    public var isElastic = false
    /// How long an elastic pool is idle before it gives up a worker (`workers.idle`).
    public var idle: Duration = .seconds(30)
    /// How long a worker may take from its start to READY (`timeouts.start`).
    public var start: Duration
    /// How long a worker may take from DRAIN to its end (`timeouts.drain`).
    public var drain: Duration
    /// How much longer a worker that is replaced may take, for open streams (`timeouts.linger`).
    public var linger: Duration = .zero
    /// How long the pool serves after it was told to stop, while it says that it is not ready (`timeouts.pre-drain`).
    public var preDrain: Duration = .zero
    /// How much longer a worker may take to end in order, once what was in flight has been cut off.
    public var ending: Duration = .zero
    /// How many workers beyond their number may live at once while some are replaced, at least 1 (`reload.surge`).
    public var surge = 1
    /// A worker that has answered so many requests is replaced; nil for none (`workers.max-requests`).
    public var maxRequests: UInt64?
    /// A worker that has served so long is replaced (`workers.max-age`).
    public var maxAge: Duration?
    /// A worker that holds so many bytes is replaced (`workers.max-memory`).
    public var maxMemory: UInt64?
    /// By how many percent at most a worker's own limits are below the three above, so that not all reach them together
    /// (`workers.jitter`).
    public var jitter = 0
    /// A worker is stuck when an event loop has not come back for so long, or no heartbeat has come; nil for never
    /// (`timeouts.stuck`).
    public var stuck: Duration?
    /// The pause before a worker that failed is started again; it doubles with each failure in a row.
    public var backoff: Duration = .milliseconds(100)
    /// The longest such pause.
    public var backoffCap: Duration = .seconds(10)
    /// A worker that was ready this long wipes out the failures before it.
    public var stableAfter: Duration = .seconds(30)
    /// So many failed boots in a row end the supervisor, unless a worker serves (`workers.start-attempts`).
    public var bootAttempts: Int = 5
    /// How long the end of a killed worker, or of one that closed its control channel, is waited for.
    public var killGrace: Duration = .seconds(2)

    /// The most workers that signals and commands can bring, where the configuration names no limit.
    public static let mostWorkers = 256

    public init(workers: Int, start: Duration, drain: Duration) {
        self.workers = max(1, workers)
        bounds = 1...max(Self.mostWorkers, self.workers)
        self.start = start
        self.drain = drain
    }

    /// How long a worker that was told to drain may take.
    public func timeToDrain(for purpose: DrainPurpose) -> Duration {
        switch purpose {
        case .stop: drain + ending
        case .replace: drain + linger + ending
        }
    }
}
