import Gateway
import Glibc
import HTTP
import Logging
import NIOCore
import NIOPosix
import Platform
import Synchronization

@testable import Server

/// A real server on a real port, answered by a closure, and a blocking client.
final class TestServer: Sendable {
    let port: UInt16
    private let server: HTTPServer
    private let listener: ListeningSocket

    init(
        options: ServerOptions = ServerOptions(), loops: Int = 1, memory: MemoryGate? = nil,
        observer: (any ServerObserver & Sendable)? = nil,
        _ answer: @escaping @Sendable (any Exchange) -> Void
    ) throws {
        listener = try ListeningSocket.bind(.tcp(host: "127.0.0.1", port: 0))
        port = listener.address.port ?? 0
        server = try HTTPServer(
            loopCount: loops, options: options, memory: memory,
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
            makeHandler: { _ in ClosureHandler(answer) }, makeObserver: { _ in observer })
        try server.serve(descriptor: listener.descriptor)
    }

    var isAnyLoopBlocked: Bool { server.eventLoops.contains { ($0 as? any WatchedLoop)?.pulse.isBlocked == true } }

    /// Connections the server holds now.
    var openConnections: Int { server.openConnections }

    @discardableResult
    func drain(within limit: TimeAmount = .seconds(10)) -> Int { server.drain(DrainLimits(requests: limit)) }

    /// Drains on another thread; returns when nothing is accepted any more.
    func startDraining(_ limits: DrainLimits) throws -> Drain {
        let drain = Drain()
        let hasBegun = try EventCounter()
        try DedicatedThread.start(name: "drain") { [server] in
            drain.end(server.drain(limits) { hasBegun.signal() })
        }
        hasBegun.wait()
        return drain
    }

    /// Gives its connections to another server.
    func handOver(to successor: TestServer) {
        let next = successor.server
        server.handOver { descriptor, received in
            next.take(connection: dup(descriptor), received: received)
            return true
        }
    }

    func endLinger() { server.endLinger() }

    /// A drain on its way.
    final class Drain: Sendable {
        private let cut = Mutex<Int?>(nil)

        fileprivate func end(_ count: Int) { cut.withLock { $0 = count } }

        /// Connections cut off, once it is over.
        var result: Int? { cut.withLock { $0 } }
    }

    func stop() {
        _ = server.drain(DrainLimits(requests: .zero))
        server.shutdown()
        listener.close()
    }

    func connect() throws -> TestClient { try TestClient(port: port) }

    /// Sends `text` on a connection of its own and returns everything that comes until the server closes.
    func exchange(_ text: String) throws -> String {
        let client = try connect()
        try client.send(text)
        return try client.readToEnd()
    }

    private final class ClosureHandler: ExchangeHandler {
        let answer: @Sendable (any Exchange) -> Void
        init(_ answer: @escaping @Sendable (any Exchange) -> Void) { self.answer = answer }
        func handle(_ exchange: any Exchange) { answer(exchange) }
    }
}

/// A blocking socket.
final class TestClient {
    struct Failure: Error { let what: String, code: Int32 }

    private let descriptor: Int32
    private var received: [UInt8] = []

    init(port: UInt16, receiveBuffer: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var size = receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        // A hang is a failure, not a stuck test run.
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Failure(what: "connect", code: errno) }
    }

    deinit { close(descriptor) }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { throw Failure(what: "send", code: errno) }
            rest = rest.dropFirst(count)
        }
    }

    /// Ends this half of the connection.
    func closeOutput() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Everything until the server closes.
    func readToEnd() throws -> String {
        while try receive() {}
        defer { received = [] }
        return String(decoding: received, as: UTF8.self)
    }

    /// Everything through the first occurrence of `end`.
    func read(through end: String) throws -> String {
        while true {
            let text = String(decoding: received, as: UTF8.self)
            if let range = text.ranges(of: end).first {
                let taken = String(text[..<range.upperBound])
                received.removeFirst(taken.utf8.count)
                return taken
            }
            guard try receive() else { throw Failure(what: "end of stream before '\(end)' in '\(text)'", code: 0) }
        }
    }

    /// The next frame of a WebSocket.
    func readFrame() throws -> ClientFrames.Received {
        while true {
            if let frame = ClientFrames.take(&received) { return frame }
            guard try receive() else { throw Failure(what: "end of stream before a frame", code: 0) }
        }
    }

    /// Whether the server has closed, with nothing left to read.
    func isAtEnd() throws -> Bool {
        while received.isEmpty { guard try receive() else { return true } }
        return false
    }

    private func receive() throws -> Bool {
        var piece = [UInt8](repeating: 0, count: 65_536)
        let count = recv(descriptor, &piece, piece.count, 0)
        guard count >= 0 else { throw Failure(what: "recv", code: errno) }
        received += piece[..<count]
        return count > 0
    }
}

/// Waits until `condition` holds; false when it does not within a minute.
func eventually(_ condition: () -> Bool) -> Bool {
    let deadline = MonotonicTime.now() + .seconds(60)
    while !condition() {
        guard MonotonicTime.now() < deadline else { return false }
        usleep(1000)
    }
    return true
}

/// Reads the whole request body, then answers with it.
func echo(_ exchange: any Exchange) {
    collect(exchange, ByteBuffer()) { result in
        switch result {
        case .success(let body): exchange.respond(ResponseHead(.ok), body)
        case .failure(let failure): exchange.respond(failure.status, text: "\(failure)")
        }
    }
}

private func collect(
    _ exchange: any Exchange, _ body: ByteBuffer, _ done: @escaping (Result<ByteBuffer, BodyFailure>) -> Void
) {
    exchange.receive { part in
        switch part {
        case .bytes(var bytes):
            var body = body
            body.writeBuffer(&bytes)
            collect(exchange, body, done)
        case .end: done(.success(body))
        case .failed(let failure): done(.failure(failure))
        case .disconnected: done(.failure(.disconnected))
        }
    }
}
