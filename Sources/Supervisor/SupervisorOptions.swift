/// How a pool of worker processes is kept.
public struct SupervisorOptions: Equatable, Sendable {
    /// How many workers there should be, at least 1.
    public var workers: Int
    /// How long a worker may take from its start to READY (`timeouts.start`).
    public var start: Duration
    /// How long a worker may take from DRAIN to its end (`timeouts.drain`).
    public var drain: Duration
    /// How much longer a worker may take to end in order, once what was in flight has been cut off.
    public var ending: Duration = .zero
    /// The pause before a worker that failed is started again; it doubles with each failure in a row.
    public var backoff: Duration = .milliseconds(100)
    /// The longest such pause.
    public var backoffCap: Duration = .seconds(10)
    /// A worker that was ready this long wipes out the failures before it.
    public var stableAfter: Duration = .seconds(30)
    /// So many failed boots in a row, none ever having succeeded, end the supervisor.
    public var bootAttempts: Int = 5
    /// How long the end of a killed worker, or of one that closed its control channel, is waited for.
    public var killGrace: Duration = .seconds(2)

    public init(workers: Int, start: Duration, drain: Duration) {
        self.workers = max(1, workers)
        self.start = start
        self.drain = drain
    }
}
