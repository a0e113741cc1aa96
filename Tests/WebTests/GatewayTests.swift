import Gateway
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

@Suite struct BothGateways {
    @Test(
        arguments: TestClient.GatewayKind.allCases,
        [
            ("/", 200, "Hello, world!"), ("/sync/", 200, "Hello, thread!"), ("/7/", 200, "7 at /7/"),
            ("/later/a-b/", 200, "a-b"), ("/pieces/", 200, "ab"), ("/stream/", 200, "cd"),
            ("/json/?q=%22%C3%A9", 200, #"{"q":"\"é"}"#),
        ])
    func pages(_ gateway: TestClient.GatewayKind, _ page: (path: String, status: Int, text: String)) async throws {
        let response = try await TestClient(Hello(), gateway: gateway).get(page.path)
        #expect(response.status.code == page.status)
        #expect(response.text == page.text)
    }

    @Test(arguments: ["/", "/sync/", "/7/", "/nothing/", "/broken/", "/json", "/pieces/"])
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
