public import HTTP
public import NIOCore

/// An asynchronous application (ASGI 3.0): called once per connection scope on the event loop, and never blocks.
public protocol ASGIApplication: Sendable {
    func callAsFunction(_ scope: Scope, _ receive: Receive, _ send: Send) async throws
}

/// What an application is called for.
public enum Scope: Sendable {
    case http(HTTPScope)
    case webSocket(WebSocketScope)
    case lifespan(LifespanScope)
}

/// An event loop's start and end (ASGI lifespan spec 2.0).
public struct LifespanScope: Sendable {
    /// What the application keeps for its requests and sockets on this loop.
    public let state: LifespanState

    public init(state: LifespanState = LifespanState()) { self.state = state }
}

/// Events an application receives.
public enum ReceiveEvent: Sendable {
    case request(body: ByteBuffer, moreBody: Bool)
    case disconnect
    /// A handshake, to be answered by `webSocketAccept`, `webSocketClose` or a response.
    case webSocketConnect
    case webSocketReceive(WebSocketMessage)
    /// The socket has ended; delivered again to whoever asks again. The codes are those of ``WebSocketEvent/closed``.
    case webSocketDisconnect(code: UInt16, reason: String)
    case startup
    case shutdown
}

/// Events an application sends.
public enum SendEvent: Sendable {
    /// With `trailers`, the response is complete only after `responseTrailers`.
    case responseStart(ResponseHead, trailers: Bool = false)
    case responseBody(ByteBuffer, moreBody: Bool)
    /// Fields after the body (extension `http.response.trailers`); they reach clients that take them.
    case responseTrailers(Fields, moreTrailers: Bool)
    /// What the page will need (extension `http.response.early_hint`): one value of `Link` each, sent ahead as 103. After
    /// `responseStart` and before the body.
    case responseEarlyHint(links: [String])
    /// The whole body out of the file at this absolute path (extension `http.response.pathsend`).
    case responsePath(String)
    /// Part of the body out of an open file (extension `http.response.zerocopysend`), by default from where it stands to
    /// its end. The descriptor stays the application's, and may be closed when `send` returns.
    case responseFile(descriptor: Int32, offset: Int? = nil, count: Int? = nil, moreBody: Bool)
    /// Completes the handshake. `Sec-WebSocket-Protocol` is `subprotocol`'s, and an error among the fields.
    case webSocketAccept(subprotocol: String? = nil, fields: Fields = Fields())
    case webSocketSend(WebSocketMessage)
    /// Closes the socket; before it was accepted, refuses it with 403.
    case webSocketClose(code: UInt16 = 1000, reason: String = "")
    /// Refuses the handshake by a response of the application's own (extension `websocket.http.response`).
    case webSocketResponseStart(ResponseHead)
    case webSocketResponseBody(ByteBuffer, moreBody: Bool)
    case startupComplete
    case startupFailed(message: String)
    case shutdownComplete
    case shutdownFailed(message: String)
}

/// The two directions of a scope, as the gateway implements them.
///
/// `nonisolated(nonsending)`: on the way to the connection a call stays where its caller runs, which is the event loop;
/// each change of executor that is not asked for costs as much as the rest of the call.
public protocol ASGIChannel: AnyObject, Sendable {
    nonisolated(nonsending) func receive() async throws -> ReceiveEvent
    nonisolated(nonsending) func send(_ event: SendEvent) async throws
    /// A whole response at once: equal to `responseStart` and one last `responseBody`.
    nonisolated(nonsending) func respond(_ head: ResponseHead, _ body: ByteBuffer) async throws
    /// As ``respond(_:_:)`` where that needs no waiting; false, and nothing is done, where it does.
    func respondAtOnce(_ head: ResponseHead, _ body: ByteBuffer) throws -> Bool
}

extension ASGIChannel {
    public func respondAtOnce(_ head: ResponseHead, _ body: ByteBuffer) throws -> Bool { false }
}

/// ASGI's `receive`: suspends until the next event.
public struct Receive: Sendable {
    @usableFromInline let channel: any ASGIChannel

    public init(_ channel: any ASGIChannel) { self.channel = channel }

    @inlinable
    public nonisolated(nonsending) func callAsFunction() async throws -> ReceiveEvent { try await channel.receive() }
}

/// ASGI's `send`: returns when the connection has taken the event. Throws ``ASGIError/disconnected`` when the client left.
public struct Send: Sendable {
    @usableFromInline let channel: any ASGIChannel

    public init(_ channel: any ASGIChannel) { self.channel = channel }

    @inlinable
    public nonisolated(nonsending) func callAsFunction(_ event: SendEvent) async throws {
        try await channel.send(event)
    }

    /// A whole response at once.
    @inlinable
    public nonisolated(nonsending) func respond(_ head: ResponseHead, _ body: ByteBuffer) async throws {
        // A call that waits for nothing needs no frame to wait in.
        if try channel.respondAtOnce(head, body) { return }
        try await channel.respond(head, body)
    }
}

/// What an application did that ASGI forbids, or what happened to its client.
public enum ASGIError: Error, Equatable {
    /// The client left: nothing can be sent any more. Not an error of the application.
    case disconnected
    /// The event does not belong to this scope or this moment.
    case unexpectedEvent(String)
    /// A file that was to be the body cannot be read.
    case unreadableFile(String)
    /// More or fewer bytes than `Content-Length` announced.
    case contentLengthMismatch
}
