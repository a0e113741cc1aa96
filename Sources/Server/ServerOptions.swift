public import NIOCore

/// How connections are served.
public struct ServerOptions: Sendable {
    public var limits = ParserLimits()
    public var timeouts = ServerTimeouts()
    /// Connections one event loop holds at a time; beyond it, new ones wait in the kernel's queue.
    public var connectionLimit = 10_000
    /// Bytes of an unread request body that are read and dropped after the response so that the connection can stay
    /// open; with more left it closes.
    public var discardLimit = 256 * 1024
    public var webSocket = WebSocketOptions()
    /// The value of `Server`; nil leaves the field out.
    public var serverField: String? = "portico"

    public init() {}
}

/// How long a connection may take for each step.
public struct ServerTimeouts: Sendable {
    /// From the first byte of a head, or the connection's beginning, to the head's end (408).
    public var header: TimeAmount = .seconds(10)
    /// Between two pieces of a request body (408).
    public var body: TimeAmount = .seconds(30)
    /// Without the client taking any of the response (the connection closes).
    public var write: TimeAmount = .seconds(30)
    /// For a site to answer, or to move its answer on (504, or the connection closes); nil for ever. An exchange may have
    /// its own: ``Exchange/timeLimit``.
    public var request: TimeAmount? = .seconds(60)
    /// The shortest limit that exchanges are given.
    public var shortestRequest: TimeAmount?
    /// Between a response and the next request's first byte (the connection closes).
    public var keepAlive: TimeAmount = .seconds(15)
    /// How long a closing connection goes on reading, so that the client sees the answer instead of a reset.
    public var linger: TimeAmount = .seconds(5)

    public init() {}

    /// How often connections are looked at: often enough for the shortest timeout, rarely enough to cost nothing.
    var sweepInterval: TimeAmount {
        Self.sweepInterval(
            for: [header, body, write, keepAlive, linger] + [request, shortestRequest].compactMap { $0 })
    }

    /// As ``sweepInterval``, for these timeouts.
    static func sweepInterval(for timeouts: [TimeAmount]) -> TimeAmount {
        let shortest = timeouts.map(\.nanoseconds).min() ?? 0
        return .nanoseconds(min(max(shortest / 4, 20_000_000), 500_000_000))
    }
}
