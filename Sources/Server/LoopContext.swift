import Gateway
import HTTP
import Logging
import NIOCore

/// What the connections of one event loop share. Confined to that loop.
final class LoopContext {
    let eventLoop: ServerLoop
    private(set) var options: ServerOptions
    private(set) var handler: any ExchangeHandler
    let observer: (any ServerObserver)?
    let logger: Logger
    /// ``ServerTimeouts/request`` in nanoseconds, 0 for none.
    let requestLimit: Int64
    let connections: ConnectionRegistry
    let webSockets: WebSocketRegistry
    let flushes: FlushQueue
    /// Memory for the next request.
    var spare = SpareMemory()
    /// Takes connections over, with what was received on them and is not answered; true when it has. Set once there is
    /// another server that goes on with them.
    private(set) var successor: ((CInt, [UInt8]) -> Bool)?
    /// Set once the server is to end: no connection is kept alive any more.
    private(set) var drainTimes: DrainTimes?
    /// Connections that were cut off because their time was up.
    private(set) var cutOffCount = 0
    /// `Date` and `Server` as they go into each response, made anew by the sweep.
    private(set) var commonFields: [UInt8] = []

    private let idPrefix: UInt64
    private var idCounter: UInt64 = 0

    init(
        eventLoop: ServerLoop, options: ServerOptions, handler: any ExchangeHandler,
        observer: (any ServerObserver)?, logger: Logger
    ) {
        self.eventLoop = eventLoop
        self.options = options
        self.handler = handler
        self.observer = observer
        requestLimit = options.timeouts.request.map { max(1, $0.nanoseconds) } ?? 0
        self.logger = logger
        connections = ConnectionRegistry(eventLoop: eventLoop, interval: options.timeouts.sweepInterval)
        flushes = FlushQueue(eventLoop)
        webSockets = WebSocketRegistry(eventLoop: eventLoop, interval: options.webSocketSweepInterval)
        idPrefix = UInt64.random(in: .min ... .max)
        connections.onSweep = { [unowned self] in refreshCommonFields() }
        refreshCommonFields()
        eventLoop.turnObserver = observer
    }

    var isDraining: Bool { drainTimes != nil }

    /// From now on every response closes its connection, and what takes longer ends at its time.
    func beginDraining(_ limits: DrainLimits) {
        guard drainTimes == nil else { return }
        let now = NIODeadline.now()
        let times = DrainTimes(limits, from: now)
        drainTimes = times
        connections.beginDraining()
        connections.forEach { $0.limitSilence(times, at: now) }
        guard limits.linger > .zero else { return webSockets.restartAll() }
        eventLoop.assumeIsolated().scheduleTask(deadline: times.lingerEnd) { [webSockets] in webSockets.restartAll() }
    }

    /// From now on connections go to `successor`: those that wait for a request at once, the others when they next do.
    func handOver(to successor: @escaping (CInt, [UInt8]) -> Bool) {
        self.successor = successor
        connections.forEach { $0.handOver() }
    }

    /// The time of those who linger is over.
    func endLinger() {
        let now = NIODeadline.now()
        guard var times = drainTimes, times.lingerEnd > now else { return }
        times.endLinger(at: now)
        drainTimes = times
        connections.forEach { $0.limitSilence(times, at: now) }
        webSockets.restartAll()
    }

    func noteCutOff() { cutOffCount += 1 }

    /// From now on requests are answered by another; those that were begun stay with whom they are.
    func reconfigure(_ options: ServerOptions, _ handler: any ExchangeHandler) {
        self.options = options
        self.handler = handler
        refreshCommonFields()
    }

    /// What draining waits for.
    var unfinishedCount: Int { connections.count + webSockets.count }

    /// Closes one connection that waits for a next request, to make room.
    func closeOneIdle() {
        var isClosed = false
        connections.forEach { connection in
            if !isClosed && connection.hasIdled { isClosed = connection.closeIfIdle() }
        }
    }

    /// A number for a request, of which text is unique among the workers of a site for any practical purpose.
    func makeRequestID() -> RequestID {
        idCounter &+= 1
        // An odd multiplier permutes the counter, so that neighbours do not look alike.
        return .number(idPrefix ^ (idCounter &* 0x9E37_79B9_7F4A_7C15))
    }

    private func refreshCommonFields() {
        var bytes = Array("Date: \(HTTPDate.now.text)\r\n".utf8)
        if let server = options.serverField { bytes.append(contentsOf: "Server: \(server)\r\n".utf8) }
        commonFields = bytes
    }
}
