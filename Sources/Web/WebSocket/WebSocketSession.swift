public import Gateway
import HTTP
import NIOCore
import Synchronization

/// One client's WebSocket, as a view sees it. Receiving and sending may go on at the same time; each of the two by one
/// task at a time.
public final class WebSocketSession: Sendable {
    /// The handshake: path values, cookies, query, database.
    public let request: Request

    private struct State {
        var isAccepted = false
        var end: (code: UInt16, reason: String)?
    }

    private let state = Mutex(State())
    private let fields: Fields
    private let receiveEvent: Receive
    private let sendEvent: Send

    /// `fields` go with the response that accepts.
    init(_ request: Request, fields: Fields, _ receive: Receive, _ send: Send) {
        self.request = request
        self.fields = fields
        receiveEvent = receive
        sendEvent = send
    }

    /// What the client offers to speak, in its order of preference.
    public var subprotocols: [String] { WebSocketHandshake.subprotocols(of: request.head) }

    /// Whether the handshake was completed.
    public var isAccepted: Bool { state.withLock { $0.isAccepted } }

    /// The code it was closed with, once the end was received: 1005 without one, 1006 when the connection was lost, 1012
    /// when the server stops.
    public var closeCode: UInt16? { state.withLock { $0.end?.code } }
    /// The reason it was closed for.
    public var closeReason: String? { state.withLock { $0.end?.reason } }

    /// Completes the handshake, speaking `subprotocol` where one was agreed on. Done by itself with the first message
    /// that is sent or asked for. Throws ``ASGIError/disconnected`` when the client has left.
    public func accept(subprotocol: String? = nil) async throws {
        guard !isAccepted else { return }
        try await sendEvent(.webSocketAccept(subprotocol: subprotocol, fields: fields))
        state.withLock { $0.isAccepted = true }
    }

    /// The client's next message; nil once the socket has ended.
    public func receive() async throws -> WebSocketMessage? {
        try await accept()
        switch try await receiveEvent() {
        case .webSocketReceive(let message): return message
        case .webSocketDisconnect(let code, let reason):
            state.withLock { $0.end = (code, reason) }
            return nil
        default: return nil
        }
    }

    /// Sends a message, and waits while the connection holds as much as it should. Throws ``ASGIError/disconnected`` when
    /// the client has left.
    public func send(_ message: WebSocketMessage) async throws {
        try await accept()
        try await sendEvent(.webSocketSend(message))
    }

    /// Sends text.
    public func send(_ text: String) async throws { try await send(.text(text)) }

    /// Sends JSON, as text.
    public func send(json: JSONValue) async throws { try await send(.text(json.bytes)) }

    /// Closes the socket; before it was accepted, refuses it (403). `code` is 1000 or 3000 to 4999.
    public func close(code: UInt16 = 1000, reason: String = "") async throws {
        try await sendEvent(.webSocketClose(code: code, reason: reason))
    }

    /// Runs `body` for as long as the client is there: once it has left, or the server stops, `body` is cancelled. For
    /// sockets that only speak; what the client says is dropped. When `body` returns, the socket is closed.
    public func whileOpen(_ body: @escaping @Sendable () async throws -> Void) async throws {
        try await accept()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                do { try await body() } catch {
                    // Whoever waits for the client below learns it by the end of the socket.
                    try? await self.close(code: WebSocketCloseCode.internalError)
                    throw error
                }
                try await self.close()
            }
            while try await receive() != nil {}
            group.cancelAll()
            do { try await group.waitForAll() } catch is CancellationError {} catch ASGIError.disconnected {}
        }
    }
}
