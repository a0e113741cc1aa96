import Gateway
import HTTP
import Logging
import NIOCore

/// What the connections of one event loop share. Confined to that loop.
final class LoopContext {
    let eventLoop: ServerLoop
    let options: ServerOptions
    let handler: any ExchangeHandler
    let observer: (any ServerObserver)?
    /// Whether the observer wants to know how long exchanges take.
    let wantsDurations: Bool
    let logger: Logger
    /// ``ServerTimeouts/request`` in nanoseconds, 0 for none.
    let requestLimit: Int64
    let connections: ConnectionRegistry
    let webSockets: WebSocketRegistry
    /// Memory for the next request.
    var spare = SpareMemory()
    /// Set once the worker is to stop: no connection is kept alive any more.
    private(set) var isDraining = false
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
        wantsDurations = observer?.wantsDurations ?? false
        self.logger = logger
        connections = ConnectionRegistry(eventLoop: eventLoop, interval: options.timeouts.sweepInterval)
        webSockets = WebSocketRegistry(eventLoop: eventLoop, interval: options.webSocketSweepInterval)
        idPrefix = UInt64.random(in: .min ... .max)
        connections.onSweep = { [unowned self] in refreshCommonFields() }
        refreshCommonFields()
    }

    /// From now on every response closes its connection, and every WebSocket is told to come back to somebody else.
    func beginDraining() {
        isDraining = true
        webSockets.restartAll()
    }

    /// What draining waits for.
    var unfinishedCount: Int { connections.count + webSockets.count }

    /// Closes the connections on which no request was begun.
    func closeIdle() { connections.forEach { $0.closeIfIdle() } }

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
