import Foundation
import Gateway
import HTTP
import NIOCore
import Testing

/// The response extensions of ASGI: trailers, early hints, pathsend, zerocopysend.
@Suite(.timeLimit(.minutes(10)))
struct ASGIExtensionTests {
    /// A file of ten bytes.
    static let file: String = {
        let path = FileManager.default.temporaryDirectory.appending(path: "asgi-extension-\(UUID().uuidString)").path
        _ = FileManager.default.createFile(atPath: path, contents: Data("0123456789".utf8))
        return path
    }()

    struct Way: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var method = Method.get
        let sends: [SendEvent]
        let events: [FakeExchange.Event]
        var logs = 0
    }

    static let error = ASGISendTests.error

    static func begin(_ fields: Fields = [:], trailers: Bool = false) -> SendEvent {
        .responseStart(ResponseHead(.ok, fields), trailers: trailers)
    }

    static func body(_ text: String, more: Bool = false) -> SendEvent {
        .responseBody(ByteBuffer(string: text), moreBody: more)
    }

    static let ways: [Way] = [
        Way(
            testDescription: "trailers complete the response",
            sends: [
                begin(trailers: true), body("a"), .responseTrailers(["X-A": "1"], moreTrailers: true),
                .responseTrailers(["X-B": "2"], moreTrailers: false),
            ],
            events: [.start(200, fields: ""), .write("a"), .flush, .flush, .trailers("X-A: 1, X-B: 2")]),
        Way(
            testDescription: "trailers behind a streamed body",
            sends: [
                begin(trailers: true), body("a", more: true), body("b"),
                .responseTrailers(["X-A": "1"], moreTrailers: false),
            ],
            events: [.start(200, fields: ""), .write("a"), .flush, .write("b"), .flush, .trailers("X-A: 1")]),
        Way(
            testDescription: "announced trailers that never come are a response cut short",
            sends: [begin(trailers: true), body("a")],
            events: [.start(200, fields: ""), .write("a"), .flush, .flush, .abort], logs: 1),
        Way(
            testDescription: "trailers that were not announced are ignored",
            sends: [begin(), body("a"), .responseTrailers(["X-A": "1"], moreTrailers: false)],
            events: [.respond(200, fields: "", body: "a")]),
        Way(
            testDescription: "trailers before the body",
            sends: [begin(trailers: true), .responseTrailers(["X-A": "1"], moreTrailers: false)], events: [error],
            logs: 1),
        Way(
            testDescription: "a body after its end", sends: [begin(trailers: true), body("a"), body("b")],
            events: [.start(200, fields: ""), .write("a"), .flush, .flush, .abort], logs: 1),
        Way(
            testDescription: "HEAD: there is nothing for trailers to follow", method: .head,
            sends: [begin(trailers: true), body("a"), .responseTrailers(["X-A": "1"], moreTrailers: false)],
            events: [.start(200, fields: ""), .finish]),
        Way(
            testDescription: "hints go ahead of the response",
            sends: [
                begin(), .responseEarlyHint(links: ["</a>", "</b>"]), .responseEarlyHint(links: ["</c>"]), body("a"),
            ],
            events: [
                .inform(103, fields: "Link: </a>, Link: </b>"), .inform(103, fields: "Link: </c>"),
                .respond(200, fields: "", body: "a"),
            ]),
        Way(
            testDescription: "hints that come too late are ignored",
            sends: [begin(), body("a", more: true), .responseEarlyHint(links: ["</a>"]), body("")],
            events: [.start(200, fields: ""), .write("a"), .flush, .finish]),
        Way(
            testDescription: "hints before the response start", sends: [.responseEarlyHint(links: ["</a>"])],
            events: [error], logs: 1),
        Way(
            testDescription: "a path is the whole body", sends: [begin(), .responsePath(file)],
            events: [.start(200, fields: "Content-Length: 10"), .flush, .file(offset: 0, count: 10), .finish]),
        Way(
            testDescription: "a path of the announced length",
            sends: [begin(["Content-Length": "10"]), .responsePath(file)],
            events: [.start(200, fields: "Content-Length: 10"), .flush, .file(offset: 0, count: 10), .finish]),
        Way(
            testDescription: "a path of another length", sends: [begin(["Content-Length": "11"]), .responsePath(file)],
            events: [error], logs: 1),
        Way(
            testDescription: "HEAD: the file's length, and nothing of it", method: .head,
            sends: [begin(), .responsePath(file)], events: [.start(200, fields: "Content-Length: 10"), .finish]),
        Way(
            testDescription: "a path that does not exist is 500", sends: [begin(), .responsePath("/nowhere")],
            events: [error], logs: 1),
        Way(
            testDescription: "a path that is a directory is 500", sends: [begin(), .responsePath("/tmp")],
            events: [error],
            logs: 1),
        Way(
            testDescription: "a path that is not absolute is 500", sends: [begin(), .responsePath("etc/passwd")],
            events: [error], logs: 1),
        Way(
            testDescription: "a path within a body", sends: [begin(), body("a", more: true), .responsePath(file)],
            events: [.start(200, fields: ""), .write("a"), .flush, .abort], logs: 1),
    ]

    @Test(arguments: ways)
    func way(_ way: Way) async throws {
        let log = LogRecorder()
        let exchange = FakeExchange(RequestHead(way.method, "/"), on: anyLoop())
        let ended = Gate()
        start(exchange, log: log) { _, _, send in
            defer { ended.open() }
            for event in way.sends { try await send(event) }
        }
        await ended.opened()
        #expect(await exchange.done() == way.events)
        _ = await exchange.read { $0.isDone }
        #expect(log.all.count == way.logs, "\(log.all)")
    }

    /// The part that is sent, and the descriptor stays the application's.
    @Test(
        arguments: [
            (nil, nil, 0, 10), (nil, 4, 0, 4), (2, nil, 2, 8), (3, 4, 3, 4), (10, nil, 10, 0),
        ] as [(Int?, Int?, Int, Int)])
    func zeroCopy(offset: Int?, count: Int?, start: Int, length: Int) async throws {
        let exchange = FakeExchange(on: anyLoop())
        GatewayTests.start(exchange) { _, _, send in
            let descriptor = try openForReading(Self.file)
            try await send(Self.begin())
            try await send(Self.body("<", more: true))
            try await send(.responseFile(descriptor: descriptor, offset: offset, count: count, moreBody: true))
            #expect(close(descriptor) == 0)
            try await send(Self.body(">"))
        }
        let file = FakeExchange.Event.file(offset: start, count: length)
        #expect(
            await exchange.done().filter { $0 != .flush }
                == [.start(200, fields: ""), .write("<")] + (length > 0 ? [file] : []) + [.write(">"), .finish])
    }

    /// From where the file stands.
    @Test func zeroCopyFromThePosition() async throws {
        let exchange = FakeExchange(on: anyLoop())
        start(exchange) { _, _, send in
            let descriptor = try openForReading(Self.file)
            defer { close(descriptor) }
            lseek(descriptor, 7, SEEK_SET)
            try await send(Self.begin(["Content-Length": "3"]))
            try await send(.responseFile(descriptor: descriptor, moreBody: false))
        }
        #expect(
            await exchange.essenceWhenDone() == [
                .start(200, fields: "Content-Length: 3"), .file(offset: 7, count: 3), .finish,
            ])
    }

    @Test(arguments: [(-1, 0, 1), (nil, 5, 6), (nil, 11, nil), (nil, 0, 11), (nil, -1, nil)] as [(Int32?, Int?, Int?)])
    func zeroCopyOfNothing(descriptor: Int32?, offset: Int?, count: Int?) async throws {
        let exchange = FakeExchange(on: anyLoop())
        start(exchange) { _, _, send in
            let own = try openForReading(Self.file)
            defer { close(own) }
            try await send(Self.begin())
            try await send(
                .responseFile(descriptor: descriptor ?? own, offset: offset, count: count, moreBody: false))
        }
        #expect(await exchange.done() == [Self.error])
    }
}

extension FakeExchange {
    /// What was done, without the flushes, once the response is complete.
    func essenceWhenDone() async -> [Event] { await done().filter { $0 != .flush } }
}
