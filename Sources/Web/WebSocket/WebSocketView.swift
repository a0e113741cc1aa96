/// A view of a WebSocket: what Django Channels calls a consumer. It stands in the URL table as any view does:
/// `path("<int:id>/live/", LiveResults(), name: "live")`.
///
/// ```swift
/// struct Echo: WebSocketView {
///     func serve(_ socket: WebSocketSession) async throws {
///         try await socket.accept()
///         while let message = try await socket.receive() { try await socket.send(message) }
///     }
/// }
/// ```
///
/// It runs on the event loop and must not block: what does goes through ``Request/onThread(_:)``. It needs the gateway
/// `asgi`; through `wsgi` its path is answered 501. An ordinary request for it is answered 426.
public protocol WebSocketView: View {
    /// Whether pages of other sites may open it. By default only pages of the same host and of
    /// ``SiteSettings/trustedOrigins`` may: a browser sends its cookies along whoever asks, and nothing else protects a
    /// socket that acts on them.
    var allowsAnyOrigin: Bool { get }
    /// Speaks with one client, from its handshake to its end. Returning closes the socket with 1000, an error with 1011;
    /// before ``WebSocketSession/accept(subprotocol:)``, an ``HTTPError`` is answered by its page and the handshake fails.
    func serve(_ socket: WebSocketSession) async throws
}

extension WebSocketView {
    public var allowsAnyOrigin: Bool { false }
    public var function: ViewFunction { .webSocket(self) }
}

/// An ordinary request for a WebSocket's path (426, RFC 9110 §15.5.22).
struct UpgradeRequired: HTTPError {
    let status: Status
    var message: String { "This address is for WebSockets." }

    init(_ request: Request) {
        // WSGI knows no WebSockets, and no fields to ask for one.
        status = request.isOnWorkerThread ? .notImplemented : .upgradeRequired
    }

    var fields: Fields {
        status == .upgradeRequired
            ? ["Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"] : Fields()
    }
}
