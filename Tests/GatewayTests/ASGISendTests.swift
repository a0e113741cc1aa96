import Gateway
import HTTP
import NIOCore
import Testing

/// What an asynchronous application may send, and what goes out (protocols A5–A9, H9–H15).
@Suite(.timeLimit(.minutes(10)))
struct ASGISendTests {
    /// One way through a response.
    struct Way: Sendable, CustomTestStringConvertible {
        var name: String
        var method = Method.get
        var sends: [SendEvent]
        var throwing: ASGIError?
        var events: [FakeExchange.Event]
        /// What the last `send` throws.
        var error: ASGIError?
        var logs = 0

        var testDescription: String { name }
    }

    static let error = FakeExchange.Event.respond(
        500, fields: "Content-Type: text/plain; charset=utf-8", body: "500 Internal Server Error\n")

    static func begin(_ status: Status = .ok, _ fields: Fields = [:]) -> SendEvent {
        .responseStart(ResponseHead(status, fields))
    }

    static func body(_ text: String, more: Bool = false) -> SendEvent {
        .responseBody(ByteBuffer(string: text), moreBody: more)
    }

    static let ways: [Way] = [
        Way(
            name: "H9: start and one body are one response", sends: [begin(), body("hi")],
            events: [.respond(200, fields: "", body: "hi")]),
        Way(
            name: "H11: a streamed body is flushed by each send",
            sends: [begin(), body("a", more: true), body("b", more: true), body("c")],
            events: [.start(200, fields: ""), .write("a"), .flush, .write("b"), .flush, .write("c"), .finish]),
        Way(
            name: "H11: empty pieces write nothing", sends: [begin(), body("", more: true), body("")],
            events: [.start(200, fields: ""), .flush, .finish]),
        Way(
            name: "A5: a body before the start", sends: [body("hi")], events: [error],
            error: .unexpectedEvent("a response body before the response start"), logs: 1),
        Way(
            name: "A5: an event of another scope", sends: [.startupComplete], events: [error],
            error: .unexpectedEvent("a lifespan event in an HTTP scope"), logs: 1),
        Way(
            name: "A5: a status that is none of a final response", sends: [begin(Status(103))], events: [error],
            error: .unexpectedEvent("a response with status 103"), logs: 1),
        Way(
            name: "H12: a second start before the body", sends: [begin(), begin()], events: [error],
            error: .unexpectedEvent("a second response start"), logs: 1),
        Way(
            name: "H12: a second start in the body", sends: [begin(), body("a", more: true), begin()],
            events: [.start(200, fields: ""), .write("a"), .flush, .abort],
            error: .unexpectedEvent("a second response start"), logs: 1),
        Way(
            name: "H12: what comes after completion is ignored", sends: [begin(), body("a"), body("b"), begin()],
            events: [.respond(200, fields: "", body: "a")]),
        Way(
            name: "H10: Transfer-Encoding is the server's",
            sends: [begin(.ok, ["Transfer-Encoding": "chunked", "A": "1"]), body("a")],
            events: [.respond(200, fields: "A: 1", body: "a")]),
        Way(
            name: "H14: longer than Content-Length, at once", sends: [begin(.ok, ["Content-Length": "1"]), body("ab")],
            events: [error], error: .contentLengthMismatch, logs: 1),
        Way(
            name: "H14: shorter than Content-Length, at once",
            sends: [begin(.ok, ["Content-Length": "3"]), body("ab")],
            events: [error], error: .contentLengthMismatch, logs: 1),
        Way(
            name: "H14: longer than Content-Length, streamed",
            sends: [begin(.ok, ["Content-Length": "3"]), body("ab", more: true), body("cd", more: true)],
            events: [.start(200, fields: "Content-Length: 3"), .write("ab"), .flush, .abort],
            error: .contentLengthMismatch, logs: 1),
        Way(
            name: "H14: shorter than Content-Length, streamed",
            sends: [begin(.ok, ["Content-Length": "3"]), body("ab", more: true), body("")],
            events: [.start(200, fields: "Content-Length: 3"), .write("ab"), .flush, .abort],
            error: .contentLengthMismatch, logs: 1),
        Way(
            name: "H14: as long as Content-Length, streamed",
            sends: [begin(.ok, ["Content-Length": "3"]), body("ab", more: true), body("c")],
            events: [.start(200, fields: "Content-Length: 3"), .write("ab"), .flush, .write("c"), .finish]),
        Way(name: "H15: no answer at all", sends: [], events: [error], logs: 1),
        Way(name: "H15: only a start", sends: [begin()], events: [error], logs: 1),
        Way(
            name: "H15: a response that is not completed", sends: [begin(), body("a", more: true)],
            events: [.start(200, fields: ""), .write("a"), .flush, .abort], logs: 1),
        Way(
            name: "A6: raising before the start", sends: [], throwing: .contentLengthMismatch, events: [error], logs: 1),
        Way(
            name: "A6, H9: raising after the start, which an error replaces", sends: [begin(.created)],
            throwing: .contentLengthMismatch, events: [error], logs: 1),
        Way(
            name: "A6: raising in the body", sends: [begin(), body("a", more: true)], throwing: .contentLengthMismatch,
            events: [.start(200, fields: ""), .write("a"), .flush, .abort], logs: 1),
        Way(
            name: "A7: raising after completion is only logged", sends: [begin(), body("a")],
            throwing: .contentLengthMismatch, events: [.respond(200, fields: "", body: "a")], logs: 1),
        Way(
            name: "HEAD: a whole response keeps its body for the server to measure", method: .head,
            sends: [begin(), body("abc")], events: [.respond(200, fields: "", body: "abc")]),
        Way(
            name: "HEAD: Content-Length is kept and nothing measured", method: .head,
            sends: [begin(.ok, ["Content-Length": "9"]), body("")],
            events: [.respond(200, fields: "Content-Length: 9", body: "")]),
        Way(
            name: "HEAD: a streamed body is not sent", method: .head,
            sends: [
                begin(.ok, ["Content-Length": "9"]), body("abc", more: true), body("def", more: true), body("ghi"),
            ],
            events: [.start(200, fields: "Content-Length: 9"), .finish]),
        Way(
            name: "204 has no length", sends: [begin(.noContent, ["Content-Length": "0"]), body("")],
            events: [.respond(204, fields: "", body: "")]),
        Way(
            name: "304 keeps its length", sends: [begin(.notModified, ["Content-Length": "7"]), body("")],
            events: [.respond(304, fields: "Content-Length: 7", body: "")]),
    ]

    @Test("each way, on the loop and from a task elsewhere", arguments: ways, [true, false])
    func way(_ way: Way, onLoop: Bool) async throws {
        let log = LogRecorder()
        let exchange = FakeExchange(RequestHead(way.method, "/"), on: anyLoop())
        let ended = Gate()
        start(exchange, log: log) { _, _, send in
            defer { ended.open() }
            func all() async throws {
                for (index, event) in way.sends.enumerated() {
                    do {
                        try await send(event)
                        #expect(index < way.sends.count - 1 || way.error == nil)
                    } catch {
                        #expect(index == way.sends.count - 1)
                        #expect(error as? ASGIError == way.error)
                        throw error
                    }
                }
                if let error = way.throwing { throw error }
            }
            if onLoop { try await all() } else { try await Task.detached(operation: all).value }
        }
        await ended.opened()
        #expect(await exchange.done() == way.events)
        // The end of the application is handled in the turn of the loop after it at the latest.
        _ = await exchange.read { $0.isDone }
        #expect(log.all.count == way.logs, "\(log.all)")
        #expect(log.all.allSatisfy { $0.contains("request-id=request-1") })
    }

    @Test("respond is a whole response, from the loop and from elsewhere", arguments: [true, false])
    func respond(onLoop: Bool) async throws {
        let exchange = FakeExchange(on: anyLoop())
        start(exchange) { _, _, send in
            if onLoop {
                try await send.respond(.plain, ByteBuffer(string: "hello"))
            } else {
                try await Task.detached { try await send.respond(.plain, ByteBuffer(string: "hello")) }.value
            }
        }
        #expect(await exchange.done() == [.respond(200, fields: "Content-Type: text/plain", body: "hello")])
    }

    @Test("A9: send suspends until the connection is writable", arguments: [true, false])
    func backPressure(onLoop: Bool) async throws {
        let exchange = FakeExchange(on: anyLoop(), capacity: 1)
        let sent = Counter()
        start(exchange) { _, _, send in
            let all: @Sendable () async throws -> Void = {
                try await send(Self.begin())
                for _ in 0..<3 {
                    try await send(Self.body("x", more: true))
                    sent.increment()
                }
                try await send(Self.body(""))
            }
            if onLoop { try await all() } else { try await Task.detached(operation: all).value }
        }
        for round in 0..<3 {
            await exchange.until { $0.isWaitedForWritable }
            #expect(sent.value == round)
            exchange.drain()
            await exchange.until { !$0.isWritable && $0.isWaitedForWritable && $0.body.count == round + 2 || $0.isDone }
        }
        #expect(await exchange.done().last == .finish)
    }

    @Test("H13: send to a client that left throws disconnected, and no error is logged", arguments: [true, false])
    func disconnected(onLoop: Bool) async throws {
        let log = LogRecorder()
        let ended = Gate()
        let errors = Counter()
        let exchange = FakeExchange(on: anyLoop(), capacity: 1)
        start(exchange, log: log) { _, _, send in
            defer { ended.open() }
            let all: @Sendable () async throws -> Void = {
                try await send(Self.begin())
                do {
                    try await send(Self.body("x", more: true))
                } catch ASGIError.disconnected {
                    errors.increment()
                }
                try await send(Self.body("y", more: true))
            }
            if onLoop { try await all() } else { try await Task.detached(operation: all).value }
        }
        await exchange.until { $0.isWaitedForWritable }
        exchange.disconnect()
        await ended.opened()
        _ = await exchange.read { $0.isOpen }
        #expect(errors.value == 1)
        #expect(log.all.isEmpty)
    }
}
