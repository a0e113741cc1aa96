import Gateway
import HTTP
import NIOCore
import NIOEmbedded
import Synchronization
import Testing

/// How an asynchronous application is called and where it runs (protocols A1, H2).
@Suite(.timeLimit(.minutes(10)))
struct ASGIHandlerTests {
    @Test("the scope views the request")
    func scope() async throws {
        let exchange = FakeExchange(RequestHead(.get, "/app/page?q=1"), on: anyLoop())
        start(exchange) { scope, _, send in
            guard case .http(var http) = scope else { throw Failure() }
            #expect(http.request.method == .get)
            #expect(http.request.query == "q=1")
            #expect(http.rootPath == "/app")
            #expect(http.path == "/page")
            #expect(http.requestID == "request-1")
            #expect(http.eventLoop.inEventLoop)
            // A middleware's change is its own.
            http.path = "/other"
            guard case .http(let unchanged) = scope else { throw Failure() }
            #expect(http.path == "/other")
            #expect(http.rootPath == "/app")
            #expect(unchanged.path == "/page")
            try await send.respond(.plain, ByteBuffer())
        }
        #expect(await exchange.done().count == 1)
    }

    @Test("an application that does not suspend has answered when handle returns; its task serves the next request")
    func atOnce() throws {
        let loop = EmbeddedEventLoop()
        let handler = ASGIHandler(
            ASGIFunction { _, _, send in try await send.respond(.plain, ByteBuffer(string: "hi")) }, on: loop,
            logger: LogRecorder().logger)
        for _ in 0..<3 {
            let exchange = FakeExchange(on: loop)
            handler.handle(exchange, scriptName: "", path: "/")
            #expect(exchange.isDone)
        }
    }

    @Test("the application is on the loop again after it has been elsewhere")
    func comesBack() async throws {
        let pool = try ThreadPool(threads: 1, queueLimit: 1)
        let exchange = FakeExchange(on: anyLoop())
        let loop = exchange.eventLoop
        start(exchange) { _, _, send in
            #expect(loop.inEventLoop)
            #expect(try await pool.run { !loop.inEventLoop })
            #expect(loop.inEventLoop)
            try await Task.sleep(for: .nanoseconds(1))
            #expect(loop.inEventLoop)
            try await send.respond(.plain, ByteBuffer())
        }
        #expect(await exchange.done().count == 1)
        await drain(pool)
    }

    @Test("a request that arrives out of a response, as pipelined ones do, is served without nesting")
    func pipelined() async throws {
        let loop = anyLoop()
        let depth = Mutex((now: 0, most: 0))
        let served = Counter()
        let ended = Gate()
        let chain = Chain(loop)
        loop.execute {
            let handler = ASGIHandler(
                ASGIFunction { _, _, send in
                    depth.withLock {
                        $0.now += 1
                        $0.most = max($0.most, $0.now)
                    }
                    try await send.respond(.plain, ByteBuffer())
                    depth.withLock { $0.now -= 1 }
                    if served.increment() == 2000 { ended.open() }
                }, on: loop, logger: LogRecorder().logger)
            chain.run(handler, 2000)
        }
        await ended.opened()
        // The first is answered inside of `handle`, each later one after its predecessor's task has come to rest.
        #expect(depth.withLock { $0.most } <= 2)
    }

    /// Hands in the next request as soon as one is answered.
    final class Chain: @unchecked Sendable {
        let loop: any EventLoop
        init(_ loop: any EventLoop) { self.loop = loop }

        func run(_ handler: ASGIHandler, _ left: Int) {
            guard left > 0 else { return }
            let exchange = FakeExchange(on: loop)
            exchange.responded = { self.run(handler, left - 1) }
            handler.handle(exchange, scriptName: "", path: "/")
        }
    }

    @Test("1000 requests at a time, suspended and resumed in any order")
    func concurrent() async throws {
        let pool = try ThreadPool(threads: 2, queueLimit: 1000)
        let loop = anyLoop()
        let exchanges = (0..<1000).map { _ in FakeExchange(on: loop) }
        loop.execute {
            let handler = ASGIHandler(
                ASGIFunction { _, _, send in
                    let text = try await pool.run { "made" }
                    try await send.respond(.plain, ByteBuffer(string: text))
                }, on: loop, logger: LogRecorder().logger)
            for exchange in exchanges { handler.handle(exchange, scriptName: "", path: "/") }
        }
        for exchange in exchanges {
            #expect(await exchange.done() == [.respond(200, fields: "Content-Type: text/plain", body: "made")])
        }
        await drain(pool)
    }

    @Test("a full pool is answered by 503 with Retry-After, and not logged as a failure")
    func poolFull() async throws {
        let pool = try ThreadPool(threads: 1, queueLimit: 0)
        pool.close()
        let log = LogRecorder()
        let exchange = FakeExchange(on: anyLoop())
        start(exchange, log: log) { _, _, _ in try await pool.run {} }
        #expect(
            await exchange.done() == [
                .respond(
                    503, fields: "Content-Type: text/plain; charset=utf-8, Retry-After: 1",
                    body: "503 Service Unavailable\n")
            ])
        #expect(log.all.isEmpty)
        await drain(pool)
    }

    @Test("one slow synchronous view delays no asynchronous one on the same loop")
    func slowNeighbour() async throws {
        let pool = try ThreadPool(threads: 1, queueLimit: 1)
        let loop = anyLoop()
        let gate = Gate()
        let begun = Gate()
        let slow = FakeExchange(on: loop)
        start(
            slow,
            { _, startResponse in
                begun.open()
                gate.wait()
                try startResponse(.ok, plain)
                return WholeBody("slow")
            }, pool: pool)
        await begun.opened()
        for _ in 0..<100 {
            let quick = FakeExchange(on: loop)
            start(quick) { _, _, send in try await send.respond(.plain, ByteBuffer(string: "quick")) }
            #expect(await quick.done().count == 1)
        }
        #expect(await slow.read { $0.events.isEmpty })
        gate.open()
        #expect(await slow.done().count == 1)
        await drain(pool)
    }
}
