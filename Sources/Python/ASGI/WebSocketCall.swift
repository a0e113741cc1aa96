import CPython
import Gateway
import HTTP
import Logging
import NIOCore

/// One WebSocket of an ASGI application (WebSocket spec 2.5).
final class WebSocketCall: NativeCall {
    private enum Phase {
        /// The handshake waits for the application's answer.
        case connecting
        case open(any WebSocket)
        /// The handshake is refused with a response of the application's own.
        case responding(ResponseHead, length: Int?)
        case streaming
        case closed
    }

    private let exchange: any Exchange
    private let context: ASGIContext
    private var phase = Phase.connecting
    private var hasSentConnect = false
    /// Why it is over, once it is.
    private var disconnect: (code: UInt16, reason: String)?
    private var waiting: [Awaitable] = []
    private var stashed: [WebSocketEvent] = []
    private var isAsking = false
    /// To be told when the application has ended.
    private var accepted: (any WebSocket)?

    init(_ exchange: any Exchange, _ context: ASGIContext) {
        self.exchange = exchange
        self.context = context
        super.init()
        pulse = context.loop.pulse
        line = exchange.request.lineBytes
        allowance = .max
    }

    /// Calls the application.
    func run(scriptName: String, path: String) {
        exchange.onClose { [weak self] in
            guard let self else { return }
            self.context.loop.enter { self.lost() }
        }
        context.loop.enter {
            do throws(PythonError) {
                try context.spawn(
                    self,
                    context.scopes.scope(
                        exchange, scriptName: scriptName, path: path, state: context.state, isWebSocket: true))
            } catch {
                phase = .closed
                context.logger.error("the application cannot be called\n\(error.traceback)")
                exchange.respond(.internalServerError, text: "500 Internal Server Error\n")
            }
        }
    }

    /// The client left before the handshake was answered.
    private func lost() {
        guard case .connecting = phase else { return }
        phase = .closed
        over(WebSocketCloseCode.abnormal, "")
    }

    // MARK: receive()

    override func receive() -> OpaquePointer? {
        let loop = context.loop
        if !hasSentConnect {
            hasSentConnect = true
            return Awaitable.ready(message(context.keys.webSocketConnect), loop)
        }
        if !stashed.isEmpty { return Awaitable.ready(message(stashed.removeFirst()), loop) }
        if let disconnect { return Awaitable.ready(disconnected(disconnect.code, disconnect.reason), loop) }
        guard let (awaitable, object) = Awaitable.waiting(loop) else { return nil }
        waiting.append(awaitable)
        ask()
        return object
    }

    private func ask() {
        guard !isAsking, case .open(let socket) = phase else { return }
        isAsking = true
        socket.receive { event in
            self.isAsking = false
            self.context.loop.enter { self.deliver(event) }
        }
    }

    private func deliver(_ event: WebSocketEvent) {
        if case .closed(let code, let reason) = event {
            phase = .closed
            return over(code, reason)
        }
        guard let awaitable = nextWaiting() else { return stashed.append(event) }
        if let message = message(event) { awaitable.resolve(message) }
        if waiting.contains(where: \.isWaiting) { ask() }
    }

    private func nextWaiting() -> Awaitable? {
        while !waiting.isEmpty {
            let awaitable = waiting.removeFirst()
            if awaitable.isWaiting { return awaitable }
        }
        return nil
    }

    /// Whoever waits hears of the end, and so does everybody who asks later.
    private func over(_ code: UInt16, _ reason: String) {
        guard disconnect == nil else { return }
        disconnect = (code, reason)
        while let awaitable = nextWaiting() {
            if let message = disconnected(code, reason) { awaitable.resolve(message) }
        }
    }

    // MARK: send(event)

    override func send(_ object: OpaquePointer) -> OpaquePointer? {
        let keys = context.keys
        guard let event = ASGIEvent(object, keys) else { return nil }
        if case .closed = phase { return sendWhenClosed(event) }
        guard exchange.isOpen || isOpenSocket else { return gone() }
        let isTaken: Bool
        switch phase {
        case .open(let socket):
            if event.isType(keys.webSocketSend) {
                isTaken = sendMessage(event, socket)
                if isTaken, !socket.isWritable { return waitUntilWritable(socket) }
            } else if event.isType(keys.webSocketClose) {
                isTaken = close(event, socket)
            } else {
                isTaken = refuse("'\(event.name)' is no event for an open WebSocket")
            }
        case .connecting:
            if event.isType(keys.webSocketAccept) {
                isTaken = accept(event)
            } else if event.isType(keys.webSocketClose) {
                isTaken = deny()
            } else if event.isType(keys.webSocketResponseStart) {
                isTaken = startResponse(event)
            } else {
                isTaken = refuse("'\(event.name)' came before 'websocket.accept'")
            }
        case .responding(let head, let length): isTaken = respond(event, head, length)
        case .streaming:
            isTaken = stream(event)
            if isTaken, exchange.isOpen, !exchange.isWritable { return waitUntilWritable() }
        case .closed: isTaken = true
        }
        return isTaken ? Py.new(context.done) : nil
    }

    private var isOpenSocket: Bool {
        if case .open(let socket) = phase { return socket.isOpen }
        return false
    }

    /// Closing what is closed does nothing; sending to it raises (S9).
    private func sendWhenClosed(_ event: ASGIEvent) -> OpaquePointer? {
        event.isType(context.keys.webSocketClose) ? Py.new(context.done) : gone()
    }

    private func gone() -> OpaquePointer? {
        Py.raise(context.loop.clientDisconnected, "the WebSocket is closed")
        return nil
    }

    private func waitUntilWritable() -> OpaquePointer? {
        guard let (awaitable, object) = Awaitable.waiting(context.loop) else { return nil }
        let loop = context.loop
        exchange.whenWritable { loop.enter { awaitable.resolve(Py.none) } }
        return object
    }

    private func waitUntilWritable(_ socket: any WebSocket) -> OpaquePointer? {
        guard let (awaitable, object) = Awaitable.waiting(context.loop) else { return nil }
        let loop = context.loop
        socket.whenWritable { loop.enter { awaitable.resolve(Py.none) } }
        return object
    }

    private func accept(_ event: ASGIEvent) -> Bool {
        var length: Int?
        guard let fields = ASGIHead.fields(event, context.keys.headers, &length) else { return false }
        guard !fields.contains("Sec-WebSocket-Protocol") else {
            return refuse("'websocket.accept' names the subprotocol by its key, not by a header")
        }
        var subprotocol: String?
        if let value = event.value(context.keys.subprotocol), !Py.isNone(value) {
            guard let name = Py.string(value), !name.isEmpty, name.utf8.allSatisfy(Token.contains) else {
                return refuse("'subprotocol' must be a str, and a token (RFC 9110 §5.6.2)")
            }
            subprotocol = name
        }
        guard PyErr_Occurred() == nil else { return false }
        guard let socket = exchange.acceptWebSocket(subprotocol: subprotocol, fields: fields) else {
            phase = .closed
            over(WebSocketCloseCode.abnormal, "")
            return gone() != nil
        }
        phase = .open(socket)
        accepted = socket
        if waiting.contains(where: \.isWaiting) { ask() }
        return true
    }

    private func sendMessage(_ event: ASGIEvent, _ socket: any WebSocket) -> Bool {
        let text = event.value(context.keys.text).flatMap { Py.isNone($0) ? nil : $0 }
        let bytes = event.value(context.keys.bytes).flatMap { Py.isNone($0) ? nil : $0 }
        guard PyErr_Occurred() == nil else { return false }
        guard socket.isOpen else { return gone() != nil }
        switch (text, bytes) {
        case (let text?, nil):
            guard let utf8 = Py.utf8(text) else { return false }
            socket.send(.text(ByteBuffer(bytes: utf8)))
        case (nil, let bytes?):
            guard let body = ASGIHead.body(bytes) else { return false }
            socket.send(.binary(body))
        default: return refuse("'websocket.send' has exactly one of 'text' and 'bytes'")
        }
        return true
    }

    private func close(_ event: ASGIEvent, _ socket: any WebSocket) -> Bool {
        let code = event.integer(context.keys.code) ?? 1000
        let reason = event.value(context.keys.reason).flatMap { Py.isNone($0) ? nil : Py.string($0) } ?? ""
        guard PyErr_Occurred() == nil else { return false }
        guard let code = UInt16(exactly: code), code == 1005 || WebSocketCloseCode.isSendable(code) else {
            return refuse("\(code) is no code that a close frame may carry")
        }
        socket.close(code: code, reason: reason)
        phase = .closed
        over(code, reason)
        return true
    }

    // MARK: Refusing the handshake

    private func deny() -> Bool {
        phase = .closed
        // Whoever asked for a WebSocket does not go on with HTTP.
        exchange.respond(
            ResponseHead(.forbidden, ["Content-Type": "text/plain; charset=utf-8", "Connection": "close"]),
            ByteBuffer(string: "403 Forbidden\n"))
        over(WebSocketCloseCode.abnormal, "")
        return true
    }

    private func startResponse(_ event: ASGIEvent) -> Bool {
        guard var start = ASGIHead.response(event, context.keys, context.heads) else { return false }
        start.head.fields.remove("Connection")
        start.head.fields.append("Connection", "close")
        phase = .responding(start.head, length: start.length)
        return true
    }

    private func respond(_ event: ASGIEvent, _ head: ResponseHead, _ length: Int?) -> Bool {
        guard let (bytes, more) = responseBody(event) else { return false }
        guard more else {
            phase = .closed
            exchange.respond(head, bytes)
            over(WebSocketCloseCode.abnormal, "")
            return true
        }
        phase = .streaming
        exchange.start(head)
        exchange.write(bytes)
        exchange.flush()
        return true
    }

    private func stream(_ event: ASGIEvent) -> Bool {
        guard let (bytes, more) = responseBody(event) else { return false }
        exchange.write(bytes)
        if more {
            exchange.flush()
        } else {
            phase = .closed
            exchange.finish()
            over(WebSocketCloseCode.abnormal, "")
        }
        return true
    }

    private func responseBody(_ event: ASGIEvent) -> (ByteBuffer, Bool)? {
        guard event.isType(context.keys.webSocketResponseBody) else {
            _ = refuse("'\(event.name)' came after 'websocket.http.response.start'")
            return nil
        }
        guard let bytes = ASGIHead.body(event.value(context.keys.body)), let more = event.flag(context.keys.moreBody)
        else { return nil }
        return (bytes, more)
    }

    private func refuse(_ message: String) -> Bool {
        Py.raise(PyExc_RuntimeError(), message)
        return false
    }

    // MARK: The end

    override func ended(_ error: OpaquePointer?) {
        let isOurs = error.map { PyObject_IsInstance($0, context.loop.clientDisconnected) == 1 } ?? false
        PyErr_Clear()
        if let error, !isOurs {
            context.logger.error(
                "the application failed\n\(PythonError(describing: error).traceback)",
                metadata: ["request-id": "\(exchange.requestID)"])
        }
        let failed = error != nil && !isOurs
        switch phase {
        case .connecting, .responding:
            if exchange.isOpen { exchange.respond(.internalServerError, text: "500 Internal Server Error\n") }
        case .streaming: exchange.abort()
        case .open(let socket):
            if failed { socket.close(code: WebSocketCloseCode.internalError, reason: "") }
        case .closed: break
        }
        phase = .closed
        over(WebSocketCloseCode.abnormal, "")
        accepted?.finish()
        accepted = nil
    }

    // MARK: Messages

    private func message(_ event: WebSocketEvent) -> OpaquePointer? {
        switch event {
        case .closed(let code, let reason): return disconnected(code, reason)
        case .message(.text(let bytes)):
            let text = bytes.withUnsafeReadableBytes {
                PyUnicode_DecodeUTF8($0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count, nil)
            }
            return message(context.keys.webSocketReceive, (context.keys.text, text), (context.keys.bytes, Py.none))
        case .message(.binary(let bytes)):
            return message(
                context.keys.webSocketReceive, (context.keys.bytes, bytes.withUnsafeReadableBytes(Py.bytes)),
                (context.keys.text, Py.none))
        }
    }

    private func disconnected(_ code: UInt16, _ reason: String) -> OpaquePointer? {
        message(
            context.keys.webSocketDisconnect, (context.keys.code, PyLong_FromLongLong(Int64(code))),
            (context.keys.reason, Py.text(reason)))
    }

    /// Takes over the references to the values; nil with an exception set.
    private func message(_ type: OpaquePointer, _ pairs: (OpaquePointer, OpaquePointer?)...) -> OpaquePointer? {
        guard let dict = PyDict_New() else { return nil }
        var isComplete = PyDict_SetItem(dict, context.keys.type, type) == 0
        for (key, value) in pairs {
            guard let value else {
                isComplete = false
                continue
            }
            isComplete = isComplete && PyDict_SetItem(dict, key, value) == 0
            Py_DecRef(value)
        }
        guard isComplete else {
            Py_DecRef(dict)
            return nil
        }
        return dict
    }
}
