import Gateway
import HTTP
import NIOCore
import Testing

/// `start_response` (protocols W22–W29, W37, W38), on the pool and inline.
@Suite(.timeLimit(.minutes(10)))
struct WSGIStartResponseTests {
    @Test("W22: it returns a write callable, whose data precede the body's (W38)", arguments: [false, true])
    func write(inline: Bool) async throws {
        let outcome = try await serve(inline: inline) { _, startResponse in
            let write = try startResponse(.ok, plain)
            try write(ByteBuffer(string: "one"))
            try write(ByteBuffer())
            try write(ByteBuffer(string: "two"))
            return PiecesBody("three")
        }
        #expect(
            outcome.events == [
                .start(200, fields: "Content-Type: text/plain"), .write("one"), .write("two"), .write("three"), .finish,
            ])
    }

    @Test("W22: a whole body after a write is no whole response", arguments: [false, true])
    func writeAndWhole(inline: Bool) async throws {
        let outcome = try await serve(inline: inline) { _, startResponse in
            try startResponse(.ok, plain)(ByteBuffer(string: "one"))
            return WholeBody("two")
        }
        #expect(
            outcome.events == [.start(200, fields: "Content-Type: text/plain"), .write("one"), .write("two"), .finish])
    }

    @Test("W24: an error before the headers went out replaces status and fields entirely", arguments: [false, true])
    func replaced(inline: Bool) async throws {
        let outcome = try await serve(inline: inline) { _, startResponse in
            try startResponse(.ok, ["Content-Type": "text/plain", "X-First": "1"])
            try startResponse(Status(502), ["X-Second": "2"], error: Failure())
            return WholeBody("sorry")
        }
        #expect(outcome.events == [.respond(502, fields: "X-Second: 2", body: "sorry")])
        #expect(outcome.log.isEmpty)
    }

    @Test("W24: also in the middle of the body, while its pieces were empty", arguments: [false, true])
    func replacedWhileIterating(inline: Bool) async throws {
        struct Body: WSGIBody {
            var step = 0
            let startResponse: StartResponse
            mutating func next() throws -> ByteBuffer? {
                step += 1
                switch step {
                case 1: return ByteBuffer()
                case 2:
                    try startResponse(.internalServerError, [:], error: Failure())
                    return ByteBuffer(string: "sorry")
                default: return nil
                }
            }
        }
        let outcome = try await serve(inline: inline) { _, startResponse in
            try startResponse(.ok, plain)
            return Body(startResponse: startResponse)
        }
        #expect(outcome.events == [.start(500, fields: ""), .write("sorry"), .finish])
    }

    @Test("W25: an error after the headers went out is thrown again, and aborts", arguments: [false, true])
    func rethrown(inline: Bool) async throws {
        let outcome = try await serve(inline: inline) { _, startResponse in
            try startResponse(.ok, plain)(ByteBuffer(string: "half"))
            #expect(throws: Failure()) {
                try startResponse(.internalServerError, [:], error: Failure())
            }
            throw Failure()
        }
        #expect(outcome.events == [.start(200, fields: "Content-Type: text/plain"), .write("half"), .abort])
        #expect(outcome.log.count == 1)
    }

    @Test("W26: a second call without an error is fatal, also when the first has raised", arguments: [false, true])
    func twice(inline: Bool) async throws {
        let outcome = try await serve(inline: inline) { _, startResponse in
            #expect(throws: WSGIError.hopByHopField("connection")) {
                try startResponse(.ok, ["Connection": "close"])
            }
            try startResponse(.ok, plain)
            return WholeBody("never")
        }
        #expect(
            outcome.events == [
                .respond(500, fields: "Content-Type: text/plain; charset=utf-8", body: "500 Internal Server Error\n")
            ])
        #expect(outcome.log.count == 1)
        #expect(outcome.log.first?.contains("responseAlreadyStarted") == true)
    }

    @Test(
        "W28: what only a server may send is refused at the call",
        arguments: [
            ("Connection", "close"), ("keep-alive", "1"), ("Proxy-Authenticate", "x"), ("TE", "trailers"),
            ("Trailer", "x"), ("Transfer-Encoding", "chunked"), ("UPGRADE", "h2c"),
        ])
    func hopByHop(name: String, value: String) async throws {
        let outcome = try await serve { _, startResponse in
            var fields = plain
            try fields.append(name: name, value: value)
            #expect(throws: WSGIError.hopByHopField(name.lowercased())) { try startResponse(.ok, fields) }
            throw Failure()
        }
        #expect(outcome.events.count == 1)
    }

    @Test("W28: a status that is none of a final response is refused", arguments: [0, 99, 100, 199, 1000])
    func status(code: Int) async throws {
        let outcome = try await serve { _, startResponse in
            try startResponse(Status(code), plain)
            return WholeBody("x")
        }
        #expect(
            outcome.events.first
                == .respond(500, fields: "Content-Type: text/plain; charset=utf-8", body: "500 Internal Server Error\n")
        )
    }

    @Test("W29: order and duplicates of fields are kept")
    func order() async throws {
        let outcome = try await serve { _, startResponse in
            try startResponse(.ok, ["Set-Cookie": "a=1", "X-B": "2", "Set-Cookie": "c=3"])
            return WholeBody("x")
        }
        #expect(outcome.events == [.respond(200, fields: "Set-Cookie: a=1, X-B: 2, Set-Cookie: c=3", body: "x")])
    }

    @Test(
        "W37: what is thrown before the headers is answered by 500 and logged once with the id",
        arguments: [false, true])
    func thrown(inline: Bool) async throws {
        let outcome = try await serve(inline: inline) { _, startResponse in
            try startResponse(.ok, plain)
            throw Failure()
        }
        #expect(
            outcome.events == [
                .respond(500, fields: "Content-Type: text/plain; charset=utf-8", body: "500 Internal Server Error\n")
            ])
        #expect(outcome.log.count == 1)
        #expect(outcome.log.first?.contains("request-id=request-1") == true)
        #expect(outcome.log.first?.contains("Failure") == true)
    }
}
