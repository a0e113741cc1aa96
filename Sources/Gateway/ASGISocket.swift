import HTTP
import Logging
import NIOCore

/// The channel of one WebSocket to an asynchronous application: the handshake as the application decides, then messages
/// both ways (ASGI WebSocket spec 2.5).
final class ASGISocket: ASGIChannel, @unchecked Sendable {
    // Sendable by confinement: everything stored is touched on the loop alone; calls from elsewhere go there first.

    private enum Phase {
        /// The handshake is unanswered.
        case connecting
        case open(any WebSocket)
        /// The handshake is being refused by a response of the application's own.
        case responding
        /// Refused, or lost before it was answered.
        case refused
    }

    /// Whoever waits for the next event.
    private enum Waiter {
        case onLoop(UnsafeContinuation<ReceiveEvent, Never>)
        case elsewhere(UnsafeContinuation<Result<ReceiveEvent, ASGIError>, Never>)
    }

    private let exchange: any Exchange
    private let executor: LoopExecutor
    /// Refuses the handshake as any request is answered.
    private let response: ASGIExchange
    private var phase = Phase.connecting
    private var hasConnected = false
    private var isClosedByApplication = false
    /// What has arrived while the call that asks for it is still on the stack.
    private var arrived: ReceiveEvent?
    private var isAsked = false
    private var waiter: Waiter?

    init(
        _ exchange: any Exchange, _ executor: LoopExecutor, scriptName: String, path: String, state: LifespanState?
    ) {
        self.exchange = exchange
        self.executor = executor
        response = ASGIExchange(
            exchange, on: executor.eventLoop, scriptName: scriptName, path: path, state: state)
        exchange.onClose { [weak self] in self?.clientLeft() }
    }

    private var eventLoop: any EventLoop { executor.eventLoop }

    // MARK: Receive

    nonisolated(nonsending) func receive() async throws -> ReceiveEvent {
        guard eventLoop.inEventLoop else { return try await receiveFromElsewhere() }
        if let event = try nextEvent() { return event }
        return await withUnsafeContinuation { waiter = .onLoop($0) }
    }

    private nonisolated(nonsending) func receiveFromElsewhere() async throws -> ReceiveEvent {
        let result: Result<ReceiveEvent, ASGIError> = await withUnsafeContinuation { continuation in
            eventLoop.execute {
                do throws(ASGIError) {
                    if let event = try self.nextEvent() {
                        continuation.resume(returning: .success(event))
                    } else {
                        self.waiter = .elsewhere(continuation)
                    }
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }

    /// The next event if it is there; without one the caller waits in `waiter`.
    private func nextEvent() throws(ASGIError) -> ReceiveEvent? {
        guard waiter == nil else { throw .unexpectedEvent("receive is already waited for") }
        guard hasConnected else {
            hasConnected = true
            return .webSocketConnect
        }
        switch phase {
        case .connecting: return nil
        case .responding, .refused: return Self.lost
        case .open(let socket):
            if !isAsked { ask(socket) }
            defer { arrived = nil }
            return arrived
        }
    }

    private static let lost = ReceiveEvent.webSocketDisconnect(code: WebSocketCloseCode.abnormal, reason: "")

    private func ask(_ socket: any WebSocket) {
        isAsked = true
        socket.receive { event in
            self.isAsked = false
            let event: ReceiveEvent =
                switch event {
                case .message(let message): .webSocketReceive(message)
                case .closed(let code, let reason): .webSocketDisconnect(code: code, reason: reason)
                }
            if !self.resume(event) { self.arrived = event }
        }
    }

    /// Gives `event` to whoever waits for one, who goes on at once; false when nobody does.
    @discardableResult
    private func resume(_ event: ReceiveEvent) -> Bool {
        guard let waiter else { return false }
        self.waiter = nil
        switch waiter {
        case .onLoop(let continuation): executor.resume(continuation, returning: event)
        case .elsewhere(let continuation): continuation.resume(returning: .success(event))
        }
        return true
    }

    /// Before the handshake was answered.
    private func clientLeft() {
        guard case .connecting = phase else { return }
        phase = .refused
        resume(Self.lost)
    }

    // MARK: Send

    nonisolated(nonsending) func send(_ event: SendEvent) async throws {
        guard eventLoop.inEventLoop else { return try await sendFromElsewhere(event) }
        guard try take(event) else { return }
        await withUnsafeContinuation { continuation in whenWritable { continuation.resume() } }
        guard isOpen else { throw ASGIError.disconnected }
    }

    private nonisolated(nonsending) func sendFromElsewhere(_ event: SendEvent) async throws {
        let error: ASGIError? = await withUnsafeContinuation { continuation in
            eventLoop.execute {
                do throws(ASGIError) {
                    guard try self.take(event) else { return continuation.resume(returning: nil) }
                    self.whenWritable { continuation.resume(returning: self.isOpen ? nil : .disconnected) }
                } catch {
                    continuation.resume(returning: error)
                }
            }
        }
        if let error { throw error }
    }

    nonisolated(nonsending) func respond(_ head: ResponseHead, _ body: ByteBuffer) async throws {
        try await send(.webSocketResponseStart(head))
        try await send(.webSocketResponseBody(body, moreBody: false))
    }

    private var isOpen: Bool {
        if case .open(let socket) = phase { socket.isOpen } else { exchange.isOpen }
    }

    private func whenWritable(_ ready: @escaping () -> Void) {
        if case .open(let socket) = phase { socket.whenWritable(ready) } else { exchange.whenWritable(ready) }
    }

    /// Takes one event; true when the connection should be waited for before the next.
    private func take(_ event: SendEvent) throws(ASGIError) -> Bool {
        switch phase {
        case .connecting: return try answer(event)
        case .open(let socket): return try take(event, socket)
        case .responding:
            guard case .webSocketResponseBody(let bytes, let isMore) = event else {
                throw .unexpectedEvent("another event than the rest of the response")
            }
            return try response.take(.responseBody(bytes, moreBody: isMore))
        case .refused:
            // What comes after its own refusal is ignored; a client that has left is worth telling.
            if isClosedByApplication { return false }
            throw .disconnected
        }
    }

    /// The answer to the handshake.
    private func answer(_ event: SendEvent) throws(ASGIError) -> Bool {
        guard hasConnected else { throw .unexpectedEvent("an answer before the connection was received") }
        switch event {
        case .webSocketAccept(let subprotocol, let fields):
            guard !fields.contains("Sec-WebSocket-Protocol") else {
                throw .unexpectedEvent("Sec-WebSocket-Protocol among the fields: it is the subprotocol's")
            }
            guard let socket = exchange.acceptWebSocket(subprotocol: subprotocol, fields: fields) else {
                clientLeft()
                throw .disconnected
            }
            phase = .open(socket)
            if waiter != nil { ask(socket) }
            return false
        case .webSocketClose:
            guard exchange.isOpen else { throw .disconnected }
            isClosedByApplication = true
            phase = .refused
            ErrorPage.send(.forbidden, on: exchange)
        case .webSocketResponseStart(let head):
            var head = head
            head.fields.append("Connection", "close")
            _ = try response.take(.responseStart(head))
            isClosedByApplication = true
            phase = .responding
        default: throw .unexpectedEvent("no answer to the handshake")
        }
        resume(Self.lost)
        return false
    }

    private func take(_ event: SendEvent, _ socket: any WebSocket) throws(ASGIError) -> Bool {
        switch event {
        case .webSocketSend(let message):
            guard socket.isOpen else {
                if isClosedByApplication { return false }
                throw .disconnected
            }
            socket.send(message)
            return !socket.isWritable
        case .webSocketClose(let code, let reason):
            guard WebSocketCloseCode.isSendable(code) else { throw .unexpectedEvent("a close with code \(code)") }
            isClosedByApplication = true
            socket.close(code: code, reason: reason)
            return false
        case .webSocketAccept: throw .unexpectedEvent("a second accept")
        default: throw .unexpectedEvent("no event of an open WebSocket")
        }
    }

    // MARK: End

    /// The application has returned, or thrown `error`. On the loop.
    func end(_ error: (any Error)?, logger: Logger) {
        switch phase {
        case .connecting, .responding: response.end(error, logger: logger)
        case .open(let socket):
            if let error, error as? ASGIError != .disconnected {
                log(error, logger)
                socket.close(code: WebSocketCloseCode.internalError, reason: "")
            }
            socket.finish()
        case .refused:
            if let error, error as? ASGIError != .disconnected { log(error, logger) }
            // A client that left while its handshake waited is still owed an end.
            if !exchange.hasStarted { exchange.abort() }
        }
        phase = .refused
    }

    private func log(_ error: any Error, _ logger: Logger) {
        logger.error(
            "the application failed",
            metadata: ["request-id": "\(exchange.requestID)", "error": "\(String(reflecting: error))"])
    }
}
