import Gateway
import Glibc
import HTTP
import NIOCore
import Testing
import Web

private struct Hello: Site {
    let name = "hello"

    var urls: URLs {
        path("") { _ in
            await Task.yield(); return .text("Hello, world!")
        }
        path("sync/") { _ in .text("Hello, thread!") }
        path("now/", Immediate { _ in .text("Hello, now!") })
        path("now/<int:id>/", Immediate { request in .text("\(try request.parameters.int("id"))") })
        path("now/missing/", Immediate { _ in throw Http404() })
        path("now/pieces/", Immediate { _ in .stream([ByteBuffer(string: "e"), ByteBuffer(string: "f")]) })
        path("home/", RedirectView(url: "/"))
        path("<int:id>/", name: "detail") { (request: Request, id: Int) in
            .text("\(id) at \(try request.url(for: "hello:detail", id))")
        }
        path("later/<slug:name>/") { (_: Request, name: String) async in
            await Task.yield()
            return .text(name)
        }
        path("echo/", echo)
        path("pieces/") { _ in .stream([ByteBuffer(string: "a"), ByteBuffer(string: "b")], contentType: .text) }
        path("stream/") { _ in
            .stream(
                AsyncThrowingStream<ByteBuffer, any Error> { stream in
                    stream.yield(ByteBuffer(string: "c"))
                    stream.yield(ByteBuffer(string: "d"))
                    stream.finish()
                }, contentType: .text)
        }
        path("broken/") { _ in throw WSGIError.responseNotStarted }
        path("json/") { request in .json(["q": .string(request.query["q"] ?? "")]) }
    }

    func echo(_ request: Request) throws -> Response { .text(try request.form.all("a").joined(separator: ",")) }
}

/// Calls of a synchronous view, and the threads they came on.
private struct Threads: Site {
    let name = "threads"
    var urls: URLs {
        path("sync/") { _ in .text("\(pthread_self())") }
        path("async/") { _ in
            await Task.yield()
            return .text("later")
        }
    }
}

@Suite struct WorkerThreads {
    /// A worker thread answers for itself: a synchronous view runs on it, an asynchronous one makes it wait.
    @Test func wsgiStaysOnItsThread() async throws {
        let application = SiteApplication(Threads())
        let pool = try ThreadPool(threads: 1, queueLimit: 4)
        defer { pool.close() }
        for (path, isOwn) in [("/sync/", true), ("/async/", false)] {
            let (thread, text) = try await pool.run { () -> (String, String) in
                let environ = Environ(
                    request: RequestHead(.get, path),
                    connection: ConnectionInfo(remoteAddress: nil, localAddress: nil), scriptName: "", pathInfo: path,
                    input: EmptyInput(), isMultithreaded: false, isMultiprocess: false, requestID: "")
                var body = try application(environ, StartResponse(begin: { _, _ in }, write: { _ in }))
                return ("\(pthread_self())", try body.next().map { String(buffer: $0) } ?? "")
            }
            #expect(text == (isOwn ? thread : "later"))
        }
    }

    /// The gateway's pool runs synchronous views under ASGI; full, it is answered by 503.
    @Test func asgiUsesThePool() async throws {
        let pool = try ThreadPool(threads: 1, queueLimit: 1)
        let application = SiteApplication(Threads(), executor: pool)
        #expect(try await TestClient(application).get("/sync/").status == 200)
        pool.close()
        let refused = try await TestClient(application).get("/sync/")
        #expect(refused.status == 503)
        #expect(refused.head.fields["Retry-After"] == "1")
        #expect(try await TestClient(application).get("/async/").status == 200)
    }

    private final class EmptyInput: WSGIInput {
        let count = 0
        func read(_ size: Int?) -> ByteBuffer { ByteBuffer() }
        func readLine() -> ByteBuffer { ByteBuffer() }
    }
}

@Suite struct ImmediateViews {
    /// What the site makes of a request before it is called.
    private func begin(_ path: String, _ method: Method = .get, _ site: any Site = Hello()) -> DirectAnswer {
        SiteApplication(site).begin(
            RequestHead(method, path), ConnectionInfo(remoteAddress: nil, localAddress: nil), rootPath: "", path: path,
            id: .text(""))
    }

    @Test(arguments: [("/now/", 200, "Hello, now!"), ("/now/3/", 200, "3"), ("/home/", 302, "")])
    func answerOnTheSpot(_ page: (path: String, status: Int, text: String)) {
        guard case .response(let head, let body) = begin(page.path) else {
            Issue.record("it went the other way")
            return
        }
        #expect(head.status.code == page.status)
        #expect(String(buffer: body) == page.text)
        #expect(head.fields["X-Content-Type-Options"] == "nosniff")
    }

    @Test func errorsAreAnswers() {
        guard case .response(let head, _) = begin("/now/missing/") else {
            Issue.record("it went the other way")
            return
        }
        #expect(head.status == .notFound)
    }

    /// Everything that waits, blocks, streams or must be checked first is called in the ordinary way.
    @Test(arguments: [
        ("/", Method.get), ("/sync/", .get), ("/nothing/", .get), ("/now/pieces/", .get), ("/now/", .post),
    ])
    func everythingElseIsCalled(_ path: String, _ method: Method) {
        guard case .call = begin(path, method) else {
            Issue.record("it went the other way")
            return
        }
    }

    @Test func middlewareIsNotPassedBy() {
        guard case .call = begin("/", .get, Guarded()) else {
            Issue.record("it went the other way")
            return
        }
    }

    private struct Guarded: Site {
        let name = "guarded"
        var urls: URLs { path("", Immediate { _ in .text("secret") }) }
        var middleware: [any Middleware] { [Refusal()] }
    }

    private struct Refusal: Middleware {
        func respond(to request: Request, next: Responder) async throws -> Response { .text("no", status: .forbidden) }
    }
}

@Suite struct BothGateways {
    @Test(
        arguments: TestClient.GatewayKind.allCases,
        [
            ("/", 200, "Hello, world!"), ("/sync/", 200, "Hello, thread!"), ("/7/", 200, "7 at /7/"),
            ("/now/", 200, "Hello, now!"), ("/now/3/", 200, "3"), ("/now/pieces/", 200, "ef"),
            ("/home/", 302, ""),
            ("/later/a-b/", 200, "a-b"), ("/pieces/", 200, "ab"), ("/stream/", 200, "cd"),
            ("/json/?q=%22%C3%A9", 200, #"{"q":"\"é"}"#),
        ])
    func pages(_ gateway: TestClient.GatewayKind, _ page: (path: String, status: Int, text: String)) async throws {
        let response = try await TestClient(Hello(), gateway: gateway).get(page.path)
        #expect(response.status.code == page.status)
        #expect(response.text == page.text)
    }

    @Test(arguments: ["/", "/sync/", "/now/", "/now/missing/", "/7/", "/nothing/", "/broken/", "/json", "/pieces/"])
    func areEqual(_ path: String) async throws {
        let wsgi = try await TestClient(Hello(), gateway: .wsgi).get(path)
        let asgi = try await TestClient(Hello(), gateway: .asgi).get(path)
        #expect(wsgi.status == asgi.status)
        #expect(wsgi.head.fields == asgi.head.fields)
        #expect(wsgi.text == asgi.text)
    }

    @Test(arguments: TestClient.GatewayKind.allCases)
    func form(_ gateway: TestClient.GatewayKind) async throws {
        let response = try await TestClient(Hello(), gateway: gateway).post("/echo/", ["a": "1", "b": "x", "a": "ü &"])
        #expect(response.text == "1,ü &")
    }

    @Test(arguments: TestClient.GatewayKind.allCases)
    func bodyLimit(_ gateway: TestClient.GatewayKind) async throws {
        var settings = SiteSettings()
        settings.bodyLimit = 10
        let client = TestClient(Hello(), gateway: gateway, settings: settings)
        #expect(try await client.post("/echo/", ["a": "12345678"]).status == 200)
        #expect(try await client.post("/echo/", ["a": "123456789"]).status == 413)
    }

    @Test func securityFields() async throws {
        let fields = try await TestClient(Hello()).get("/").head.fields
        #expect(fields["X-Content-Type-Options"] == "nosniff")
        #expect(fields["X-Frame-Options"] == "DENY")
        #expect(fields["Referrer-Policy"] == "same-origin")
        #expect(fields["Cross-Origin-Opener-Policy"] == "same-origin")
        #expect(fields["Content-Type"] == "text/plain; charset=utf-8")
    }
}
