import Gateway
import HTTP
import NIOCore
import Testing
import Web

private struct Sockets: Site {
    let name = "sockets"

    var urls: URLs {
        path("echo/", Echo(), name: "echo")
        path("open/", Echo(allowsAnyOrigin: true))
        path("room/<slug:name>/", Room())
        path("choosy/", Choosy())
        path("broken/", Broken())
        path("count/", Count())
        path("page/") { _ in .text("a page") }
    }

    var middleware: [any Middleware] { [Stamp()] }
    var migrations: [Migration] { [Migration("0001_initial", sql: "CREATE TABLE t (n INTEGER)")] }
}

/// Middleware sees handshakes as it sees requests.
private struct Stamp: Middleware {
    func respond(to request: Request, next: Responder) async throws -> Response {
        if request.query["stop"] != nil { return .text("stopped", status: .forbidden) }
        var response = try await next(request)
        response.fields.append("X-Stamp", "1")
        return response
    }
}

private struct Echo: WebSocketView {
    var allowsAnyOrigin = false

    func serve(_ socket: WebSocketSession) async throws {
        while let message = try await socket.receive() { try await socket.send(message) }
    }
}

private struct Room: WebSocketView {
    func serve(_ socket: WebSocketSession) async throws {
        let name = try socket.request.parameters.string("name")
        guard name != "cellar" else { throw PermissionDenied("not down there") }
        try await socket.accept(subprotocol: socket.subprotocols.first)
        try await socket.send(json: ["room": .string(name), "user": .string(socket.request.cookies["user"] ?? "")])
    }
}

private struct Choosy: WebSocketView {
    func serve(_ socket: WebSocketSession) async throws { try await socket.close() }
}

private struct Broken: WebSocketView {
    func serve(_ socket: WebSocketSession) async throws {
        try await socket.whileOpen { throw WSGIError.responseNotStarted }
    }
}

/// Sends the number of rows whenever the database changes.
private struct Count: WebSocketView {
    func serve(_ socket: WebSocketSession) async throws {
        let database = try socket.request.database
        let changes = database.changes
        try await socket.whileOpen {
            for await _ in changes {
                let count = try await socket.request.onThread { try database.rows("SELECT n FROM t").count }
                try await socket.send("\(count)")
            }
        }
    }
}

/// WebSocket views, as a site's own tests meet them.
@Suite(.timeLimit(.minutes(10)))
struct WebSocketViewTests {
    private let client = TestClient(Sockets())

    @Test func echoes() async throws {
        let socket = try await client.webSocket("/echo/")
        #expect(socket.refusal == nil && socket.subprotocol == nil)
        socket.send(.text("hello"))
        #expect(await socket.receiveText() == "hello")
        socket.send(.binary(ByteBuffer(bytes: [1, 2])))
        #expect(await socket.receive() == .binary(ByteBuffer(bytes: [1, 2])))
        await socket.close()
        #expect(socket.failure == nil)
    }

    @Test func hasARequest() async throws {
        let client = TestClient(Sockets())
        client.cookies = ["user": "ada"]
        let socket = try await client.webSocket(
            "/room/attic/", fields: [("Sec-WebSocket-Protocol", "json, xml"), ("Origin", "http://localhost")])
        #expect(socket.subprotocol == "json")
        #expect(await socket.receiveText() == #"{"room":"attic","user":"ada"}"#)
        #expect(await socket.receive() == nil)
        await socket.ended()
        #expect(socket.closeCode == 1000)
    }

    @Test(
        arguments: [
            ("/room/cellar/", [], 403, "not down there"), ("/nowhere/", [], 404, "no page"), ("/choosy/", [], 403, ""),
            ("/page/", [], 200, "a page"), ("/echo/?stop=1", [], 403, "stopped"),
            ("/echo/", [("Origin", "https://evil.example")], 403, "may not"),
            ("/echo/", [("Origin", "null")], 403, "may not"),
            ("/echo/", [("Origin", "http://localhost:8000")], 403, "may not"),
            ("/echo/", [("Origin", "http://localhost.evil.example")], 403, "may not"),
            ("/echo/", [("Host", "localhost.evil.example"), ("Origin", "http://localhost.evil.example")], 400, ""),
        ] as [(String, [(String, String)], Int, String)])
    func refuses(path: String, fields: [(String, String)], status: Int, text: String) async throws {
        let client = TestClient(
            Sockets(), settings: SiteSettings(database: .memory, allowedHosts: ["localhost"]))
        let socket = try await client.webSocket(path, fields: fields)
        let refusal = try #require(socket.refusal)
        #expect(refusal.status.code == status && refusal.text.contains(text))
        await socket.ended()
        #expect(socket.failure == nil)
    }

    @Test(arguments: [
        ("/echo/", "http://localhost"), ("/echo/", "https://LOCALHOST"), ("/echo/", "https://a.example.org"),
        ("/open/", "https://evil.example"),
    ])
    func takesOrigin(path: String, origin: String) async throws {
        var settings = SiteSettings(database: .memory)
        settings.trustedOrigins = ["https://*.example.org"]
        let client = TestClient(Sockets(), settings: settings)
        let socket = try await client.webSocket(path, fields: [("Origin", origin)])
        #expect(socket.refusal == nil)
        await socket.close()
    }

    @Test func ordinaryRequestsAreToldToUpgrade() async throws {
        let refused = try await client.get("/echo/")
        #expect(refused.status == 426 && refused.head.fields["Upgrade"] == "websocket")
        #expect(refused.head.fields["Sec-WebSocket-Version"] == "13")
        let wsgi = try await TestClient(Sockets(), gateway: .wsgi).get("/echo/")
        #expect(wsgi.status == 501 && wsgi.head.fields["Upgrade"] == nil)
    }

    /// What a view throws ends its socket, and is what the gateway is told.
    @Test func failsWhileOpen() async throws {
        let socket = try await client.webSocket("/broken/")
        #expect(await socket.receive() == nil)
        await socket.ended()
        #expect(socket.closeCode == 1011 && socket.failure as? WSGIError == .responseNotStarted)
    }

    @Test func followsTheDatabase() async throws {
        let socket = try await client.webSocket("/count/")
        #expect(await socket.receiveText() == "0")
        try client.application.database().execute("INSERT INTO t VALUES (1)")
        // The first look of the watcher may come to a message of its own.
        var text = await socket.receiveText()
        while text == "0" { text = await socket.receiveText() }
        #expect(text == "1")
        await socket.close()
        #expect(socket.failure == nil)
    }
}
