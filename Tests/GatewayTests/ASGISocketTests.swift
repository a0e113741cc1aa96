import Gateway
import HTTP
import NIOCore
import Synchronization
import Testing

/// WebSockets of an asynchronous application (protocols S1–S10, extension `websocket.http.response`).
@Suite(.timeLimit(.minutes(10)))
struct ASGISocketTests {
    typealias Body = @Sendable (WebSocketScope, Receive, Send) async throws -> Void

    /// An application is called for a handshake; returns once it has ended.
    private func run(
        events: [WebSocketEvent] = [], fields: [(String, String)] = [], log: LogRecorder = LogRecorder(),
        state: LifespanState? = nil, capacity: Int = .max, onLoop: Bool = true,
        during: (FakeExchange) async -> Void = { _ in },
        _ body: @escaping Body
    ) async -> FakeExchange {
        let loop = anyLoop()
        let exchange = FakeExchange(
            RequestHead(.get, "/", fields: WebSocketHandshakeTests.fields() + fields), on: loop)
        exchange.socket = FakeWebSocket(on: loop, events: events, capacity: capacity)
        let ended = Gate()
        loop.execute {
            let handler = ASGIHandler(
                ASGIFunction { scope, receive, send in
                    guard case .webSocket(let scope) = scope else { throw Failure() }
                    defer { ended.open() }
                    if onLoop {
                        try await body(scope, receive, send)
                    } else {
                        try await Task.detached { try await body(scope, receive, send) }.value
                    }
                }, on: loop, state: state, logger: log.logger)
            handler.handle(exchange, scriptName: "/app", path: "/page")
        }
        await during(exchange)
        await ended.opened()
        // The end of the application is handled in the turn of the loop after it at the latest.
        _ = await exchange.read { $0.isOpen }
        return exchange
    }

    private static func text(_ event: ReceiveEvent) -> String {
        switch event {
        case .webSocketConnect: "connect"
        case .webSocketReceive(let message): "receive \(String(buffer: message.bytes))"
        case .webSocketDisconnect(let code, let reason): "disconnect \(code) \(reason)"
        default: "another event"
        }
    }

    @Test("S1, S2, S5–S8: from the handshake to the end", arguments: [true, false])
    func wholeLife(onLoop: Bool) async throws {
        let told = Mutex<[String]>([])
        let exchange = await run(
            events: [
                .message(.text("one")), .message(.binary(ByteBuffer(string: "two"))), .closed(code: 1001, reason: "x"),
            ],
            fields: [("Sec-WebSocket-Protocol", "a, b")], onLoop: onLoop
        ) { scope, receive, send in
            #expect(scope.scheme == "ws" && scope.rootPath == "/app" && scope.path == "/page")
            #expect(scope.subprotocols == ["a", "b"])
            func next() async throws {
                let event = try await receive()
                told.withLock { $0.append(Self.text(event)) }
            }
            try await next()
            try await send(.webSocketAccept(subprotocol: "b", fields: ["X-A": "1"]))
            for _ in 0..<4 { try await next() }
        }
        #expect(
            told.withLock { $0 } == [
                "connect", "receive one", "receive two", "disconnect 1001 x", "disconnect 1001 x",
            ])
        let socket = try #require(exchange.socket)
        #expect(await exchange.read { _ in socket.accepted?.subprotocol } == "b")
        #expect(await exchange.read { _ in socket.accepted?.fields } == "X-A: 1")
        #expect(await exchange.read { _ in socket.isFinished })
    }

    @Test("S6: messages are sent, and waited for while the connection is full", arguments: [true, false])
    func sends(onLoop: Bool) async throws {
        let exchange = await run(capacity: 1, onLoop: onLoop) { _, receive, send in
            _ = try await receive()
            try await send(.webSocketAccept())
            try await send(.webSocketSend(.text("hello")))
            try await send(.webSocketSend(.binary(ByteBuffer(string: "bytes"))))
            try await send(.webSocketClose(code: 3001, reason: "done"))
            // What comes after its own close is ignored.
            try await send(.webSocketSend(.text("late")))
        }
        let sent = await exchange.read { $0.socket?.sent }
        #expect(sent == [.text("hello"), .binary(ByteBuffer(string: "bytes"))])
        #expect(await exchange.read { $0.socket?.closed?.code } == 3001)
        #expect(await exchange.read { $0.socket?.waits } == 1)
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let body: Body
        let events: [FakeExchange.Event]
        var logs = 0
    }

    static let error = FakeExchange.Event.respond(
        500, fields: "Content-Type: text/plain; charset=utf-8", body: "500 Internal Server Error\n")

    static let refusals = [
        Refusal(
            testDescription: "S4: close before accept is 403",
            body: { _, receive, send in
                _ = try await receive()
                try await send(.webSocketClose())
                #expect(Self.text(try await receive()) == "disconnect 1006 ")
            },
            events: [.respond(403, fields: "Content-Type: text/plain; charset=utf-8", body: "403 Forbidden\n")]),
        Refusal(
            testDescription: "S4: an error before accept is 500",
            body: { _, receive, _ in
                _ = try await receive()
                throw Failure()
            }, events: [error], logs: 1),
        Refusal(testDescription: "returning without an answer is 500", body: { _, _, _ in }, events: [error], logs: 1),
        Refusal(
            testDescription: "an accept before the connection was received",
            body: { _, _, send in try await send(.webSocketAccept()) }, events: [error], logs: 1),
        Refusal(
            testDescription: "S3: a subprotocol among the fields",
            body: { _, receive, send in
                _ = try await receive()
                try await send(.webSocketAccept(fields: ["sec-websocket-protocol": "a"]))
            }, events: [error], logs: 1),
        Refusal(
            testDescription: "a message before accept",
            body: { _, receive, send in
                _ = try await receive()
                try await send(.webSocketSend(.text("early")))
            }, events: [error], logs: 1),
        Refusal(
            testDescription: "an HTTP response is no answer",
            body: { _, receive, send in
                _ = try await receive()
                try await send(.responseStart(.plain))
            }, events: [error], logs: 1),
        Refusal(
            testDescription: "a whole response of its own, and the connection closes",
            body: { _, receive, send in
                _ = try await receive()
                try await send(.webSocketResponseStart(ResponseHead(Status(401), ["X-A": "1"])))
                try await send(.webSocketResponseBody(ByteBuffer(string: "who?"), moreBody: false))
                #expect(Self.text(try await receive()) == "disconnect 1006 ")
            }, events: [.respond(401, fields: "X-A: 1, Connection: close", body: "who?")]),
        Refusal(
            testDescription: "a streamed response of its own",
            body: { _, receive, send in
                _ = try await receive()
                try await send(.webSocketResponseStart(ResponseHead(Status(401))))
                try await send(.webSocketResponseBody(ByteBuffer(string: "a"), moreBody: true))
                try await send(.webSocketResponseBody(ByteBuffer(string: "b"), moreBody: false))
            }, events: [.start(401, fields: "Connection: close"), .write("a"), .flush, .write("b"), .finish]),
        Refusal(
            testDescription: "accept after a response was begun",
            body: { _, receive, send in
                _ = try await receive()
                try await send(.webSocketResponseStart(ResponseHead(Status(401))))
                try await send(.webSocketAccept())
            }, events: [error], logs: 1),
    ]

    @Test(arguments: refusals, [true, false])
    func refuses(_ refusal: Refusal, onLoop: Bool) async {
        let log = LogRecorder()
        let exchange = await run(log: log, onLoop: onLoop, refusal.body)
        #expect(await exchange.done() == refusal.events)
        #expect(log.all.count == refusal.logs, "\(log.all)")
        #expect(await exchange.read { $0.socket?.accepted == nil })
    }

    @Test("S9: an application that dies closes with 1011, one that returns with 1000", arguments: [true, false])
    func endsOpen(dies: Bool) async {
        let log = LogRecorder()
        let exchange = await run(log: log) { _, receive, send in
            _ = try await receive()
            try await send(.webSocketAccept())
            if dies { throw Failure() }
        }
        #expect(await exchange.read { $0.socket?.closed?.code } == (dies ? 1011 : 1000))
        #expect(await exchange.read { $0.socket?.isFinished == true })
        #expect(log.all.count == (dies ? 1 : 0))
    }

    @Test("S9: sending to a client that left throws disconnected, and no error is logged", arguments: [true, false])
    func sendsToNobody(onLoop: Bool) async {
        let log = LogRecorder()
        let errors = Counter()
        _ = await run(events: [.closed(code: 1006, reason: "")], log: log, onLoop: onLoop) { _, receive, send in
            _ = try await receive()
            try await send(.webSocketAccept())
            #expect(Self.text(try await receive()) == "disconnect 1006 ")
            do { try await send(.webSocketSend(.text("anybody?"))) } catch ASGIError.disconnected { errors.increment() }
            try await send(.webSocketSend(.text("anybody?")))
        }
        #expect(errors.value == 1 && log.all.isEmpty)
    }

    @Test("a client that leaves while the handshake waits", arguments: [true, false])
    func leavesEarly(onLoop: Bool) async {
        let log = LogRecorder()
        let waiting = Gate()
        _ = await run(
            log: log, onLoop: onLoop,
            during: { exchange in
                await waiting.opened()
                exchange.disconnect()
            }
        ) { _, receive, send in
            _ = try await receive()
            waiting.open()
            #expect(Self.text(try await receive()) == "disconnect 1006 ")
            try await send(.webSocketAccept())
        }
        #expect(log.all.isEmpty)
    }

    @Test("a code that may not be sent is an error", arguments: [0, 999, 1005, 1006, 1015, 5000])
    func closeCodes(_ code: UInt16) async {
        let log = LogRecorder()
        let exchange = await run(log: log) { _, receive, send in
            _ = try await receive()
            try await send(.webSocketAccept())
            try await send(.webSocketClose(code: code))
        }
        #expect(await exchange.read { $0.socket?.closed?.code } == 1011)
        #expect(log.all.count == 1)
    }

    @Test("L7, H5: each scope has a copy of what the application kept")
    func state() async {
        let state = LifespanState()
        let shared = Counter()
        state["counter"] = shared
        for _ in 0..<2 {
            _ = await run(state: state) { scope, _, _ in
                var scope = scope
                #expect(scope.state["own"] == nil)
                scope.state["own"] = 1
                (scope.state["counter"] as? Counter)?.increment()
            }
            let exchange = FakeExchange(on: anyLoop())
            exchange.eventLoop.execute {
                let handler = ASGIHandler(
                    ASGIFunction { scope, _, send in
                        guard case .http(var scope) = scope else { throw Failure() }
                        #expect(scope.state["own"] == nil)
                        scope.state["own"] = 1
                        scope.path = "/changed"
                        #expect(scope.state["own"] as? Int == 1)
                        (scope.state["counter"] as? Counter)?.increment()
                        try await send.respond(.plain, ByteBuffer())
                    }, on: exchange.eventLoop, state: state, logger: LogRecorder().logger)
                handler.handle(exchange, scriptName: "", path: "/")
            }
            _ = await exchange.done()
        }
        #expect(shared.value == 4 && state.values.count == 1)
    }

    @Test("L2: what the application keeps at its start is there in its requests")
    func lifespanState() async throws {
        let state = LifespanState()
        let lifespan = ASGILifespan(
            ASGIFunction { scope, receive, send in
                guard case .lifespan(let scope) = scope else { throw Failure() }
                _ = try await receive()
                scope.state["name"] = "kept"
                try await send(.startupComplete)
                _ = try await receive()
                try await send(.shutdownComplete)
            }, on: anyLoop(), state: state, logger: LogRecorder().logger)
        try await lifespan.startup(timeout: .seconds(30))
        _ = await run(state: state) { scope, _, _ in #expect(scope.state["name"] as? String == "kept") }
        try await lifespan.shutdown(timeout: .seconds(30))
    }
}
