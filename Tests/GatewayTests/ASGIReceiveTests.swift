import Gateway
import HTTP
import NIOCore
import Testing

/// What an asynchronous application receives (protocols H6–H8).
@Suite(.timeLimit(.minutes(10)))
struct ASGIReceiveTests {
    /// A request body as it comes in, and as it is received.
    struct Way: Sendable, CustomTestStringConvertible {
        var name: String
        var framing: BodyFraming
        var parts: [BodyPart]
        var received: [String]

        var testDescription: String { name }
    }

    static func bytes(_ text: String) -> BodyPart { .bytes(ByteBuffer(string: text)) }

    static let ways: [Way] = [
        Way(name: "H6: no body", framing: .none, parts: [.end], received: ["''."]),
        Way(
            name: "H6: a body of known length ends with its last bytes", framing: .length(4),
            parts: [bytes("ab"), bytes("cd"), .end], received: ["'ab'+", "'cd'."]),
        Way(name: "H6: an empty body of known length", framing: .length(0), parts: [.end], received: ["''."]),
        Way(
            name: "H6: a chunked body", framing: .chunked, parts: [bytes("ab"), bytes("cd"), .end],
            received: ["'ab'+", "'cd'+", "''."]),
        Way(
            name: "H8: a client that leaves in the body", framing: .length(9),
            parts: [bytes("ab"), .failed(.disconnected)], received: ["'ab'+", "disconnect", "disconnect"]),
        Way(
            name: "a body that is refused", framing: .chunked, parts: [bytes("ab"), .failed(.tooLarge)],
            received: ["'ab'+", "disconnect", "disconnect"]),
    ]

    static func text(_ event: ReceiveEvent) -> String {
        switch event {
        case .request(let body, let moreBody): "'\(String(buffer: body))'\(moreBody ? "+" : ".")"
        case .disconnect: "disconnect"
        case .webSocketConnect, .webSocketReceive, .webSocketDisconnect: "an event of a WebSocket"
        case .startup: "startup"
        case .shutdown: "shutdown"
        }
    }

    @Test(
        "each way, with the parts there at once or one by one, on the loop or elsewhere", arguments: ways,
        [(true, true), (true, false), (false, true), (false, false)])
    func way(_ way: Way, _ how: (atOnce: Bool, onLoop: Bool)) async throws {
        let exchange = FakeExchange(
            RequestHead(.post, "/", framing: way.framing), on: anyLoop(), body: how.atOnce ? way.parts : [])
        start(exchange) { _, receive, send in
            let all: @Sendable () async throws -> [String] = {
                var received: [String] = []
                while received.count < way.received.count { received.append(Self.text(try await receive())) }
                return received
            }
            let received = how.onLoop ? try await all() : try await Task.detached(operation: all).value
            #expect(received == way.received)
            try await send.respond(.plain, ByteBuffer())
        }
        if !how.atOnce {
            for part in way.parts {
                if way.framing != .none { await exchange.until { $0.isReceiving || $0.isDone } }
                exchange.send(part)
            }
        }
        #expect(await exchange.done().count == 1)
    }

    @Test("H7: after the body, receive waits for the client to leave, and then says so again and again")
    func disconnect() async throws {
        let exchange = FakeExchange(on: anyLoop())
        let ended = Gate()
        start(exchange) { (_, receive, _) async throws in
            defer { ended.open() }
            #expect(try await Self.text(receive()) == "''.")
            for _ in 0..<3 { #expect(try await Self.text(receive()) == "disconnect") }
        }
        await exchange.until { $0.isReceiving }
        exchange.disconnect()
        await ended.opened()
        #expect(await exchange.read { $0.events } == [])
    }

    @Test("H7: a receive that waits is told when the response is complete, and so are later ones")
    func afterCompletion() async throws {
        let exchange = FakeExchange(on: anyLoop())
        let ended = Gate()
        start(exchange) { _, receive, send in
            defer { ended.open() }
            _ = try await receive()
            async let waiting = receive()
            await exchange.until { $0.isReceiving }
            try await send.respond(.plain, ByteBuffer(string: "done"))
            #expect(try await Self.text(waiting) == "disconnect")
            #expect(try await Self.text(receive()) == "disconnect")
        }
        await ended.opened()
        #expect(await exchange.done().count == 1)
    }

    @Test("a second receive while one waits is an error")
    func twice() async throws {
        let exchange = FakeExchange(on: anyLoop())
        start(exchange) { _, receive, send in
            _ = try await receive()
            async let waiting = receive()
            await exchange.until { $0.isReceiving }
            await #expect(throws: ASGIError.unexpectedEvent("receive is already waited for")) { try await receive() }
            try await send.respond(.plain, ByteBuffer())
            _ = try await waiting
        }
        #expect(await exchange.done().count == 1)
    }

    @Test(
        "an application that gives up on a failed body leaves the answer to the gateway",
        arguments: [(BodyFailure.tooLarge, 413), (.malformed, 400), (.timedOut, 408), (.disconnected, 400)])
    func failureAnswered(failure: BodyFailure, status: Int) async throws {
        let log = LogRecorder()
        let exchange = FakeExchange(
            RequestHead(.post, "/", framing: .chunked), on: anyLoop(), body: [.failed(failure)])
        start(exchange, log: log) { _, receive, _ in
            _ = try await receive()
            throw ASGIError.disconnected
        }
        guard case .respond(status, _, _) = await exchange.done().first else {
            Issue.record("no \(status)")
            return
        }
        #expect(log.all.isEmpty)
    }
}
