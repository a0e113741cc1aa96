import Platform

/// What one event loop says about itself. Written by that loop alone, with plain stores; readable by anybody.
public final class LoopStatus: @unchecked Sendable {
    // Sendable: addresses are set once, the words are atomic; `inFlight`'s own memory is touched by the loop alone.

    let memory: SharedMemory
    private let start: Int
    private let busy: StatusWord
    let queueTime: HistogramCells
    private let routes: Int
    /// The requests in flight.
    public let inFlight: InFlightTable

    /// A turn that began this long ago no longer counts as recent, in nanoseconds.
    private static let lagWindow: UInt64 = 10_000_000_000

    init(_ memory: SharedMemory, at start: Int) {
        self.memory = memory
        self.start = start
        busy = StatusWord(memory.address, start)
        queueTime = HistogramCells(memory.address, start + StatusLayout.loopCounterWords)
        routes = start + StatusLayout.loopCounterWords + HistogramCells.words
        inFlight = InFlightTable(memory, at: routes + StatusLayout.routeCapacity * StatusLayout.routeWords)
    }

    @inline(__always)
    func word(_ index: Word) -> StatusWord { busy.advanced(by: index.rawValue) }

    enum Word: Int {
        case busySince, turns, busyTime, lagWindow, lag, previousLag, bytesIn, bytesOut
        case accepted, closed, started, finished, overdue
    }

    // MARK: Turns. Times are nanoseconds of the monotonic clock.

    /// Since when the loop has been at work without coming back to wait; 0 while it waits.
    public var busySince: UInt64 { word(.busySince).value }

    /// The loop has been woken.
    public func turnBegan(at now: UInt64) { word(.busySince).set(now) }

    /// The loop has done everything and is about to wait. `received` and `sent` are all bytes so far.
    public func turnEnded(at now: UInt64, began: UInt64, received: UInt64, sent: UInt64) {
        word(.busySince).set(0)
        let length = now &- began
        word(.turns).add(1)
        word(.busyTime).add(length)
        word(.bytesIn).set(received)
        word(.bytesOut).set(sent)
        if length > word(.lag).value || now &- word(.lagWindow).value > Self.lagWindow { noteLag(length, now) }
    }

    private func noteLag(_ length: UInt64, _ now: UInt64) {
        let age = now &- word(.lagWindow).value
        if age > Self.lagWindow {
            word(.previousLag).set(age > 2 * Self.lagWindow ? 0 : word(.lag).value)
            word(.lag).set(length)
            word(.lagWindow).set(now)
        } else {
            word(.lag).set(length)
        }
    }

    // MARK: Connections and requests

    /// A connection was accepted.
    public func connectionOpened() { word(.accepted).add(1) }
    /// A connection was closed.
    public func connectionClosed() { word(.closed).add(1) }
    /// A request's head has arrived. To be followed by exactly one ``requestFinished(route:status:isComplete:bytes:nanoseconds:)``.
    /// `waited` is how long it waited for the loop.
    public func requestStarted(waited: UInt64) {
        word(.started).add(1)
        queueTime.record(waited)
    }

    /// The time of a request's application is over. From any thread: a loop that is blocked cannot say so itself.
    public func requestOverdue() { word(.overdue).addShared(1) }

    /// A request is answered, or was given up.
    /// - Parameters:
    ///   - route: the route's number; negative for what matched none, as health checks and requests that cannot be read.
    ///   - status: 0 when no status was sent.
    ///   - isComplete: false when the response was cut short.
    ///   - bytes: of the response's body.
    ///   - nanoseconds: from the end of the request's head to the end of the response.
    public func requestFinished(route: Int, status: Int, isComplete: Bool, bytes: Int, nanoseconds: UInt64) {
        let row = routeRow(route)
        row.advanced(by: (100..<600).contains(status) ? status / 100 : 0).add(1)
        row.advanced(by: 6).add(UInt64(truncatingIfNeeded: bytes))
        if !isComplete { row.advanced(by: 7).add(1) }
        HistogramCells(UnsafeMutableRawPointer(row.address), 8).record(nanoseconds)
        word(.finished).add(1)
    }

    @inline(__always)
    func routeRow(_ route: Int) -> StatusWord {
        let number =
            route < 0
            ? StatusLayout.unmatched : route < StatusLayout.namedRoutes ? route : StatusLayout.otherRoutes
        return StatusWord(memory.address, routes + number * StatusLayout.routeWords)
    }

    // MARK: Reading

    /// How long requests waited for this loop.
    var waits: DurationHistogram { queueTime.value }

    /// The values now; each is exact, but they are not of one instant. `names` are those of the routes.
    func snapshot(routeNames names: [String], at now: UInt64) -> LoopSnapshot {
        var loop = LoopSnapshot()
        // What ends is read before what begins, so that differences never become negative.
        let closed = word(.closed).acquired
        let finished = word(.finished).acquired
        loop.counters.requests = finished
        loop.counters.inFlight = word(.started).value &- finished
        loop.counters.connectionsAccepted = word(.accepted).value
        loop.counters.connectionsOpen = loop.counters.connectionsAccepted &- closed
        loop.counters.overdue = word(.overdue).value
        loop.counters.bytesIn = word(.bytesIn).value
        loop.counters.bytesOut = word(.bytesOut).value
        loop.counters.turns = word(.turns).value
        loop.counters.busyNanoseconds = word(.busyTime).value
        loop.busySince = busySince
        loop.lag = recentLag(at: now)
        loop.queueTime = queueTime.value
        for (index, name) in names.enumerated() { addRoute(index, name, to: &loop) }
        addRoute(StatusLayout.namedRoutes, RouteSnapshot.others, to: &loop)
        addRoute(-1, RouteSnapshot.unmatched, to: &loop)
        return loop
    }

    private func addRoute(_ index: Int, _ name: String, to loop: inout LoopSnapshot) {
        let row = routeRow(index)
        var route = RouteSnapshot()
        for kind in route.statuses.indices { route.statuses[kind] = row.advanced(by: kind).value }
        guard route.requests > 0 else { return }
        route.bytes = row.advanced(by: 6).value
        route.incomplete = row.advanced(by: 7).value
        route.durations = HistogramCells(UnsafeMutableRawPointer(row.address), 8).value
        loop.routes[name, default: RouteSnapshot()].merge(route)
    }

    /// The longest turn of the last ten to twenty seconds, the one that has not ended included.
    private func recentLag(at now: UInt64) -> UInt64 {
        let age = now &- word(.lagWindow).value
        var lag: UInt64 = 0
        if age <= 2 * Self.lagWindow { lag = word(.lag).value }
        if age <= Self.lagWindow { lag = max(lag, word(.previousLag).value) }
        let began = busySince
        return began != 0 && now > began ? max(lag, now - began) : lag
    }
}
