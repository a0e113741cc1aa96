import Gateway
import HTTP
import NIOCore
import Testing

/// Applications around applications, in both worlds.
@Suite(.timeLimit(.minutes(10)))
struct MiddlewareTests {
    /// Adds a field to every response.
    struct AddsField: WSGIMiddleware {
        let application: any WSGIApplication
        func callAsFunction(_ environ: Environ, _ startResponse: StartResponse) throws -> any WSGIBody {
            try application(environ, startResponse.mapHead { $0.fields.append("X-Wrapped", "yes") })
        }
    }

    /// The same for asynchronous applications.
    struct AddsFieldToo: ASGIMiddleware {
        let application: any ASGIApplication
        func callAsFunction(_ scope: Scope, _ receive: Receive, _ send: Send) async throws {
            try await application(scope, receive, send.mapHead { $0.fields.append("X-Wrapped", "yes") })
        }
    }

    @Test("WSGI: a wrapped startResponse sees each head; a whole body stays whole")
    func wsgi() async throws {
        let outcome = try await serve { environ, startResponse in
            let inner = WSGIFunction { _, startResponse in
                try startResponse(.ok, plain)
                return WholeBody("hi")
            }
            return try AddsField(application: AddsField(application: inner))(environ, startResponse)
        }
        #expect(
            outcome.events == [
                .respond(200, fields: "Content-Type: text/plain, X-Wrapped: yes, X-Wrapped: yes", body: "hi")
            ])
    }

    @Test("WSGI: errors and write go through")
    func wsgiErrors() async throws {
        let outcome = try await serve { environ, startResponse in
            let inner = WSGIFunction { _, startResponse in
                try startResponse(.ok, plain)
                let write = try startResponse(Status(503), [:], error: Failure())
                try write(ByteBuffer(string: "written"))
                return PiecesBody("!")
            }
            return try AddsField(application: inner)(environ, startResponse)
        }
        #expect(outcome.events == [.start(503, fields: "X-Wrapped: yes"), .write("written"), .write("!"), .finish])
    }

    @Test("ASGI: a wrapped send sees each head; a whole response stays whole", arguments: [true, false])
    func asgi(whole: Bool) async throws {
        let exchange = FakeExchange(on: anyLoop())
        start(exchange) { scope, receive, send in
            let inner = ASGIFunction { _, _, send in
                if whole {
                    try await send.respond(.plain, ByteBuffer(string: "hi"))
                } else {
                    try await send(.responseStart(.plain))
                    try await send(.responseBody(ByteBuffer(string: "hi"), moreBody: false))
                }
            }
            try await AddsFieldToo(application: inner)(scope, receive, send)
        }
        #expect(
            await exchange.done() == [.respond(200, fields: "Content-Type: text/plain, X-Wrapped: yes", body: "hi")])
    }

    @Test("ASGI: send and receive out of functions")
    func functions() async throws {
        let exchange = FakeExchange(
            RequestHead(.post, "/", framing: .chunked), on: anyLoop(), body: [.bytes(ByteBuffer(string: "abc")), .end])
        start(exchange) { scope, receive, send in
            let inner = ASGIFunction { _, receive, send in
                guard case .request(let body, _) = try await receive() else { throw Failure() }
                try await send.respond(.plain, body)
            }
            let upper = Send { event in
                guard case .responseBody(let body, let more) = event else { return try await send(event) }
                try await send(.responseBody(ByteBuffer(string: String(buffer: body).uppercased()), moreBody: more))
            }
            let doubled = Receive {
                guard case .request(var body, let more) = try await receive() else { return .disconnect }
                body.writeImmutableBuffer(body)
                return .request(body: body, moreBody: more)
            }
            try await inner(scope, doubled, upper)
        }
        #expect(await exchange.done() == [.respond(200, fields: "Content-Type: text/plain", body: "ABCABC")])
    }
}
