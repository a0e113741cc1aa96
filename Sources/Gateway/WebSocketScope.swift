public import HTTP
public import NIOCore

/// One WebSocket, from its handshake on (ASGI WebSocket spec 2.5).
public struct WebSocketScope: Sendable {
    /// The head of the handshake.
    public let request: RequestHead
    public let connection: ConnectionInfo
    /// ASGI's `root_path`: where the application is mounted.
    public var rootPath: String
    /// What follows the mount, percent-decoded.
    public var path: String
    public let requestID: String
    /// The event loop the socket is served on.
    public let eventLoop: any EventLoop
    /// What the client offers to speak, in its order of preference.
    public let subprotocols: [String]
    /// What the application kept at its start: a copy.
    public var state: [String: any Sendable]

    public init(
        request: RequestHead, connection: ConnectionInfo, rootPath: String, path: String, requestID: String,
        eventLoop: any EventLoop, state: [String: any Sendable] = [:]
    ) {
        self.request = request
        self.connection = connection
        self.rootPath = rootPath
        self.path = path
        self.requestID = requestID
        self.eventLoop = eventLoop
        self.state = state
        subprotocols = WebSocketHandshake.subprotocols(of: request)
    }

    /// `ws` or `wss`.
    public var scheme: String { connection.isSecure ? "wss" : "ws" }
}
