public import HTTP
import NIOCore

/// A synchronous application around another one: changes the environment on the way in, the head and body on the way
/// out, or answers itself.
public protocol WSGIMiddleware: WSGIApplication {
    /// What is wrapped.
    var application: any WSGIApplication { get }
}

/// An asynchronous application around another one: changes the scope on the way in, the events on the way out, or
/// answers itself.
public protocol ASGIMiddleware: ASGIApplication {
    /// What is wrapped.
    var application: any ASGIApplication { get }
}

extension StartResponse {
    /// A `startResponse` to give to a wrapped application: `change` sees each head before it goes on.
    public func mapHead(_ change: @escaping (inout ResponseHead) throws -> Void) -> StartResponse {
        StartResponse(
            begin: { head, error in
                var head = head
                try change(&head)
                try self(head.status, head.fields, error: error)
            }, write: { try self.write($0) })
    }
}

extension Send {
    /// A `send` to give to a wrapped application, out of a function.
    public init(_ send: @escaping @Sendable (SendEvent) async throws -> Void) {
        self.init(FunctionChannel(receive: { throw ASGIError.unexpectedEvent("receive of a send") }, send: send))
    }

    /// A `send` to give to a wrapped application: `change` sees the response's head before it goes on. A whole response
    /// stays one.
    public func mapHead(_ change: @escaping @Sendable (inout ResponseHead) -> Void) -> Send {
        Send(HeadChannel(channel, change))
    }
}

extension Receive {
    /// A `receive` to give to a wrapped application, out of a function.
    public init(_ receive: @escaping @Sendable () async throws -> ReceiveEvent) {
        self.init(
            FunctionChannel(receive: receive, send: { _ in throw ASGIError.unexpectedEvent("send to a receive") }))
    }
}

/// A channel made of functions.
private final class FunctionChannel: ASGIChannel {
    private let receiveEvent: @Sendable () async throws -> ReceiveEvent
    private let sendEvent: @Sendable (SendEvent) async throws -> Void

    init(
        receive: @escaping @Sendable () async throws -> ReceiveEvent,
        send: @escaping @Sendable (SendEvent) async throws -> Void
    ) {
        receiveEvent = receive
        sendEvent = send
    }

    nonisolated(nonsending) func receive() async throws -> ReceiveEvent { try await receiveEvent() }

    nonisolated(nonsending) func send(_ event: SendEvent) async throws { try await sendEvent(event) }

    nonisolated(nonsending) func respond(_ head: ResponseHead, _ body: ByteBuffer) async throws {
        try await sendEvent(.responseStart(head))
        try await sendEvent(.responseBody(body, moreBody: false))
    }
}

/// A channel that changes the head of the response.
private final class HeadChannel: ASGIChannel {
    private let channel: any ASGIChannel
    private let change: @Sendable (inout ResponseHead) -> Void

    init(_ channel: any ASGIChannel, _ change: @escaping @Sendable (inout ResponseHead) -> Void) {
        self.channel = channel
        self.change = change
    }

    nonisolated(nonsending) func receive() async throws -> ReceiveEvent { try await channel.receive() }

    nonisolated(nonsending) func send(_ event: SendEvent) async throws {
        guard case .responseStart(var head, let trailers) = event else { return try await channel.send(event) }
        change(&head)
        try await channel.send(.responseStart(head, trailers: trailers))
    }

    nonisolated(nonsending) func respond(_ head: ResponseHead, _ body: ByteBuffer) async throws {
        var head = head
        change(&head)
        try await channel.respond(head, body)
    }
}
