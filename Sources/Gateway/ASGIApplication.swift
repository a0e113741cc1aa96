public import HTTP
public import NIOCore

/// An asynchronous application (ASGI 3.0): called once per connection scope on the event loop, and never blocks.
public protocol ASGIApplication: Sendable {
    func callAsFunction(_ scope: Scope, _ receive: Receive, _ send: Send) async throws
}

/// What an application is called for.
public enum Scope: Sendable {
    case http(HTTPScope)
    case lifespan(LifespanScope)
}

/// One HTTP request, as a view over its head (ASGI HTTP spec 2.5).
public struct HTTPScope: Sendable {
    public let request: RequestHead
    public let connection: ConnectionInfo
    /// ASGI's `root_path`: where the application is mounted.
    public var rootPath: String
    /// What follows the mount, percent-decoded.
    public var path: String
    public let requestID: String
    /// The event loop the request is served on.
    public let eventLoop: any EventLoop

    public init(
        request: RequestHead, connection: ConnectionInfo, rootPath: String, path: String, requestID: String,
        eventLoop: any EventLoop
    ) {
        self.request = request
        self.connection = connection
        self.rootPath = rootPath
        self.path = path
        self.requestID = requestID
        self.eventLoop = eventLoop
    }
}

/// An event loop's start and end (ASGI lifespan spec 2.0).
public struct LifespanScope: Sendable {
    public init() {}
}

/// Events an application receives.
public enum ReceiveEvent: Sendable {
    case request(body: ByteBuffer, moreBody: Bool)
    case disconnect
    case startup
    case shutdown
}

/// Events an application sends.
public enum SendEvent: Sendable {
    case responseStart(ResponseHead)
    case responseBody(ByteBuffer, moreBody: Bool)
    case startupComplete
    case startupFailed(message: String)
    case shutdownComplete
    case shutdownFailed(message: String)
}

/// The two directions of a scope, as the gateway implements them.
public protocol ASGIChannel: AnyObject, Sendable {
    func receive() async throws -> ReceiveEvent
    func send(_ event: SendEvent) async throws
    /// A whole response at once: equal to `responseStart` and one last `responseBody`.
    func respond(_ head: ResponseHead, _ body: ByteBuffer) async throws
}

/// ASGI's `receive`: suspends until the next event.
public struct Receive: Sendable {
    let channel: any ASGIChannel

    public init(_ channel: any ASGIChannel) { self.channel = channel }

    public func callAsFunction() async throws -> ReceiveEvent { try await channel.receive() }
}

/// ASGI's `send`: returns when the connection has taken the event. Throws ``ASGIError/disconnected`` when the client left.
public struct Send: Sendable {
    let channel: any ASGIChannel

    public init(_ channel: any ASGIChannel) { self.channel = channel }

    public func callAsFunction(_ event: SendEvent) async throws { try await channel.send(event) }

    /// A whole response at once.
    public func respond(_ head: ResponseHead, _ body: ByteBuffer) async throws {
        try await channel.respond(head, body)
    }
}

/// What an application did that ASGI forbids, or what happened to its client.
public enum ASGIError: Error, Equatable {
    /// The client left: nothing can be sent any more. Not an error of the application.
    case disconnected
    /// The event does not belong to this scope or this moment.
    case unexpectedEvent(String)
    /// More or fewer bytes than `Content-Length` announced.
    case contentLengthMismatch
}
