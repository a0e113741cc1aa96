import Gateway
import HTTP
import NIOCore

/// The way from a request to a WebSocket (RFC 6455 §4.2.2).
extension HTTP1Exchange {
    var isWebSocketHandshake: Bool {
        if case .valid = WebSocketHandshake(request) { true } else { false }
    }

    func acceptWebSocket(subprotocol: String?, fields: Fields) -> (any WebSocket)? {
        guard let link, response == .pending, !link.isInputClosed,
            case .valid(let key) = WebSocketHandshake(request)
        else { return nil }
        let compression =
            loop.options.webSocket.compresses
            ? DeflateAgreement(offers: request.fields.values("Sec-WebSocket-Extensions")) : nil
        var own: Fields = [
            "Upgrade": "websocket", "Connection": "Upgrade",
            "Sec-WebSocket-Accept": AcceptKey.answer(to: request.string(key)),
        ]
        if let subprotocol { own.append("Sec-WebSocket-Protocol", subprotocol) }
        if let compression { own.append("Sec-WebSocket-Extensions", compression.response) }
        status = .switchingProtocols
        let head = ResponseEncoder.switchingProtocols(own, fields, common: loop.commonFields)
        return handOver(link) {
            WebSocketConnection(
                loop: $0.loop, socket: $0.socket, compression: compression, head: head, input: $0.input)
        }
    }

    /// Ends the exchange without a response of its own, and gives its connection to what `make` makes.
    private func handOver(
        _ link: HTTP1Connection, _ make: (HTTP1Connection) -> WebSocketConnection
    ) -> WebSocketConnection? {
        response = .complete
        report(isComplete: true)
        lastInfo = link.info
        self.link = nil
        clearCallbacks()
        return link.hand(to: make)
    }
}

extension HTTP1Connection {
    /// Leaves the socket to another handler, with what was received and not yet read.
    func hand(to make: (HTTP1Connection) -> WebSocketConnection) -> WebSocketConnection? {
        guard socket.isOpen, case .exchange = phase else { return nil }
        let successor = make(self)
        phase = .closed
        exchange = nil
        input = ByteBuffer()
        loop.connections.remove(self)
        successor.begin()
        return successor
    }
}

extension ResponseEncoder {
    /// The head of the response that completes a handshake: `own` fields of the protocol, then the application's others.
    static func switchingProtocols(_ own: Fields, _ fields: Fields, common: [UInt8]) -> ByteBuffer {
        var buffer = ByteBuffer()
        buffer.reserveCapacity(512 + fields.wire.count)
        writeStatusLine(.switchingProtocols, into: &buffer)
        buffer.writeBytes(own.wire)
        for line in fields.lines where !isOfHandshake(line) { buffer.writeBytes(fields.wire[line.range]) }
        writeCommon(common, facts(of: fields), into: &buffer)
        buffer.writeStaticString("\r\n")
        return buffer
    }

    private static func isOfHandshake(_ line: Fields.Line) -> Bool {
        if line.name.lowercased().hasPrefix("sec-websocket-") { return true }
        return ["Connection", "Upgrade", "Content-Length", "Transfer-Encoding", "Keep-Alive"].contains {
            line.isNamed($0)
        }
    }
}
