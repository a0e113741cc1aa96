import Gateway
public import HTTP
public import NIOCore
import NIOEmbedded
import Synchronization

/// A client in memory: calls a site through either gateway, without sockets, keeps cookies, and follows redirects when
/// told to.
///
/// ```swift
/// let client = TestClient(Polls())
/// let page = try await client.get("/1/")
/// let voted = try await client.post("/1/vote/", ["choice": "2"], follow: true)
/// ```
public final class TestClient: Sendable {
    /// The gateway requests go through.
    public enum GatewayKind: String, Sendable, CaseIterable {
        case wsgi, asgi
    }

    public let application: SiteApplication
    public let gateway: GatewayKind
    /// Whether forms must prove where they come from. Off by default, so that tests need not fetch a page before each
    /// form; the client then brings a valid token along by itself.
    public let enforcesCSRF: Bool
    /// Where the site is mounted.
    public let scriptName: String
    private let isSecure: Bool
    private let jar = Mutex<[String: String]>([:])

    /// A client of `site`, by default with a database in memory.
    public convenience init(
        _ site: any Site, gateway: GatewayKind = .asgi, settings: SiteSettings = SiteSettings(database: .memory),
        enforcesCSRF: Bool = false
    ) {
        self.init(SiteApplication(site, settings: settings), gateway: gateway, enforcesCSRF: enforcesCSRF)
    }

    /// A client of an application that several clients share, as several users would.
    public init(
        _ application: SiteApplication, gateway: GatewayKind = .asgi, enforcesCSRF: Bool = false,
        scriptName: String = "", isSecure: Bool = false
    ) {
        self.application = application
        self.gateway = gateway
        self.enforcesCSRF = enforcesCSRF
        self.scriptName = scriptName
        self.isSecure = isSecure
    }

    /// The cookies the client holds.
    public var cookies: [String: String] {
        get { jar.withLock { $0 } }
        set { jar.withLock { $0 = newValue } }
    }

    /// Fetches a page. `path` is the whole path with the query, percent-encoded, as in a link.
    public func get(
        _ path: String, fields: [(String, String)] = [], follow: Bool = false
    ) async throws -> TestResponse {
        try await send(.get, path, fields: fields, follow: follow)
    }

    /// Sends a form.
    public func post(
        _ path: String, _ form: QueryValues = [:], fields: [(String, String)] = [], follow: Bool = false
    ) async throws -> TestResponse {
        try await send(
            .post, path, fields: fields + [("Content-Type", "application/x-www-form-urlencoded")],
            body: ByteBuffer(string: form.encoded), follow: follow)
    }

    /// Sends JSON.
    public func post(_ path: String, json: JSONValue, fields: [(String, String)] = []) async throws -> TestResponse {
        try await send(.post, path, fields: fields + [("Content-Type", "application/json")], body: json.bytes)
    }

    /// Opens a WebSocket, through ASGI: WSGI has none. Returns when the site has answered the handshake.
    public func webSocket(_ path: String, fields: [(String, String)] = []) async throws -> TestWebSocket {
        let cookies = cookies.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let head = RequestHead(
            .get, path,
            fields: [
                ("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Version", "13"),
                ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
            ] + fields + (cookies.isEmpty ? [] : [("Cookie", cookies.joined(separator: "; "))]))
        let scope = WebSocketScope(
            request: head, connection: connection, rootPath: scriptName, path: pathInfo(head), requestID: "test",
            eventLoop: Self.eventLoop)
        let channel = SocketChannel()
        Task { [application] in
            do {
                try await application(.webSocket(scope), Receive(channel), Send(channel))
                channel.end(nil)
            } catch {
                channel.end(error)
            }
        }
        _ = await channel.answered.next()
        return TestWebSocket(channel)
    }

    /// Sends any request.
    public func send(
        _ method: Method, _ path: String, fields: [(String, String)] = [], body: ByteBuffer? = nil,
        follow: Bool = false
    ) async throws -> TestResponse {
        var response = try await once(method, path, fields, body)
        var hops = 0
        while follow, let location = response.location, [301, 302, 303, 307, 308].contains(response.status.code) {
            hops += 1
            guard hops <= 10 else { break }
            // As browsers do: a form that was redirected by 301, 302 or 303 is followed by a GET.
            let keepsMethod = response.status.code > 303 || method.isSafe
            response = try await once(
                keepsMethod ? method : .get, location, keepsMethod ? fields : [], keepsMethod ? body : nil)
            response.redirects = hops
        }
        return response
    }

    private func once(
        _ method: Method, _ path: String, _ fields: [(String, String)], _ body: ByteBuffer?
    ) async throws -> TestResponse {
        var fields = fields
        if !enforcesCSRF, !method.isSafe {
            let secret = cookies[CSRF.cookieName] ?? String(decoding: CSRF.newSecret(), as: UTF8.self)
            jar.withLock { $0[CSRF.cookieName] = secret }
            fields.append((CSRF.headerField.description, secret))
            if isSecure { fields.append(("Referer", "https://localhost/")) }
        }
        let cookies = cookies.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        if !cookies.isEmpty { fields.append(("Cookie", cookies.joined(separator: "; "))) }
        if let body { fields.append(("Content-Length", String(body.readableBytes))) }
        let head = RequestHead(
            method, path, fields: fields, framing: body.map { .length($0.readableBytes) } ?? .none)
        let response =
            switch gateway {
            case .wsgi: try await wsgi(head, body ?? ByteBuffer())
            case .asgi: try await asgi(head, body ?? ByteBuffer())
            }
        for field in response.head.fields.values("Set-Cookie") { keep(field) }
        return response
    }

    private func keep(_ field: String) {
        guard let (name, value) = Cookies(parsing: field.prefix { $0 != ";" }).pairs.first else { return }
        let isForgotten = field.lowercased().contains("; max-age=0")
        jar.withLock { $0[name] = isForgotten ? nil : value }
    }

    /// What follows the mount.
    private func pathInfo(_ head: RequestHead) -> String {
        let path = PercentCoding.decodeLeniently(head.string(head.rawPath).utf8)
        return String(path.dropFirst(scriptName.count))
    }

    private var connection: ConnectionInfo {
        ConnectionInfo(remoteAddress: nil, localAddress: nil, isSecure: isSecure)
    }

    private func wsgi(_ head: RequestHead, _ body: ByteBuffer) async throws -> TestResponse {
        let environ = Environ(
            request: head, connection: connection, scriptName: scriptName, pathInfo: pathInfo(head),
            input: MemoryInput(body), isMultithreaded: true, isMultiprocess: false, requestID: "test")
        return try await DispatchExecutor().run { [application] in
            var started: ResponseHead?
            var written = ByteBuffer()
            let startResponse = StartResponse(
                begin: { head, _ in started = head }, write: { piece in written.writeImmutableBuffer(piece) })
            var body = try application(environ, startResponse)
            defer { body.close() }
            while let piece = try body.next() { written.writeImmutableBuffer(piece) }
            guard let started else { throw WSGIError.responseNotStarted }
            return TestResponse(head: started, body: written)
        }
    }

    private func asgi(_ head: RequestHead, _ body: ByteBuffer) async throws -> TestResponse {
        let channel = MemoryChannel(body)
        let scope = HTTPScope(
            request: head, connection: connection, rootPath: scriptName, path: pathInfo(head), requestID: "test",
            eventLoop: Self.eventLoop)
        try await application(.http(scope), Receive(channel), Send(channel))
        return try channel.response()
    }

    /// What scopes name as their loop: nothing runs on it here.
    private static let eventLoop = NIOAsyncTestingEventLoop()
}

/// A response as the client got it.
public struct TestResponse: Sendable {
    public let head: ResponseHead
    public let body: ByteBuffer
    /// How many redirects were followed on the way to it.
    public fileprivate(set) var redirects = 0

    init(head: ResponseHead, body: ByteBuffer) {
        self.head = head
        self.body = body
    }

    public var status: Status { head.status }
    /// The body as text.
    public var text: String { String(buffer: body) }
    /// Where it redirects to.
    public var location: String? { head.fields["Location"] }
    /// The body as JSON.
    public var json: JSONValue { get throws { try JSONValue(parsing: body.readableBytesView) } }
}
