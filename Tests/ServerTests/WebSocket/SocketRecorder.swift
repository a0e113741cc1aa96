import Gateway
import HTTP
import NIOCore
import Synchronization

@testable import Server

/// What an application was told, written down for the test's thread.
final class SocketRecorder: Sendable {
    private let all = Mutex<[String]>([])

    var events: [String] { all.withLock { $0 } }

    func note(_ event: String) { all.withLock { $0.append(event) } }

    func note(_ event: WebSocketEvent) {
        switch event {
        case .message(.text(let bytes)): note("text \(String(buffer: bytes).prefix(40))")
        case .message(.binary(let bytes)): note("binary \(bytes.readableBytes)")
        case .closed(let code, let reason): note("closed \(code) \(reason)")
        }
    }
}

/// Accepts and sends every message back, noting what happens; ends with the socket.
func echoSocket(_ recorder: SocketRecorder? = nil) -> @Sendable (any Exchange) -> Void {
    { exchange in
        if exchange.refusesWebSocketHandshake() { return }
        guard let socket = exchange.acceptWebSocket(subprotocol: nil, fields: [:]) else {
            return exchange.respond(.ok, text: "no socket")
        }
        echo(socket, recorder)
    }
}

private func echo(_ socket: any WebSocket, _ recorder: SocketRecorder?) {
    socket.receive { event in
        recorder?.note(event)
        switch event {
        case .message(let message):
            socket.send(message)
            echo(socket, recorder)
        case .closed: socket.finish()
        }
    }
}

extension TestServer {
    /// A client after a handshake that was granted; `fields` are lines that end in CR LF, `behind` follows in the same
    /// packet. The response's head is given to `head`.
    func openSocket(
        fields: String = "", behind: [UInt8] = [], head: (String) -> Void = { _ in }
    ) throws -> TestClient {
        let client = try connect()
        try client.send(Array(Self.handshake(fields).utf8) + behind)
        head(try client.read(through: "\r\n\r\n"))
        return client
    }

    /// RFC 6455 §1.2's own example.
    static func handshake(_ fields: String = "") -> String {
        "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\(fields)\r\n"
    }
}
