import Gateway
import HTTP
import NIOCore
import NIOEmbedded
import Synchronization
import Testing

/// Applications that answer on the spot.
@Suite struct DirectASGITests {
    /// An answer on the spot, and what goes out.
    struct Way: Sendable, CustomTestStringConvertible {
        var name: String
        var method = Method.get
        var head: ResponseHead
        var event: FakeExchange.Event
        var logs = 0

        var testDescription: String { name }
    }

    static let ways: [Way] = [
        Way(
            name: "a whole response", head: ResponseHead(.ok, ["X-A": "b"]),
            event: .respond(200, fields: "X-A: b", body: "hi")),
        Way(
            name: "the right Content-Length", head: ResponseHead(.ok, ["Content-Length": "2"]),
            event: .respond(200, fields: "Content-Length: 2", body: "hi")),
        Way(
            name: "another Content-Length", head: ResponseHead(.ok, ["Content-Length": "3"]),
            event: ASGISendTests.error, logs: 1),
        Way(
            name: "another Content-Length for HEAD", method: .head, head: ResponseHead(.ok, ["Content-Length": "3"]),
            event: .respond(200, fields: "Content-Length: 3", body: "hi")),
        Way(
            name: "framing is the server's business", head: ResponseHead(.ok, ["Transfer-Encoding": "chunked"]),
            event: .respond(200, fields: "", body: "hi")),
        Way(
            name: "204 has no length", head: ResponseHead(.noContent, ["Content-Length": "2"]),
            event: .respond(204, fields: "", body: "hi")),
    ]

    @Test(arguments: ways) func answer(_ way: Way) throws {
        let loop = EmbeddedEventLoop()
        let log = LogRecorder()
        let application = Direct { _, _, _ in .response(way.head, ByteBuffer(string: "hi")) }
        let exchange = FakeExchange(RequestHead(way.method, "/"), on: loop)
        ASGIHandler(application, on: loop, logger: log.logger).handle(exchange, scriptName: "", path: "/")
        #expect(exchange.events == [way.event])
        #expect(log.all.count == way.logs)
        #expect(application.calls.value == 0)
    }

    @Test("what is prepared comes with the scope, until a middleware changes it")
    func prepared() throws {
        let loop = EmbeddedEventLoop()
        let application = Direct { rootPath, path, id in
            #expect(rootPath == "/app")
            #expect(path == "/page")
            #expect(id.text == "request-1")
            return .call(Prepared(number: 7))
        }
        let exchange = FakeExchange(RequestHead(.get, "/app/page"), on: loop)
        ASGIHandler(application, on: loop, logger: LogRecorder().logger)
            .handle(exchange, scriptName: "/app", path: "/page")
        #expect(exchange.body == "7, then nothing")
    }

    @Test("a request with a body is not begun")
    func body() async throws {
        let exchange = FakeExchange(
            RequestHead(.post, "/", framing: .length(1)), on: anyLoop(), body: [.bytes(ByteBuffer(string: "a")), .end])
        let begun = Counter()
        let application = Direct { _, _, _ in
            begun.increment()
            return .response(.plain, ByteBuffer())
        }
        exchange.eventLoop.execute {
            ASGIHandler(application, on: exchange.eventLoop, logger: LogRecorder().logger)
                .handle(exchange, scriptName: "", path: "/")
        }
        _ = await exchange.done()
        #expect(await exchange.read { $0.body } == "nothing, then nothing")
        #expect(begun.value == 0)
    }

    private final class Prepared: Sendable {
        let number: Int

        init(number: Int) { self.number = number }
    }

    /// Begins by a function; called, it tells what was prepared.
    private struct Direct: DirectASGIApplication {
        let calls = Counter()
        let function: @Sendable (String, String, RequestID) -> DirectAnswer

        init(_ function: @escaping @Sendable (String, String, RequestID) -> DirectAnswer) { self.function = function }

        func begin(
            _ head: consuming RequestHead, _ connection: consuming ConnectionInfo, rootPath: consuming String,
            path: consuming String, id: consuming RequestID
        ) -> DirectAnswer { function(rootPath, path, id) }

        func callAsFunction(_ scope: Scope, _ receive: Receive, _ send: Send) async throws {
            calls.increment()
            guard case .http(let http) = scope else { throw Failure() }
            var changed = http
            changed.path = "/other"
            let texts = [http, changed].map { scope in
                (scope.prepared as? Prepared).map { "\($0.number)" } ?? "nothing"
            }
            try await send.respond(.plain, ByteBuffer(string: texts.joined(separator: ", then ")))
        }
    }
}
