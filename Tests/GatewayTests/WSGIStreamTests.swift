import Gateway
import HTTP
import NIOCore
import Testing

/// Streaming against a slow or leaving client: back-pressure, and close in every case (protocols W32, W34).
@Suite(.timeLimit(.minutes(10)))
struct WSGIStreamTests {
    /// A body without end, whose pieces are large enough that two fill the way to the loop.
    struct Endless: WSGIBody {
        let asked: Counter
        let closed: Counter
        mutating func next() -> ByteBuffer? {
            asked.increment()
            return ByteBuffer(repeating: 0x78, count: 40 * 1024)
        }
        mutating func close() { closed.increment() }
    }

    @Test(
        "the producer is not asked on while the connection takes nothing, and goes on when it does",
        arguments: [false, true])
    func backPressure(inline: Bool) async throws {
        let pool = try ThreadPool(threads: 1, queueLimit: 1)
        let (asked, closed) = (Counter(), Counter())
        let exchange = FakeExchange(on: anyLoop(), capacity: 1)
        start(
            exchange,
            { _, startResponse in
                try startResponse(.ok, plain)
                return Endless(asked: asked, closed: closed)
            }, pool: pool, inline: inline)

        await exchange.until { $0.isWaitedForWritable }
        // One piece was written, and a pooled producer may have two more on their way: no more than its window holds.
        let first = asked.value
        #expect(first <= 4)
        for round in 1...5 {
            exchange.drain()
            await exchange.until { $0.isWaitedForWritable && $0.events.count(where: { $0 != .flush }) > round + 1 }
        }
        #expect(asked.value <= first + 5 * 4)
        #expect(closed.value == 0)

        exchange.disconnect()
        await drain(pool)
        _ = await exchange.read { $0.isOpen }
        #expect(closed.value == 1)
        #expect(await exchange.read { !$0.isDone })
    }

    @Test("a client that leaves ends the producer, without an error in the log", arguments: [false, true])
    func disconnected(inline: Bool) async throws {
        let pool = try ThreadPool(threads: 1, queueLimit: 1)
        let log = LogRecorder()
        let (asked, closed) = (Counter(), Counter())
        let exchange = FakeExchange(on: anyLoop(), capacity: 3)
        start(
            exchange,
            { _, startResponse in
                try startResponse(.ok, plain)
                return Endless(asked: asked, closed: closed)
            }, pool: pool, inline: inline, log: log)
        await exchange.until { $0.isWaitedForWritable }
        exchange.disconnect()
        await drain(pool)
        _ = await exchange.read { $0.isOpen }
        #expect(closed.value == 1)
        #expect(log.all.isEmpty)
    }

    @Test("write raises when the client has left; the application may swallow that")
    func writeAfterDisconnect() async throws {
        let pool = try ThreadPool(threads: 1, queueLimit: 1)
        let log = LogRecorder()
        let (begun, left) = (Gate(), Gate())
        let raised = Counter()
        let exchange = FakeExchange(on: anyLoop())
        start(
            exchange,
            { _, startResponse in
                let write = try startResponse(.ok, plain)
                try write(ByteBuffer(string: "first"))
                begun.open()
                left.wait()
                do {
                    // The first of these may still be under way when the thread learns it.
                    for _ in 0..<10_000 { try write(ByteBuffer(string: "more")) }
                } catch WSGIError.disconnected {
                    raised.increment()
                }
                return PiecesBody()
            }, pool: pool, log: log)
        await begun.opened()
        await exchange.until { $0.events.contains(.write("first")) }
        exchange.disconnect()
        _ = await exchange.read { $0.isOpen }
        left.open()
        await drain(pool)
        #expect(raised.value == 1)
        #expect(log.all.isEmpty)
    }

    @Test("pieces are pushed out without waiting for the next")
    func flushed() async throws {
        struct Slow: WSGIBody {
            let gate: Gate
            var step = 0
            mutating func next() -> ByteBuffer? {
                step += 1
                if step == 2 { gate.wait() }
                return step < 3 ? ByteBuffer(string: "\(step)") : nil
            }
        }
        let pool = try ThreadPool(threads: 1, queueLimit: 1)
        let gate = Gate()
        let exchange = FakeExchange(on: anyLoop())
        start(
            exchange,
            { _, startResponse in
                try startResponse(.ok, plain)
                return Slow(gate: gate)
            }, pool: pool)
        await exchange.until { $0.events.last == .flush && $0.events.contains(.write("1")) }
        gate.open()
        #expect(await exchange.done().last == .finish)
        await drain(pool)
    }
}
