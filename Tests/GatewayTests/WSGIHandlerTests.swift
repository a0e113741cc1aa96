import Gateway
import HTTP
import NIOCore
import Testing

/// How a synchronous application is called (protocols W1, W6, W12), and what a full pool answers.
@Suite(.timeLimit(.minutes(10)))
struct WSGIHandlerTests {
    @Test("the environment views the request", arguments: [false, true])
    func environ(inline: Bool) async throws {
        let outcome = try await serve(RequestHead(.get, "/app/page?q=1"), inline: inline) { environ, startResponse in
            #expect(environ.scriptName == "/app")
            #expect(environ.pathInfo == "/page")
            #expect(environ.request.query == "q=1")
            #expect(environ.requestID == "request-1")
            #expect(!environ.isMultithreaded)
            #expect(!environ.isMultiprocess)
            #expect(environ.input.count == 0)
            try startResponse(.ok, [:])
            return WholeBody("")
        }
        #expect(outcome.events.count == 1)
    }

    @Test("an application runs on a thread of the pool, or inline on the loop", arguments: [false, true])
    func place(inline: Bool) async throws {
        let pool = try ThreadPool(threads: 2, queueLimit: 1)
        let exchange = FakeExchange(on: anyLoop())
        let loop = exchange.eventLoop
        start(
            exchange,
            { environ, startResponse in
                try startResponse(.ok, [:])
                return WholeBody("\(loop.inEventLoop) \(environ.isMultithreaded)")
            }, pool: pool, inline: inline)
        #expect(await exchange.done() == [.respond(200, fields: "", body: inline ? "true false" : "false true")])
        await drain(pool)
    }

    @Test("a full queue is answered by 503 with Retry-After at once")
    func full() async throws {
        let pool = try ThreadPool(threads: 1, queueLimit: 1)
        let gate = Gate()
        let begun = Gate()
        let application: @Sendable (Environ, StartResponse) throws -> any WSGIBody = { _, startResponse in
            begun.open()
            gate.wait()
            try startResponse(.ok, [:])
            return WholeBody("served")
        }
        let loop = anyLoop()
        let exchanges = (0..<4).map { _ in FakeExchange(on: loop) }
        start(exchanges[0], application, pool: pool)
        await begun.opened()
        for exchange in exchanges.dropFirst() { start(exchange, application, pool: pool) }
        for exchange in exchanges.dropFirst(2) {
            #expect(
                await exchange.done() == [
                    .respond(
                        503, fields: "Content-Type: text/plain; charset=utf-8, Retry-After: 1",
                        body: "503 Service Unavailable\n")
                ])
        }
        #expect(pool.counts.refused == 2)
        gate.open()
        for exchange in exchanges.prefix(2) {
            #expect(await exchange.done() == [.respond(200, fields: "", body: "served")])
        }
        await drain(pool)
    }

    @Test("1000 requests at a time, whole and streamed")
    func concurrent() async throws {
        let pool = try ThreadPool(threads: 4, queueLimit: 1000)
        let closed = Counter()
        let exchanges = (0..<1000).map { _ in FakeExchange(on: anyLoop()) }
        for (number, exchange) in exchanges.enumerated() {
            start(
                exchange,
                { _, startResponse in
                    try startResponse(.ok, [:])
                    return number.isMultiple(of: 2)
                        ? WholeBody("\(number)") : PiecesBody("\(number)", "!", closed: closed)
                }, pool: pool)
        }
        for (number, exchange) in exchanges.enumerated() {
            _ = await exchange.done()
            #expect(await exchange.read { $0.body } == (number.isMultiple(of: 2) ? "\(number)" : "\(number)!"))
        }
        await drain(pool)
        #expect(closed.value == 500)
        #expect(pool.counts.started == 1000)
    }

    @Test("a client that left while its request waited costs nothing but the call")
    func gone() async throws {
        let pool = try ThreadPool(threads: 1, queueLimit: 1)
        let log = LogRecorder()
        let gate = Gate()
        let closed = Counter()
        let exchange = FakeExchange(on: anyLoop())
        start(
            exchange,
            { _, startResponse in
                gate.wait()
                try startResponse(.ok, [:])
                return PiecesBody("late", closed: closed)
            }, pool: pool, log: log)
        exchange.disconnect()
        _ = await exchange.read { $0.isOpen }
        gate.open()
        await drain(pool)
        #expect(await exchange.read { $0.events } == [])
        #expect(closed.value == 1)
        #expect(log.all.isEmpty)
    }
}
