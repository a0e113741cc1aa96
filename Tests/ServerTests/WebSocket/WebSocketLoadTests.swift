import Dispatch
import Gateway
import HTTP
import NIOCore
import Synchronization
import Testing

@testable import Server

/// WebSockets and time, amounts, and the server's own end.
@Suite(.serialized) struct WebSocketLoadTests {
    /// Silence is asked about, and a client that answers stays for as long as it likes, whatever the times for ordinary
    /// connections.
    @Test func pingsKeepTheSocket() throws {
        var options = ServerOptions()
        options.timeouts.keepAlive = .seconds(1)
        options.timeouts.header = .seconds(1)
        options.webSocket.pingInterval = .milliseconds(150)
        let server = try TestServer(options: options, echoSocket())
        defer { server.stop() }
        let client = try server.openSocket()
        for _ in 0..<10 {
            let ping = try client.readFrame()
            #expect(ping.first == 0x89)
            try client.send(ClientFrames.frame(0x8A, ping.payload))
        }
        try client.send(ClientFrames.text("still here"))
        var frame = try client.readFrame()
        while frame.first == 0x89 { frame = try client.readFrame() }
        #expect(frame.payload == Array("still here".utf8))
    }

    @Test func silenceAfterAPingIsLoss() throws {
        let recorder = SocketRecorder()
        var options = ServerOptions()
        options.webSocket.pingInterval = .milliseconds(20)
        options.webSocket.pingTimeout = .milliseconds(20)
        let server = try TestServer(options: options, echoSocket(recorder))
        defer { server.stop() }
        let client = try server.openSocket()
        #expect(try client.readFrame().first == 0x89)
        #expect(try client.isAtEnd())
        #expect(eventually { recorder.events == ["closed 1006 "] })
    }

    /// While the application asks for nothing, the client is stopped; afterwards everything arrives, in order.
    @Test func pushesBack() throws {
        let sockets = Mutex<[SocketBox]>([])
        let server = try TestServer { exchange in
            guard let socket = exchange.acceptWebSocket(subprotocol: nil, fields: [:]) else { return }
            let box = SocketBox(socket)
            sockets.withLock { $0.append(box) }
        }
        defer { server.stop() }
        let client = try server.openSocket()
        #expect(eventually { sockets.withLock { !$0.isEmpty } })
        let count = 1000
        let sent = Mutex(0)
        let ballast = ClientFrames.frame(0x82, [UInt8](repeating: 0, count: 20_000))
        nonisolated(unsafe) let sender = client
        // On a thread of its own: it blocks.
        DispatchQueue.global().async {
            for number in 0..<count {
                guard (try? sender.send(ClientFrames.text("\(number)") + ballast)) != nil else {
                    return
                }
                sent.withLock { $0 = number + 1 }
            }
        }
        // The kernel's buffers fill, then nothing moves for a hundred looks: 20 MB do not fit in them.
        var last = 0
        var looks = 0
        #expect(
            eventually {
                let now = sent.withLock { $0 }
                looks = now == last ? looks + 1 : 0
                last = now
                return now > 0 && looks > 100
            })
        #expect(last < count)
        let received = Mutex<[Int]>([])
        sockets.withLock { $0[0] }.readAll { text in
            received.withLock { $0.append(Int(text) ?? -1) }
        }
        #expect(eventually { received.withLock { $0.count == count } })
        #expect(received.withLock { $0 } == Array(0..<count))
    }

    /// An application that sends more than the client takes can tell, and goes on when there is room.
    @Test func tellsWhenTheClientIsSlow() throws {
        let wasFull = Atomic(false)
        let server = try TestServer { exchange in
            guard let socket = exchange.acceptWebSocket(subprotocol: nil, fields: [:]) else { return }
            let message = WebSocketMessage.binary(ByteBuffer(repeating: 0x41, count: 50_000))
            func go(_ number: Int) {
                guard number < 400 else { return socket.finish() }
                socket.send(message)
                if !socket.isWritable { wasFull.store(true, ordering: .relaxed) }
                socket.whenWritable { go(number + 1) }
            }
            go(0)
        }
        defer { server.stop() }
        let client = try TestClient(port: server.port, receiveBuffer: 4096)
        try client.send(TestServer.handshake())
        #expect(eventually { wasFull.load(ordering: .relaxed) })
        _ = try client.read(through: "\r\n\r\n")
        for _ in 0..<400 { #expect(try client.readFrame().payload.count == 50_000) }
        #expect(try client.readFrame().code == 1000)
    }

    /// S10: every client is told to come again, the application learns it at once, and is waited for.
    @Test func drainsWith1012() throws {
        let recorder = SocketRecorder()
        let held = Mutex<SocketBox?>(nil)
        let server = try TestServer { exchange in
            guard let socket = exchange.acceptWebSocket(subprotocol: nil, fields: [:]) else { return }
            let box = SocketBox(socket)
            held.withLock { $0 = box }
            socket.receive { recorder.note($0) }
        }
        defer { server.stop() }
        let client = try server.openSocket()
        #expect(eventually { held.withLock { $0 != nil } })
        let cut = Mutex<Int?>(nil)
        DispatchQueue.global().async {
            let count = server.drain()
            cut.withLock { $0 = count }
        }
        #expect(try client.readFrame().code == 1012)
        #expect(eventually { recorder.events == ["closed 1012 service restart"] })
        try client.send(ClientFrames.close(1012))
        #expect(try client.isAtEnd())
        #expect(server.openConnections == 1, "the application has not ended")
        held.withLock { $0 }?.finish()
        #expect(eventually { server.openConnections == 0 })
        #expect(eventually { cut.withLock { $0 } == 0 })
    }

    /// The access log has the handshake, with its status.
    @Test func isObserved() throws {
        let observer = RecordingObserver()
        let server = try TestServer(observer: observer, echoSocket())
        defer { server.stop() }
        let client = try server.openSocket()
        #expect(eventually { observer.events == ["opened", "started", "finished 101 /chat complete"] })
        try client.send(ClientFrames.close(1000))
        #expect(try client.readFrame().code == 1000)
        #expect(eventually { observer.events.last == "closed" && observer.events.count == 4 })
    }
}

/// A socket, for the test's thread: what is asked of it happens on its loop.
final class SocketBox: @unchecked Sendable {
    private let socket: any WebSocket

    init(_ socket: any WebSocket) { self.socket = socket }

    func finish() { socket.eventLoop.execute { self.socket.finish() } }

    /// Reads texts to the end.
    func readAll(_ take: @escaping @Sendable (String) -> Void) {
        socket.eventLoop.execute { self.readOn(take) }
    }

    private func readOn(_ take: @escaping @Sendable (String) -> Void) {
        socket.receive { event in
            switch event {
            case .message(.text(let text)): take(String(buffer: text))
            case .message(.binary): break
            case .closed: return self.socket.finish()
            }
            self.readOn(take)
        }
    }
}

private final class RecordingObserver: ServerObserver, Sendable {
    private let all = Mutex<[String]>([])

    var events: [String] { all.withLock { $0 } }

    func turnBegan(at now: UInt64) {}
    func turnEnded(at now: UInt64, began: UInt64, received: UInt64, sent: UInt64) {}
    func connectionOpened() { all.withLock { $0.append("opened") } }
    func connectionClosed() { all.withLock { $0.append("closed") } }
    func exchangeRouted(_ request: RequestHead, id: RequestID, began: UInt64, route: Int) -> Int32 { -1 }
    func exchangeStarted(waited: UInt64) { all.withLock { $0.append("started") } }
    func exchangeOverdue() { all.withLock { $0.append("overdue") } }

    func exchangeFinished(_ exchange: any FinishedExchange) {
        let path = exchange.finishedRequest.map { $0.string($0.rawPath) } ?? "-"
        let end = exchange.isComplete ? "complete" : "cut"
        all.withLock { $0.append("finished \(exchange.status?.code ?? 0) \(path) \(end)") }
    }
}
