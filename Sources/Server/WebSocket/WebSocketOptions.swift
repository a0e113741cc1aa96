public import NIOCore

/// How WebSockets are served.
public struct WebSocketOptions: Sendable {
    /// A message's size in bytes, after inflating; larger ones close the socket (1009).
    public var maxSize = 16 << 20
    /// A client that was silent for so long is sent a ping; zero sends none.
    public var pingInterval: TimeAmount = .seconds(20)
    /// Without anything from the client for so long after a ping, the connection counts as lost; zero waits for ever.
    public var pingTimeout: TimeAmount = .seconds(20)
    /// Whether messages are compressed when the client offers it (permessage-deflate, RFC 7692).
    public var compresses = true

    public init() {}
}

extension ServerOptions {
    /// How often WebSockets are looked at.
    var webSocketSweepInterval: TimeAmount {
        let pings = [webSocket.pingInterval, webSocket.pingTimeout].filter { $0 > .zero }
        return ServerTimeouts.sweepInterval(for: pings + [timeouts.write, timeouts.linger])
    }
}
