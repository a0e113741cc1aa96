import Gateway
import HTTP
import NIOCore
import Testing

/// The body of a synchronous response (protocols W23, W31–W36, W39), on the pool and inline.
@Suite(.timeLimit(.minutes(10)))
struct WSGIBodyTests {
    /// One way through a response: what the application says and produces, and what goes out.
    struct Way: Sendable, CustomTestStringConvertible {
        var name: String
        var method = Method.get
        var status = Status.ok
        var fields: Fields = [:]
        var pieces: [Result<String, Failure>] = []
        var events: [FakeExchange.Event]
        var logs = 0
        /// How often the body is asked for a piece.
        var asked: Int

        var testDescription: String { name }
    }

    static let error = FakeExchange.Event.respond(
        500, fields: "Content-Type: text/plain; charset=utf-8", body: "500 Internal Server Error\n")

    static let ways: [Way] = [
        Way(name: "W23: an empty body is one response", events: [.respond(200, fields: "", body: "")], asked: 1),
        Way(
            name: "W23: an explicit length of 0 needs no iterating", fields: ["Content-Length": "0"],
            pieces: [.success("x")], events: [.respond(200, fields: "Content-Length: 0", body: "")], asked: 0),
        Way(
            name: "W23, W34: the head waits for the first non-empty piece; empty ones send nothing",
            pieces: [.success(""), .success("a"), .success(""), .success("b")],
            events: [.start(200, fields: ""), .write("a"), .write("b"), .finish], asked: 5),
        Way(
            name: "W35: no more than Content-Length, and no further piece", fields: ["Content-Length": "3"],
            pieces: [.success("ab"), .success("cd"), .success("ef")],
            events: [.start(200, fields: "Content-Length: 3"), .write("ab"), .write("c"), .finish], logs: 1, asked: 2),
        Way(
            name: "W35: exactly Content-Length", fields: ["content-length": " 2 "],
            pieces: [.success("ab"), .success("c")],
            events: [.start(200, fields: "content-length:  2 "), .write("ab"), .finish], asked: 1),
        Way(
            name: "W35: too few bytes abort", fields: ["Content-Length": "3"], pieces: [.success("ab")],
            events: [.start(200, fields: "Content-Length: 3"), .write("ab"), .abort], logs: 1, asked: 2),
        Way(
            name: "W35: none of the bytes announced is a failure that can still be told",
            fields: ["Content-Length": "3"], events: [error], logs: 1, asked: 1),
        Way(
            name: "a Content-Length that is no number", fields: ["Content-Length": "3x"], pieces: [.success("abc")],
            events: [error], logs: 1, asked: 0),
        Way(
            name: "two Content-Lengths that differ", fields: ["Content-Length": "3", "Content-Length": "4"],
            pieces: [.success("abc")], events: [error], logs: 1, asked: 0),
        Way(
            name: "W36: what is thrown after the first piece aborts", pieces: [.success("ab"), .failure(Failure())],
            events: [.start(200, fields: ""), .write("ab"), .abort], logs: 1, asked: 2),
        Way(
            name: "W37: what is thrown before the first piece is answered",
            pieces: [.success(""), .failure(Failure())],
            events: [error], logs: 1, asked: 2),
        Way(
            name: "W39: HEAD has no body, and keeps its length", method: .head, fields: ["Content-Length": "9"],
            pieces: [.success("ab"), .success("cd")], events: [.start(200, fields: "Content-Length: 9"), .finish],
            asked: 1),
        Way(
            name: "W39: HEAD without any piece", method: .head, fields: ["Content-Length": "9"],
            events: [.respond(200, fields: "Content-Length: 9", body: "")], asked: 1),
        Way(
            name: "W39: 204 has neither body nor length", status: .noContent,
            fields: ["Content-Length": "2", "X-A": "1"],
            pieces: [.success("ab")], events: [.respond(204, fields: "X-A: 1", body: "")], asked: 0),
        Way(
            name: "W39: 304 has no body, and keeps its length", status: .notModified, fields: ["Content-Length": "2"],
            pieces: [.success("ab")], events: [.respond(304, fields: "Content-Length: 2", body: "")], asked: 0),
    ]

    @Test("each way, with close called exactly once (W32)", arguments: ways, [false, true])
    func way(_ way: Way, inline: Bool) async throws {
        let asked = Counter()
        let closed = Counter()
        let outcome = try await serve(RequestHead(way.method, "/"), inline: inline) { _, startResponse in
            let body = PiecesBody(way.pieces, asked: asked, closed: closed)
            do {
                try startResponse(way.status, way.fields)
            } catch {
                var body = body
                body.close()
                throw error
            }
            return body
        }
        #expect(outcome.events == way.events)
        #expect(outcome.log.count == way.logs, "\(outcome.log)")
        #expect(asked.value == way.asked)
        #expect(closed.value == 1)
    }

    @Test("W31: start_response may be called in the first iteration", arguments: [false, true])
    func lateStart(inline: Bool) async throws {
        struct Late: WSGIBody {
            let startResponse: StartResponse
            var isDone = false
            mutating func next() throws -> ByteBuffer? {
                guard !isDone else { return nil }
                isDone = true
                try startResponse(.created, plain)
                return ByteBuffer(string: "made")
            }
        }
        let outcome = try await serve(inline: inline) { _, startResponse in Late(startResponse: startResponse) }
        #expect(outcome.events == [.start(201, fields: "Content-Type: text/plain"), .write("made"), .finish])
    }

    @Test("W31: a piece before start_response is an error", arguments: [false, true])
    func noStart(inline: Bool) async throws {
        let closed = Counter()
        let outcome = try await serve(inline: inline) { _, _ in PiecesBody("x", closed: closed) }
        #expect(outcome.events == [Self.error])
        #expect(outcome.log.first?.contains("responseNotStarted") == true)
        #expect(closed.value == 1)
    }

    @Test("W33: a body known to be one piece is a whole response", arguments: [false, true])
    func whole(inline: Bool) async throws {
        let outcome = try await serve(inline: inline) { _, startResponse in
            try startResponse(.ok, plain)
            return WholeBody("hello")
        }
        #expect(outcome.events == [.respond(200, fields: "Content-Type: text/plain", body: "hello")])
    }

    @Test("a whole body and its Content-Length", arguments: [("5", "hello", 0), ("2", "he", 1), ("9", nil, 1)])
    func wholeWithLength(length: String, sent: String?, logs: Int) async throws {
        let outcome = try await serve { _, startResponse in
            try startResponse(.ok, ["Content-Length": length])
            return WholeBody("hello")
        }
        #expect(
            outcome.events == [
                sent.map { .respond(200, fields: "Content-Length: \(length)", body: $0) } ?? Self.error
            ])
        #expect(outcome.log.count == logs)
    }

    @Test("write past Content-Length is cut and raises")
    func writePastLength() async throws {
        let outcome = try await serve { _, startResponse in
            let write = try startResponse(.ok, ["Content-Length": "3"])
            #expect(throws: WSGIError.contentLengthMismatch) { try write(ByteBuffer(string: "abcd")) }
            return PiecesBody()
        }
        #expect(outcome.events == [.start(200, fields: "Content-Length: 3"), .write("abc"), .finish])
    }
}
