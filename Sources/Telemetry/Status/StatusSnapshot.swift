import Glibc

/// What an event loop said, at one moment.
public struct LoopSnapshot: Equatable, Sendable {
    public var counters = WorkerCounters()
    /// Since when the loop has been at work without coming back to wait, on the monotonic clock in nanoseconds; 0 while it
    /// waits.
    public var busySince: UInt64 = 0
    /// The longest turn of the last seconds, in nanoseconds: so long anybody else may have waited.
    public var lag: UInt64 = 0
    /// How long requests waited for the loop.
    public var queueTime = DurationHistogram()
    /// By the route's name; only those that had requests.
    public var routes: [String: RouteSnapshot] = [:]
    public var inFlight: [InFlightRequest] = []
}

/// What became of the requests of one route.
public struct RouteSnapshot: Equatable, Sendable {
    /// The name under which requests are counted that matched no route.
    public static let unmatched = "-"
    /// The name for all routes beyond those that are counted by themselves.
    public static let others = "…"

    /// Without a status, then 1xx to 5xx.
    public var statuses: [UInt64] = [0, 0, 0, 0, 0, 0]
    /// Of response bodies.
    public var bytes: UInt64 = 0
    /// Responses that were cut short.
    public var incomplete: UInt64 = 0
    public var durations = DurationHistogram()

    public init() {}

    public var requests: UInt64 { statuses.reduce(0, &+) }

    public mutating func merge(_ other: RouteSnapshot) {
        for index in statuses.indices { statuses[index] &+= other.statuses[index] }
        bytes &+= other.bytes
        incomplete &+= other.incomplete
        durations.merge(other.durations)
    }
}

/// A request that is being answered.
public struct InFlightRequest: Equatable, Sendable {
    /// On the monotonic clock, in nanoseconds.
    public var began: UInt64
    public var route: String
    public var method: String
    /// As it was sent, without the query; the first bytes of a long one.
    public var path: String
    public var id: UInt64
}

/// What the threads for synchronous work said.
public struct ThreadsSnapshot: Equatable, Sendable {
    public var threads: UInt64 = 0
    public var busy: UInt64 = 0
    public var queued: UInt64 = 0
    public var refused: UInt64 = 0
    /// How often, and how long in nanoseconds, the interpreter's lock was waited for.
    public var lockWaits: UInt64 = 0
    public var lockWaitNanoseconds: UInt64 = 0
    /// How long jobs waited for a thread.
    public var queueTime = DurationHistogram()

    public init() {}

    /// Adds what another has counted; what is now (threads, busy, queued) too.
    public mutating func merge(_ other: ThreadsSnapshot) {
        threads &+= other.threads
        busy &+= other.busy
        queued &+= other.queued
        refused &+= other.refused
        lockWaits &+= other.lockWaits
        lockWaitNanoseconds &+= other.lockWaitNanoseconds
        queueTime.merge(other.queueTime)
    }
}

/// What a worker, or several together, said.
public struct StatusSnapshot: Equatable, Sendable {
    /// The sum over the loops.
    public var counters = WorkerCounters()
    public var loops: [LoopSnapshot] = []
    public var routes: [String: RouteSnapshot] = [:]
    public var queueTime = DurationHistogram()
    public var threads = ThreadsSnapshot()
    /// What the code of sites has counted.
    public var metrics = UserMetrics()
    public var isReady = false

    public init() {}

    /// How long requests took, over all routes.
    public var durations: DurationHistogram {
        routes.values.reduce(into: DurationHistogram()) { $0.merge($1.durations) }
    }

    /// The requests in flight, the oldest first.
    public var inFlight: [InFlightRequest] { loops.flatMap(\.inFlight).sorted { $0.began < $1.began } }

    /// Adds what another has counted, without its loops.
    public mutating func merge(_ other: StatusSnapshot) {
        counters.merge(other.counters)
        for (name, route) in other.routes { routes[name, default: RouteSnapshot()].merge(route) }
        queueTime.merge(other.queueTime)
        threads.merge(other.threads)
        metrics.merge(other.metrics)
    }

    /// What stays of a worker that is gone: its counts, and nothing that was only true while it lived.
    public var past: StatusSnapshot {
        var past = self
        past.loops = []
        past.isReady = false
        past.metrics = metrics.past
        past.counters.inFlight = 0
        past.counters.connectionsOpen = 0
        (past.threads.threads, past.threads.busy, past.threads.queued) = (0, 0, 0)
        return past
    }
}

extension StatusRegion {
    /// The values now; each is exact, but they are not of one instant. Called from any thread of any process.
    public func snapshot() -> StatusSnapshot {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        let now = UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
        let names = routeNames
        var status = StatusSnapshot()
        for loop in loops {
            var part = loop.snapshot(routeNames: names, at: now)
            part.inFlight = loop.inFlight.snapshot(routeNames: names)
            for route in part.routes.values { part.counters.add(statuses: route.statuses) }
            status.counters.merge(part.counters)
            status.queueTime.merge(part.queueTime)
            for (name, route) in part.routes { status.routes[name, default: RouteSnapshot()].merge(route) }
            status.loops.append(part)
        }
        status.threads = pool.snapshot
        status.counters.queueRejects = status.threads.refused
        status.metrics = metrics.snapshot
        status.isReady = isReady
        return status
    }

    /// How long requests waited for the loops, and jobs for a thread.
    public func queueTimes() -> (loops: DurationHistogram, threads: DurationHistogram) {
        let loops = loops.reduce(into: DurationHistogram()) { $0.merge($1.waits) }
        return (loops, pool.snapshot.queueTime)
    }
}
