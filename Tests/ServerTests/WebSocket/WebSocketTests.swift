import Gateway
import HTTP
import NIOCore
import Synchronization
import Testing

@testable import Server

/// WebSockets over real connections.
@Suite(.serialized) struct WebSocketTests {
    @Test func completesTheHandshake() throws {
        let server = try TestServer { exchange in
            let socket = exchange.acceptWebSocket(
                subprotocol: "superchat", fields: ["X-App": "yes", "Sec-WebSocket-Accept": "no", "Connection": "close"])
            socket?.finish()
        }
        defer { server.stop() }
        let client = try server.openSocket(fields: "Sec-WebSocket-Protocol: chat, superchat\r\n") { head in
            let lines = head.split(separator: "\r\n")
            #expect(lines.first == "HTTP/1.1 101 Switching Protocols")
            #expect(lines.contains("Upgrade: websocket") && lines.contains("Connection: Upgrade"))
            #expect(lines.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="))
            #expect(lines.contains("Sec-WebSocket-Protocol: superchat") && lines.contains("X-App: yes"))
            #expect(lines.filter { $0.hasPrefix("Sec-WebSocket-Accept") || $0.hasPrefix("Connection") }.count == 2)
            #expect(lines.contains { $0.hasPrefix("Date: ") } && lines.contains("Server: portico"))
            #expect(!head.contains("Content-Length") && !head.contains("Transfer-Encoding"))
        }
        // An application that ends closes its socket.
        #expect(try client.readFrame().code == 1000)
    }

    @Test(arguments: ["", "hello", String(repeating: "kóσμε ", count: 50_000)])
    func echoes(_ text: String) throws {
        let server = try TestServer(echoSocket())
        defer { server.stop() }
        let client = try server.openSocket()
        try client.send(ClientFrames.text(text))
        #expect(try client.readFrame() == .init(first: 0x81, payload: Array(text.utf8)))
        try client.send(ClientFrames.frame(0x82, Array(text.utf8)))
        #expect(try client.readFrame() == .init(first: 0x82, payload: Array(text.utf8)))
    }

    /// S11: what came in the same packet as the request, and a request in front of it.
    @Test func losesNothingOfThePacketOfTheHandshake() throws {
        let server = try TestServer(echoSocket())
        defer { server.stop() }
        let client = try server.connect()
        let ordinary = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        try client.send(
            Array((ordinary + TestServer.handshake()).utf8) + ClientFrames.text("one") + ClientFrames.frame(0x89, [7])
                + ClientFrames.text("two"))
        #expect(try client.read(through: "no socket").hasPrefix("HTTP/1.1 200 OK"))
        #expect(try client.read(through: "\r\n\r\n").hasPrefix("HTTP/1.1 101 "))
        #expect(try client.readFrame() == .init(first: 0x81, payload: Array("one".utf8)))
        #expect(try client.readFrame() == .init(first: 0x8A, payload: [7]))
        #expect(try client.readFrame() == .init(first: 0x81, payload: Array("two".utf8)))
    }

    /// The application answers the handshake later, from the loop; frames have arrived meanwhile.
    @Test func waitsForTheApplication() throws {
        let held = HeldExchange()
        let server = try TestServer { held.hold($0) }
        defer { server.stop() }
        let client = try server.connect()
        try client.send(Array(TestServer.handshake().utf8) + ClientFrames.text("early"))
        held.release(echoSocket())
        #expect(try client.read(through: "\r\n\r\n").hasPrefix("HTTP/1.1 101 "))
        #expect(try client.readFrame().payload == Array("early".utf8))
        try client.send(ClientFrames.text("late"))
        #expect(try client.readFrame().payload == Array("late".utf8))
    }

    @Test func answersAnInvalidHandshake() throws {
        let server = try TestServer(echoSocket())
        defer { server.stop() }
        let old = TestServer.handshake("Connection: close\r\n").replacing("Version: 13", with: "Version: 8")
        let response = try server.exchange(old)
        #expect(response.hasPrefix("HTTP/1.1 426 Upgrade Required\r\n"))
        #expect(
            response.contains("\r\nSec-WebSocket-Version: 13\r\n") && response.contains("\r\nUpgrade: websocket\r\n"))
        #expect(response.contains("\r\nConnection: Upgrade\r\n") && response.contains("\r\nConnection: close\r\n"))
        let keyless = TestServer.handshake("Connection: close\r\n").replacing("dGhlIHNhbXBsZSBub25jZQ==", with: "short")
        #expect(try server.exchange(keyless).hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
    }

    /// A refused handshake is an ordinary response, and the connection goes on.
    @Test func refusesAsAnyRequest() throws {
        let server = try TestServer { $0.respond(.forbidden, text: "not you") }
        defer { server.stop() }
        let client = try server.connect()
        for _ in 0..<2 {
            try client.send(TestServer.handshake())
            #expect(try client.read(through: "not you").hasPrefix("HTTP/1.1 403 Forbidden\r\n"))
        }
    }

    @Test func answersPingsInOrder() throws {
        let server = try TestServer(echoSocket())
        defer { server.stop() }
        let client = try server.openSocket()
        try client.send((0..<10).flatMap { ClientFrames.frame(0x89, [$0]) })
        for number in 0..<10 as Range<UInt8> {
            #expect(try client.readFrame() == .init(first: 0x8A, payload: [number]))
        }
    }

    struct Ending: Sendable {
        let sent: [UInt8]
        let answer: Int?
        let told: String
    }

    /// What ends a socket from the client's side, what it gets for it, and what the application is told.
    @Test(arguments: [
        Ending(sent: ClientFrames.close(1000, "bye"), answer: 1000, told: "closed 1000 bye"),
        Ending(sent: ClientFrames.close(4321), answer: 4321, told: "closed 4321 "),
        Ending(sent: ClientFrames.close(nil), answer: nil, told: "closed 1005 "),
        Ending(sent: ClientFrames.frame(0x88, [3, 0xEC]), answer: 1002, told: "closed 1002 a malformed close frame"),
        Ending(sent: ClientFrames.frame(0xC1), answer: 1002, told: "closed 1002 reserved bits"),
        Ending(sent: ClientFrames.frame(0x81, [0xFF]), answer: 1007, told: "closed 1007 not UTF-8"),
        Ending(
            sent: ClientFrames.frame(0x82, [UInt8](repeating: 0, count: 5000)), answer: 1009,
            told: "closed 1009 message too big"),
    ])
    func ends(_ ending: Ending) throws {
        let recorder = SocketRecorder()
        var options = ServerOptions()
        options.webSocket.maxSize = 4096
        let server = try TestServer(options: options, echoSocket(recorder))
        defer { server.stop() }
        let client = try server.openSocket()
        try client.send(ending.sent)
        let frame = try client.readFrame()
        #expect(frame.first == 0x88 && frame.code == ending.answer)
        #expect(try client.isAtEnd())
        #expect(eventually { recorder.events == [ending.told] })
        client.closeOutput()
        #expect(eventually { server.openConnections == 0 })
    }

    @Test func lossIs1006() throws {
        let recorder = SocketRecorder()
        let server = try TestServer(echoSocket(recorder))
        defer { server.stop() }
        do {
            let client = try server.openSocket()
            try client.send(ClientFrames.text("hello"))
            _ = try client.readFrame()
        }
        #expect(eventually { recorder.events == ["text hello", "closed 1006 "] && server.openConnections == 0 })
    }

    /// The end is told again and again.
    @Test func theEndIsTheEnd() throws {
        let recorder = SocketRecorder()
        let server = try TestServer { exchange in
            guard let socket = exchange.acceptWebSocket(subprotocol: nil, fields: [:]) else { return }
            socket.receive { event in
                recorder.note(event)
                socket.receive { recorder.note($0) }
                socket.send(.text("nobody hears"))
                socket.close(code: 1000, reason: "")
                socket.receive { recorder.note($0) }
                recorder.note("open: \(socket.isOpen)")
                socket.finish()
            }
        }
        defer { server.stop() }
        let client = try server.openSocket()
        try client.send(ClientFrames.close(1001, "away"))
        #expect(try client.readFrame().code == 1001)
        #expect(try client.isAtEnd())
        let end = "closed 1001 away"
        #expect(eventually { recorder.events == [end, end, end, "open: false"] })
    }

    /// The application closes first: the client's answer ends it, or the time.
    @Test(arguments: [true, false])
    func closesFirst(_ clientAnswers: Bool) throws {
        let recorder = SocketRecorder()
        var options = ServerOptions()
        options.timeouts.linger = .milliseconds(clientAnswers ? 10_000 : 50)
        let server = try TestServer(options: options) { exchange in
            guard let socket = exchange.acceptWebSocket(subprotocol: nil, fields: [:]) else { return }
            socket.close(code: 3000, reason: String(repeating: "é", count: 100))
            socket.receive { event in
                recorder.note(event)
                socket.finish()
            }
        }
        defer { server.stop() }
        let client = try server.openSocket()
        let close = try client.readFrame()
        #expect(close.code == 3000 && close.payload.count == 124, "cut to whole characters")
        if clientAnswers { try client.send(ClientFrames.text("too late") + ClientFrames.close(3000)) }
        #expect(try client.isAtEnd())
        #expect(eventually { recorder.events == [clientAnswers ? "closed 3000 " : "closed 1006 "] })
    }
}
