import Gateway
import Glibc
import HTTP
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Server

private func hello(_ exchange: any Exchange) { exchange.respond(.ok, text: "hello") }

/// A response without its `Date`, line ends as `\n`.
private func plain(_ response: String) -> String {
    response.split(separator: "\r\n", omittingEmptySubsequences: false).filter { !$0.hasPrefix("Date: ") }
        .joined(separator: "\n")
}

@Suite(.serialized) struct ConnectionTests {
    @Test func answersWithFraming() throws {
        let server = try TestServer(hello)
        defer { server.stop() }
        let response = try server.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        #expect(
            plain(response) == """
                HTTP/1.1 200 OK
                Content-Type: text/plain; charset=utf-8
                Content-Length: 5
                Server: portico
                Connection: close

                hello
                """)
        #expect(response.contains("\r\nDate: "))
    }

    @Test func headHasNoBody() throws {
        let server = try TestServer(hello)
        defer { server.stop() }
        let response = try server.exchange("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        #expect(response.contains("\r\nContent-Length: 5\r\n") && response.hasSuffix("\r\n\r\n"))
    }

    @Test(arguments: [204, 304])
    func bodilessStatus(code: Int) throws {
        let server = try TestServer { $0.respond(ResponseHead(Status(code)), ByteBuffer(string: "nothing")) }
        defer { server.stop() }
        let response = try server.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        #expect(response.hasPrefix("HTTP/1.1 \(code) ") && response.hasSuffix("\r\n\r\n"))
        #expect(!response.contains("Content-Length") && !response.contains("nothing"))
    }

    @Test func http10ClosesUnlessAsked() throws {
        let server = try TestServer(hello)
        defer { server.stop() }
        #expect(try server.exchange("GET / HTTP/1.0\r\n\r\n").contains("\r\nConnection: close\r\n"))
        let client = try server.connect()
        try client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        #expect(try client.read(through: "hello").contains("\r\nConnection: keep-alive\r\n"))
        try client.send("GET / HTTP/1.0\r\n\r\n")
        #expect(try client.readToEnd().hasSuffix("hello"))
    }

    @Test func http10StreamEndsByClosing() throws {
        let server = try TestServer { exchange in
            exchange.start(ResponseHead(.ok))
            exchange.write(ByteBuffer(string: "one"))
            exchange.write(ByteBuffer(string: "two"))
            exchange.finish()
        }
        defer { server.stop() }
        let response = try server.exchange("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        #expect(response.hasSuffix("\r\n\r\nonetwo") && response.contains("\r\nConnection: close\r\n"))
    }

    @Test func streamsInChunks() throws {
        let server = try TestServer { exchange in
            exchange.start(ResponseHead(.ok, ["Transfer-Encoding": "identity", "Connection": "upgrade"]))
            exchange.write(ByteBuffer(string: "one"))
            exchange.write(ByteBuffer())
            exchange.write(ByteBuffer(repeating: 0x61, count: 20_000))
            exchange.finish()
        }
        defer { server.stop() }
        let response = try server.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        let parts = response.split(separator: "\r\n\r\n", maxSplits: 1)
        #expect(parts[0].contains("\r\nTransfer-Encoding: chunked\r\n"))
        #expect(!parts[0].contains("identity") && !parts[0].contains("upgrade"))
        #expect(parts[1] == "3\r\none\r\n4e20\r\n\(String(repeating: "a", count: 20_000))\r\n0\r\n\r\n")
    }

    @Test func pipelinedInOrder() throws {
        // Answers leave in order even when the first takes longer than the others.
        let server = try TestServer { exchange in
            let path = exchange.request.string(exchange.request.rawPath)
            let loop = exchange.eventLoop.assumeIsolated()
            if path == "/1" {
                loop.execute { loop.execute { exchange.respond(.ok, text: path) } }
            } else {
                exchange.respond(.ok, text: path)
            }
        }
        defer { server.stop() }
        let requests = (1...20).map { "GET /\($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined()
        let response = try server.exchange(requests + "GET /end HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        let bodies = response.split(separator: "\r\n\r\n").dropFirst().map { $0.prefix { $0 != "H" } }
        #expect(bodies == (1...20).map { "/\($0)" } + ["/end"])
    }

    @Test func echoesBodies() throws {
        let server = try TestServer(echo)
        defer { server.stop() }
        let body = String(repeating: "0123456789", count: 50_000)
        let head = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
        let plain = try server.exchange(head + "Content-Length: \(body.utf8.count)\r\n\r\n" + body)
        #expect(plain.hasSuffix("\r\n\r\n" + body))
        let chunked = "5\r\n01234\r\n3;x=y\r\n567\r\n0\r\nTrailer: t\r\n\r\n"
        #expect(
            try server.exchange(head + "Transfer-Encoding: chunked\r\n\r\n" + chunked).hasSuffix("\r\n\r\n01234567"))
    }

    @Test func continueOnlyWhenTheBodyIsRead() throws {
        let server = try TestServer { exchange in
            if exchange.request.string(exchange.request.rawPath) == "/read" { echo(exchange) } else { hello(exchange) }
        }
        defer { server.stop() }
        let fields = "Host: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n"
        let reader = try server.connect()
        try reader.send("POST /read HTTP/1.1\r\n" + fields)
        #expect(try reader.read(through: "\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
        try reader.send("body")
        #expect(try reader.read(through: "body").hasPrefix("HTTP/1.1 200 OK"))
        // Nobody can tell whether the body follows: the connection ends.
        let refused = try server.connect()
        try refused.send("POST /no HTTP/1.1\r\n" + fields)
        let response = try refused.readToEnd()
        #expect(response.hasPrefix("HTTP/1.1 200 OK") && response.contains("\r\nConnection: close\r\n"))
    }

    @Test func halfClosedClientIsAnswered() throws {
        let server = try TestServer { exchange in
            // Later, when the client's end has long been seen.
            exchange.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(50)) { hello(exchange) }
        }
        defer { server.stop() }
        let client = try server.connect()
        try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        client.closeOutput()
        #expect(try client.readToEnd().hasSuffix("hello"))
    }

    @Test func earlyAnswerKeepsTheConnectionWhenLittleIsLeft() throws {
        let server = try TestServer(hello)
        defer { server.stop() }
        let client = try server.connect()
        try client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
        #expect(try !client.read(through: "hello").contains("Connection: close"))
        try client.send("0123456789GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        #expect(try client.readToEnd().hasSuffix("hello"))
    }

    @Test func earlyAnswerClosesWhenMuchIsLeft() throws {
        let server = try TestServer(hello)
        defer { server.stop() }
        let client = try server.connect()
        try client.send(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + String(repeating: "x", count: 50_000))
        // The answer arrives although the body was not read: the server lingers instead of resetting.
        let response = try client.readToEnd()
        #expect(response.contains("\r\nConnection: close\r\n") && response.hasSuffix("hello"))
    }

    @Test func whatFollowsAnEarlyAnswerGetsNoSecondOne() throws {
        let server = try TestServer(hello)
        defer { server.stop() }
        let client = try server.connect()
        try client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        #expect(try client.read(through: "hello").hasPrefix("HTTP/1.1 200 "))
        try client.send("no chunk at all\r\n")
        #expect(try client.readToEnd().isEmpty, "the connection ends without a word")
    }

    @Test func refusalsCloseTheConnection() throws {
        let server = try TestServer(hello)
        defer { server.stop() }
        let cases: [(String, Int)] = [
            ("GET / HTTP/1.1\r\n\r\n", 400), ("GET /\(String(repeating: "a", count: 9000)) HTTP/1.1\r\n", 414),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "a", count: 17_000))\r\n", 431),
            ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", 413),
            ("POST / HTTP/1.1\r\nHost: a\r\nExpect: x\r\n\r\n", 417),
            ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: br, chunked\r\n\r\n", 501),
            ("GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
        ]
        for (text, code) in cases {
            let response = try server.exchange(text + "GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(response.hasPrefix("HTTP/1.1 \(code) "))
            #expect(response.ranges(of: "HTTP/1.1 ").count == 1, "nothing after a refusal is answered")
        }
    }

    @Test func malformedChunkInTheBodyIsRefused() throws {
        let server = try TestServer(echo)
        defer { server.stop() }
        let response = try server.exchange(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nX\r\n")
        #expect(response.hasPrefix("HTTP/1.1 400 ") && response.contains("Connection: close"))
    }

    @Test func optionsAsterisk() throws {
        let server = try TestServer(hello)
        defer { server.stop() }
        let response = try server.exchange("OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        #expect(response.contains("\r\nAllow: GET, HEAD,") && response.contains("\r\nContent-Length: 0\r\n"))
    }

    @Test func tooShortABodyIsSeenAsTruncated() throws {
        let server = try TestServer { exchange in
            exchange.start(ResponseHead(.ok, ["Content-Length": "10"]))
            exchange.write(ByteBuffer(string: "short"))
            exchange.flush()
            exchange.finish()
        }
        defer { server.stop() }
        let response = try server.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(response.contains("\r\nContent-Length: 10\r\n") && response.hasSuffix("\r\n\r\nshort"))
    }

    @Test func nothingBeyondContentLength() throws {
        let server = try TestServer { exchange in
            exchange.start(ResponseHead(.ok, ["Content-Length": "4"]))
            exchange.write(ByteBuffer(string: "four and more"))
            exchange.finish()
        }
        defer { server.stop() }
        let response = try server.exchange("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        #expect(response.hasSuffix("\r\n\r\nfour"))
    }

    @Test func timeouts() throws {
        var options = ServerOptions()
        options.timeouts.header = .seconds(1)
        options.timeouts.body = .seconds(1)
        options.timeouts.keepAlive = .seconds(1)
        let server = try TestServer(options: options, echo)
        defer { server.stop() }
        #expect(try server.exchange("GET / HTTP/1.1\r\nHos").hasPrefix("HTTP/1.1 408 "))
        #expect(try server.exchange("").isEmpty, "a client that says nothing is let go without a word")
        let body = try server.exchange("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab")
        #expect(body.hasPrefix("HTTP/1.1 408 "))
        let idle = try server.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(idle.hasPrefix("HTTP/1.1 200 "), "answered, then closed for idleness")
    }

    @Test func slowReaderIsLetGo() throws {
        var options = ServerOptions()
        options.timeouts.write = .milliseconds(200)
        let server = try TestServer(options: options) { exchange in
            exchange.respond(ResponseHead(.ok), ByteBuffer(repeating: 0x61, count: 32 << 20))
        }
        defer { server.stop() }
        let client = try TestClient(port: server.port, receiveBuffer: 4096)
        try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = try client.read(through: "\r\n\r\n")
        #expect(eventually { server.openConnections == 0 }, "nothing more was read, so the connection ends")
        _ = client
    }

    @Test func backPressureReachesTheWriter() throws {
        // The writer asks before each piece: what is pending never grows far beyond the high watermark.
        let written = PieceCount()
        let server = try TestServer { exchange in
            exchange.start(ResponseHead(.ok))
            pour(exchange, left: 4096, written)
        }
        defer { server.stop() }
        let client = try TestClient(port: server.port, receiveBuffer: 4096)
        try client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        _ = try client.read(through: "\r\n\r\n")
        #expect(written.value < 4096, "the writer waits for the reader")
        #expect(try client.readToEnd().hasSuffix("0\r\n\r\n"))
        #expect(written.value == 4096)
    }

    @Test func connectionLimit() throws {
        var options = ServerOptions()
        options.connectionLimit = 2
        let server = try TestServer(options: options, hello)
        defer { server.stop() }
        let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        let clients = try (0..<2).map { _ in try server.connect() }
        for client in clients {
            try client.send(request)
            _ = try client.read(through: "hello")
        }
        // Both are idle now: one has to make room.
        let third = try server.connect()
        try third.send(request)
        #expect(try third.read(through: "hello").hasPrefix("HTTP/1.1 200"))
        #expect(server.openConnections <= 2)
    }

    @Test func drainFinishesWhatWasBegun() throws {
        let exchanges = Mutex<[NIOLoopBound<any Exchange>]>([])
        let server = try TestServer { exchange in
            exchanges.withLock { $0.append(NIOLoopBound(exchange, eventLoop: exchange.eventLoop)) }
        }
        let busy = try server.connect()
        let idle = try server.connect()
        try busy.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(eventually { exchanges.withLock { $0.count } == 1 && server.openConnections == 2 })
        let drained = NIOThreadPool(numberOfThreads: 1)
        drained.start()
        let cut = MultiThreadedEventLoopGroup.singleton.next().makePromise(of: Int.self)
        drained.submit { _ in cut.succeed(server.drain()) }
        #expect(try idle.readToEnd().isEmpty)
        let held = try #require(exchanges.withLock { $0.first })
        held.eventLoop.execute { held.value.respond(.ok, text: "done") }
        let response = try busy.readToEnd()
        #expect(response.contains("Connection: close") && response.hasSuffix("done"))
        #expect(try cut.futureResult.wait() == 0)
        try drained.syncShutdownGracefully()
        server.stop()
    }

    @Test func exchangeOutlivesItsConnection() throws {
        let lost = Mutex(false)
        let held = Mutex<NIOLoopBound<any Exchange>?>(nil)
        let server = try TestServer { exchange in
            exchange.onClose { lost.withLock { $0 = true } }
            held.withLock { $0 = NIOLoopBound(exchange, eventLoop: exchange.eventLoop) }
        }
        defer { server.stop() }
        do {
            let client = try server.connect()
            try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(eventually { held.withLock { $0 != nil } })
        }
        // The client is gone; writing is what finds out.
        let exchange = try #require(held.withLock { $0 })
        exchange.eventLoop.execute { exchange.value.start(ResponseHead(.ok)) }
        #expect(
            eventually {
                exchange.eventLoop.execute {
                    exchange.value.write(ByteBuffer(string: "x"))
                    exchange.value.flush()
                }
                return lost.withLock { $0 }
            })
        let isOpen = try exchange.eventLoop.submit { exchange.value.isOpen }.wait()
        #expect(!isOpen)
    }
}

/// Writes 4 KiB pieces, waiting whenever the connection asks for it.
private func pour(_ exchange: any Exchange, left: Int, _ written: PieceCount) {
    guard left > 0, exchange.isOpen else { return exchange.finish() }
    exchange.write(ByteBuffer(repeating: 0x61, count: 4096))
    written.increment()
    exchange.whenWritable { pour(exchange, left: left - 1, written) }
}

private final class PieceCount: Sendable {
    private let count = Atomic(0)
    var value: Int { count.load(ordering: .relaxed) }
    func increment() { count.add(1, ordering: .relaxed) }
}
