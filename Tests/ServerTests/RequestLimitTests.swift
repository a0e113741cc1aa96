import Gateway
import Glibc
import HTTP
import NIOCore
import Synchronization
import Testing

@testable import Server

/// `timeouts.request`, seen from the wire.
@Suite struct RequestLimitTests {
    private static func options(_ limit: TimeAmount? = .milliseconds(100)) -> ServerOptions {
        var options = ServerOptions()
        options.timeouts.request = limit
        options.timeouts.shortestRequest = .milliseconds(100)
        options.timeouts.linger = .milliseconds(200)
        return options
    }

    private static func get(_ path: String, _ fields: String = "") -> String {
        "GET \(path) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n"
    }

    /// A call that notes what it is told.
    final class Call: ExchangeCall, @unchecked Sendable {
        // Sendable: touched on the loop alone, but for the counter.
        private let exchange: any Exchange
        let passed = Atomic(0)

        init(_ exchange: any Exchange) {
            self.exchange = exchange
            exchange.call = self
        }

        let isRunning = true

        func limitPassed(_ limit: TimeAmount) {
            passed.add(1, ordering: .sequentiallyConsistent)
            exchange.giveUpWaiting()
        }
    }

    /// Whole limits pass: as long as requests on the same loop take to be given up, one after the other.
    private static func passLimits(_ server: TestServer, count: Int = 3) throws {
        let client = try server.connect()
        for _ in 0..<count {
            try client.send(get("/never"))
            #expect(try client.read(through: "Request ").hasPrefix("HTTP/1.1 504 "))
            _ = try client.read(through: "\n")
        }
    }

    @Test func anAnswerThatDoesNotComeIs504() throws {
        let server = try TestServer(options: Self.options()) { exchange in _ = Call(exchange) }
        defer { server.stop() }
        let client = try server.connect()
        // The connection stays open, and the pipelined request has its own time.
        try client.send(Self.get("/never") + Self.get("/neither"))
        for _ in 0..<2 {
            let head = try client.read(through: "\r\n\r\n")
            #expect(head.hasPrefix("HTTP/1.1 504 Gateway Timeout\r\n"))
            #expect(!head.contains("Connection: close"))
            #expect(try client.read(through: "\n") == "504 Gateway Timeout\n")
            #expect(try client.read(through: "\n").hasPrefix("Request "))
        }
    }

    @Test func whoHasNoCallIsAnsweredAsWell() throws {
        let server = try TestServer(options: Self.options()) { _ in }
        defer { server.stop() }
        let client = try server.connect()
        try client.send(Self.get("/", "Accept: text/html\r\n"))
        #expect(try client.read(through: "</html>").contains("<h1>504 Gateway Timeout</h1>"))
    }

    @Test func headGetsNoBody() throws {
        let server = try TestServer(options: Self.options()) { _ in }
        defer { server.stop() }
        let text = try server.exchange("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        #expect(text.hasPrefix("HTTP/1.1 504 Gateway Timeout\r\n"))
        #expect(text.hasSuffix("\r\n\r\n"))
    }

    @Test func aBegunAnswerIsCutOffVisibly() throws {
        let server = try TestServer(options: Self.options()) { exchange in
            exchange.start(ResponseHead(.ok))
            exchange.write(ByteBuffer(string: "part"))
            exchange.flush()
        }
        defer { server.stop() }
        let text = try server.exchange(Self.get("/"))
        #expect(text.hasSuffix("\r\n\r\n4\r\npart\r\n"), "the last chunk is missing")
    }

    @Test(arguments: ["text/event-stream; charset=utf-8", "Text/Event-Stream"])
    func aStreamOfEventsMayWait(type: String) throws {
        let held = HeldExchange()
        let server = try TestServer(options: Self.options()) { exchange in
            guard exchange.requestLine == "GET /events" else { return }
            exchange.start(ResponseHead(.ok, ["Content-Type": type]))
            exchange.flush()
            held.hold(exchange)
        }
        defer { server.stop() }
        let client = try server.connect()
        try client.send(Self.get("/events"))
        _ = try client.read(through: "\r\n\r\n")
        try Self.passLimits(server)
        held.release { exchange in
            exchange.write(ByteBuffer(string: "data: 1\n\n"))
            exchange.finish()
        }
        #expect(try client.read(through: "0\r\n\r\n").contains("data: 1"))
    }

    @Test func aStreamThatMovesOnIsNotCut() throws {
        let server = try TestServer(options: Self.options(.milliseconds(400))) { exchange in
            guard exchange.requestLine == "GET /stream" else {
                exchange.timeLimit = .milliseconds(100)
                return
            }
            exchange.start(ResponseHead(.ok))
            Self.writeOn(exchange, left: 40)
        }
        defer { server.stop() }
        let client = try server.connect()
        try client.send(Self.get("/stream"))
        try Self.passLimits(server, count: 6)
        #expect(try client.read(through: "0\r\n\r\n").count > 40)
    }

    /// A piece every so often: well within the limit, and longer than it altogether.
    private static func writeOn(_ exchange: any Exchange, left: Int) {
        guard left > 0 else { return exchange.finish() }
        exchange.write(ByteBuffer(string: "."))
        nonisolated(unsafe) let exchange = exchange
        exchange.eventLoop.scheduleTask(in: .milliseconds(20)) { writeOn(exchange, left: left - 1) }
    }

    @Test func whatTheClientTakesToSendDoesNotCount() throws {
        let server = try TestServer(options: Self.options()) { exchange in
            if exchange.request.method == .post { echo(exchange) }
        }
        defer { server.stop() }
        let client = try server.connect()
        try client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n")
        _ = try client.read(through: "100 Continue\r\n\r\n")
        try Self.passLimits(server)
        try client.send("abc")
        try Self.passLimits(server)
        try client.send("def")
        #expect(try client.read(through: "abcdef").hasPrefix("HTTP/1.1 200 "))
    }

    @Test(arguments: ["", "Expect: 100-continue\r\n"])
    func aBodyThatNobodyReads(fields: String) throws {
        let server = try TestServer(options: Self.options()) { _ in }
        defer { server.stop() }
        let text = try server.exchange(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\(fields)\r\n")
        #expect(text.hasPrefix("HTTP/1.1 504 "))
        #expect(text.contains("Connection: close\r\n"))
    }

    @Test func anExchangeMayHaveItsOwnLimit() throws {
        let held = HeldExchange()
        let server = try TestServer(options: Self.options(.hours(1))) { exchange in
            switch exchange.requestLine {
            case "GET /never": exchange.timeLimit = .milliseconds(100)
            case "GET /unlimited":
                exchange.timeLimit = nil
                held.hold(exchange)
            default: break
            }
        }
        defer { server.stop() }
        let client = try server.connect()
        try client.send(Self.get("/unlimited"))
        try Self.passLimits(server)
        held.release { $0.respond(.ok, text: "in the end") }
        #expect(try client.read(through: "in the end").hasPrefix("HTTP/1.1 200 "))
    }

    @Test func whoseClientHasLeftIsToldInTime() throws {
        let call = Mutex<Call?>(nil)
        let server = try TestServer(options: Self.options()) { exchange in
            let made = Call(exchange)
            if exchange.requestLine == "GET /left" { call.withLock { $0 = made } }
        }
        defer { server.stop() }
        do {
            let client = try server.connect()
            try client.send(Self.get("/left"))
            #expect(eventually { call.withLock { $0 } != nil })
        }
        #expect(eventually { server.openConnections == 0 })
        #expect(eventually { call.withLock { $0?.passed.load(ordering: .sequentiallyConsistent) } == 1 })
    }

    @Test func aCompleteAnswerEndsTheMatter() throws {
        let calls = Mutex<[Call]>([])
        let server = try TestServer(options: Self.options()) { exchange in
            guard exchange.requestLine != "GET /never" else { return }
            calls.withLock { $0.append(Call(exchange)) }
            exchange.respond(.ok, text: "done")
        }
        defer { server.stop() }
        let client = try server.connect()
        try client.send(Self.get("/a") + Self.get("/b"))
        _ = try client.read(through: "done")
        _ = try client.read(through: "done")
        try Self.passLimits(server)
        #expect(calls.withLock { $0.map { $0.passed.load(ordering: .sequentiallyConsistent) } } == [0, 0])
    }
}

/// Connections while a loop is blocked.
@Suite struct BlockedLoopTests {
    @Test func othersGetTheConnections() throws {
        let release = Mutex(false)
        let server = try TestServer(loops: 2) { exchange in
            guard exchange.requestLine == "GET /block" else { return exchange.respond(.ok, text: "fine") }
            let pulse = (exchange.eventLoop as? any WatchedLoop)?.pulse
            pulse?.isBlocked = true
            while !release.withLock({ $0 }) { usleep(1000) }
            pulse?.isBlocked = false
            exchange.respond(.ok, text: "late")
        }
        defer { server.stop() }
        let blocked = try server.connect()
        try blocked.send("GET /block HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(eventually { server.isAnyLoopBlocked })
        // More than the other loop would have got in turn.
        for _ in 0..<20 {
            let text = try server.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(text.hasSuffix("fine"))
        }
        release.withLock { $0 = true }
        #expect(try blocked.read(through: "late").hasPrefix("HTTP/1.1 200 "))
    }
}
