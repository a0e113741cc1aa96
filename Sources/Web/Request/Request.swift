public import Gateway
public import HTTP
import Logging
public import NIOCore
import Synchronization

/// One request, as a view sees it. What is costly to read (cookies, query, form, JSON) is read when first asked for.
public final class Request: Sendable {
    /// The request line and fields as they were received.
    public let head: RequestHead
    /// The two ends of the connection.
    public let connection: ConnectionInfo
    /// Where the site is mounted, without a trailing slash; empty at the root.
    public let scriptName: String
    /// The path below the mount, percent-decoded, with its leading slash.
    public let pathInfo: String
    /// What the access log and error pages call this request.
    public var requestID: String { id.text }
    let id: RequestID
    /// The whole body; empty without one, and of a form with files (`multipart/form-data`), which is read as it arrives. It is
    /// read before the view is called, up to ``SiteSettings/bodyLimit``.
    public let body: ByteBuffer

    let application: SiteApplication
    /// Whether the view is called on a thread that may block (WSGI).
    let isOnWorkerThread: Bool
    /// Whether it is the handshake of a WebSocket.
    let isHandshake: Bool
    /// The values of the path, and the line of the URL table that it matches.
    public let parameters: PathParameters
    let lazy = Mutex(Lazy())
    /// Where its costs are noted down, with `debug`.
    let profile: RequestProfile?
    /// Whether a page was given a CSRF token, so that its answer must set the cookie.
    let hasGivenToken = Atomic(false)

    init(
        _ application: SiteApplication, head: RequestHead, connection: ConnectionInfo, scriptName: String,
        pathInfo: String, id: RequestID, body: ByteBuffer, isOnWorkerThread: Bool,
        isHandshake: Bool = false
    ) {
        self.application = application
        self.head = head
        self.connection = connection
        self.scriptName = scriptName
        self.pathInfo = pathInfo
        self.id = id
        self.body = body
        self.isOnWorkerThread = isOnWorkerThread
        self.isHandshake = isHandshake
        guard application.takesProfiles else {
            profile = nil
            parameters = application.table.match(pathInfo) ?? PathParameters(route: nil, values: [])
            return
        }
        let profile = RequestProfile(isShown: application.settings.showsToolbar && DebugToolbar.isWanted(head))
        self.profile = profile
        parameters = profile.routing { application.table.match(pathInfo) } ?? PathParameters(route: nil, values: [])
    }

    /// The method.
    public var method: Method { head.method }
    /// The whole path, percent-decoded, with where the site is mounted.
    public var path: String { scriptName + pathInfo }
    /// Whether the request came over TLS.
    public var isSecure: Bool { connection.isSecure }
    /// Whether the site's WebSockets can be opened: through the gateway `asgi` they can.
    public var supportsWebSockets: Bool { !isOnWorkerThread }
    /// `http` or `https`.
    public var scheme: String { connection.scheme }
    /// The host the request is for, with its port where one was given, in lower case.
    public var host: String { head.authority.map(head.string)?.lowercased() ?? "" }
    /// The header fields.
    public var fields: RequestFields { head.fields }
    /// The `User-Agent` field.
    public var userAgent: String? { head.fields["User-Agent"] }
    /// The name of the matched line of the URL table, with the namespaces it is included in.
    public var routeName: String? { parameters.route?.name }

    /// The query: `?page=2`. A flood of fields counts as no query; ``form`` refuses one.
    public var query: QueryValues {
        let read = lazy.withLock { lazy in
            if let query = lazy.query { return query }
            let query = Result {
                try QueryValues(parsing: head.query.utf8)
            }
            lazy.query = query
            return query
        }
        return (try? read.get()) ?? QueryValues()
    }

    /// The cookies the client sent.
    public var cookies: [String: String] {
        lazy.withLock { lazy in
            if let cookies = lazy.cookies { return cookies }
            // Where a name comes twice the first counts: browsers send the most specific path first.
            let cookies = Dictionary(Cookies(head).pairs.map { ($0.name, $0.value) }) { first, _ in first }
            lazy.cookies = cookies
            return cookies
        }
    }

    /// The fields of a form; empty when there is no body. Throws ``BadRequest``: 415 for another media type, 400 for more than
    /// ``QueryValues/maximumCount`` values.
    public var form: QueryValues {
        get throws {
            try lazy.withLock { lazy in
                if let form = lazy.form { return form }
                let form = Result { try self.readForm() }
                lazy.form = form
                return form
            }.get()
        }
    }

    private func readForm() throws -> QueryValues {
        guard body.readableBytes > 0 else { return QueryValues() }
        switch mediaType {
        case "application/x-www-form-urlencoded":
            do throws(QueryValues.TooMany) {
                return try QueryValues(parsing: body.readableBytesView)
            } catch {
                throw BadRequest("The form has \(error).")
            }
        case "multipart/form-data":
            throw BadRequest("The form says no boundary between its parts.")
        default: throw BadRequest("The body is not a form.", status: Status(415))
        }
    }

    /// The files that came with a form (`multipart/form-data`, RFC 7578).
    public var files: UploadedFiles { lazy.withLock { $0.files } }

    /// The body as JSON. Throws ``BadRequest``: 415 when the media type is not JSON, 400 when it is not well formed.
    public var json: JSONValue {
        get throws {
            guard let type = mediaType, type == "application/json" || type.hasSuffix("+json") else {
                throw BadRequest("The body is not JSON.", status: Status(415))
            }
            do throws(JSONError) {
                return try JSONValue(parsing: body.readableBytesView)
            } catch {
                throw BadRequest("The body is not JSON: \(error).")
            }
        }
    }

    /// The media type of the body in lower case, without parameters.
    public var mediaType: String? {
        guard let field = head.fields["Content-Type"] else { return nil }
        let type = field.prefix { $0 != ";" }
        return type.filter { $0 != " " && $0 != "\t" }.lowercased()
    }

    /// The site's database. Throws ``DatabaseError`` when it cannot be opened.
    public var database: Database {
        get throws(DatabaseError) { try application.database() }
    }

    /// Runs blocking work, such as queries, on the thread pool: for asynchronous views, which must not block themselves.
    /// What Django calls `sync_to_async`.
    public func onThread<Result: Sendable>(
        _ work: @escaping @Sendable () throws -> Result
    ) async throws -> Result {
        try await application.onThread(work)
    }

    /// The site's log, with this request's id.
    public var logger: Logger {
        var logger = application.logger
        logger[metadataKey: "request"] = "\(requestID)"
        return logger
    }

    /// The URL of the route called `name` with its values in order: `request.url(for: "polls:detail", 5)`.
    public func url(for name: String, _ arguments: any PathParameter...) throws(NoReverseMatch) -> String {
        try scriptName + "/" + application.table.reverse(name, arguments)
    }

    /// The URL of the route called `name` with its values by name.
    public func url(
        for name: String, _ arguments: [String: any PathParameter]
    ) throws(NoReverseMatch) -> String {
        try scriptName + "/" + application.table.reverse(name, arguments)
    }

    /// The URL of a static file: `request.url(static: "polls/style.css")`. It changes with the file's content, so that
    /// browsers may keep what they have for a year.
    public func url(static path: String) -> String { application.staticFiles.url(path, scriptName: scriptName) }

    /// Throws ``MethodNotAllowed`` unless the method is one of these.
    public func require(_ methods: Method...) throws(MethodNotAllowed) {
        guard methods.contains(method) else { throw MethodNotAllowed(allowed: methods.map(\.name)) }
    }

    /// The full URL of a path on this host: `https://example.org/polls/`.
    public func absoluteURL(_ path: String) -> String { "\(scheme)://\(host)\(path)" }

    /// What middleware or a view noted down about this request, one value a type.
    public subscript<Value: Sendable>(attribute type: Value.Type) -> Value? {
        get { lazy.withLock { $0.attributes[ObjectIdentifier(type)] as? Value } }
        set { lazy.withLock { $0.attributes[ObjectIdentifier(type)] = newValue } }
    }
}
