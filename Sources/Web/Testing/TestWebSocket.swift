public import Gateway
import HTTP
import NIOCore
import Synchronization

/// A WebSocket in memory, from the client's side; see ``TestClient/webSocket(_:fields:)``.
public final class TestWebSocket: Sendable {
    private let channel: SocketChannel

    init(_ channel: SocketChannel) { self.channel = channel }

    /// The response that refused the handshake; nil when it was granted.
    public var refusal: TestResponse? { channel.refusal }
    /// The subprotocol the site chose.
    public var subprotocol: String? { channel.accepted?.subprotocol }

    /// The site's next message; nil once it has closed the socket.
    public func receive() async -> WebSocketMessage? { await channel.sent.next() }

    /// The site's next message as text; nil for a binary one, and at the end.
    public func receiveText() async -> String? {
        guard case .text(let bytes)? = await receive() else { return nil }
        return String(buffer: bytes)
    }

    /// Sends a message.
    public func send(_ message: WebSocketMessage) { channel.received.put(.webSocketReceive(message)) }

    /// Closes the socket, and waits until the site is done with it.
    public func close(code: UInt16 = 1000) async {
        channel.close(code, "")
        await ended()
    }

    /// The code the site closed it with, once it has.
    public var closeCode: UInt16? { channel.closeCode }

    /// Waits until the site is done with the socket. Throws nothing: what the view threw is ``failure``.
    public func ended() async { _ = await channel.ended.next() }

    /// What the view threw; nil while it runs, and when it ended in order.
    public var failure: (any Error)? { channel.failure }
}

/// ASGI's two directions of a WebSocket in memory.
final class SocketChannel: ASGIChannel {
    private struct State {
        var accepted: (subprotocol: String?, fields: Fields)?
        var head: ResponseHead?
        var body = ByteBuffer()
        var closeCode: UInt16?
        var disconnect: ReceiveEvent?
        var failure: (any Error)?
    }

    private let state = Mutex(State())
    /// From the client.
    let received = Mailbox<ReceiveEvent>()
    /// To the client.
    let sent = Mailbox<WebSocketMessage>()
    /// Closed when the handshake was answered, and when the application has returned.
    let answered = Mailbox<Void>()
    let ended = Mailbox<Void>()

    init() { received.put(.webSocketConnect) }

    var accepted: (subprotocol: String?, fields: Fields)? { state.withLock { $0.accepted } }
    var closeCode: UInt16? { state.withLock { $0.closeCode } }
    var failure: (any Error)? { state.withLock { $0.failure } }
    var refusal: TestResponse? {
        state.withLock { state in state.head.map { TestResponse(head: $0, body: state.body) } }
    }

    /// Ends the socket, from either side.
    func close(_ code: UInt16, _ reason: String) {
        state.withLock { state in
            if state.disconnect == nil { state.disconnect = .webSocketDisconnect(code: code, reason: reason) }
        }
        received.end()
        sent.end()
    }

    func end(_ error: (any Error)?) {
        state.withLock { $0.failure = error }
        answered.end()
        sent.end()
        ended.end()
    }

    func receive() async throws -> ReceiveEvent {
        if let event = await received.next() { return event }
        return state.withLock { $0.disconnect } ?? .webSocketDisconnect(code: 1006, reason: "")
    }

    func send(_ event: SendEvent) async throws {
        switch event {
        case .webSocketAccept(let subprotocol, let fields):
            state.withLock { $0.accepted = (subprotocol, fields) }
            answered.end()
        case .webSocketSend(let message):
            guard state.withLock({ $0.disconnect == nil }) else { throw ASGIError.disconnected }
            sent.put(message)
        case .webSocketClose(let code, let reason):
            let wasAccepted = state.withLock { state in
                if state.accepted == nil { state.head = ResponseHead(.forbidden) }
                if state.disconnect == nil { state.closeCode = code }
                return state.accepted != nil
            }
            close(code, reason)
            if !wasAccepted { answered.end() }
        case .webSocketResponseStart(let head): state.withLock { $0.head = head }
        case .webSocketResponseBody(let bytes, let isMore):
            state.withLock { _ = $0.body.writeImmutableBuffer(bytes) }
            if !isMore { answered.end() }
        default: throw ASGIError.unexpectedEvent("\(event)")
        }
    }

    func respond(_ head: ResponseHead, _ body: ByteBuffer) async throws {
        try await send(.webSocketResponseStart(head))
        try await send(.webSocketResponseBody(body, moreBody: false))
    }
}

/// Elements for whoever asks, one at a time.
final class Mailbox<Element: Sendable>: Sendable {
    private struct State {
        var elements: [Element] = []
        var waiters: [CheckedContinuation<Element?, Never>] = []
        var hasEnded = false
    }

    private let state = Mutex(State())

    func put(_ element: Element) {
        let waiter = state.withLock { state -> CheckedContinuation<Element?, Never>? in
            guard state.waiters.isEmpty else { return state.waiters.removeFirst() }
            state.elements.append(element)
            return nil
        }
        waiter?.resume(returning: element)
    }

    /// After what is there, `next` is nil.
    func end() {
        let waiters = state.withLock { state in
            defer { state.waiters = [] }
            state.hasEnded = true
            return state.waiters
        }
        for waiter in waiters { waiter.resume(returning: nil) }
    }

    func next() async -> Element? {
        await withCheckedContinuation { continuation in
            let now = state.withLock { state -> Element?? in
                if !state.elements.isEmpty { return .some(state.elements.removeFirst()) }
                if state.hasEnded { return .some(nil) }
                state.waiters.append(continuation)
                return nil
            }
            if let now { continuation.resume(returning: now) }
        }
    }
}
