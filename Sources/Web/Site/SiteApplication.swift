import Gateway
import HTTP
public import Logging
import NIOCore
import Synchronization

/// A site with its settings, ready to be called through WSGI and ASGI. Shared by all threads of a process; the pages are
/// the same through both gateways.
public final class SiteApplication: Sendable {
    public let site: any Site
    public let settings: SiteSettings
    /// Where the site's errors go.
    public let logger: Logger

    let table: URLTable
    let staticFiles: StaticFiles
    let errorPages: ErrorPages
    let pages: PageRenderer
    /// Whether what requests cost is noted down.
    let takesProfiles: Bool
    /// Whether nothing but the view has a part in the answer to a safe request.
    private let hasPlainViews: Bool
    private let executor: any SyncExecutor
    private let hosts: AllowedHosts
    private let securityFields = SecurityFields()
    private let middleware: [any Middleware]
    private let openDatabase = Mutex<Database?>(nil)
    private let hasWarned = Atomic(false)

    /// Puts a site together. Nothing is opened yet: see ``start()``. `executor` runs synchronous views under ASGI.
    public init(
        _ site: any Site, settings: SiteSettings = SiteSettings(), executor: any SyncExecutor = DispatchExecutor(),
        logger: Logger? = nil
    ) {
        self.site = site
        self.settings = settings
        self.executor = executor
        self.logger = logger ?? Logger(label: "site.\(site.name)")
        hosts = AllowedHosts(settings.allowedHosts)
        let files = StaticFiles(
            embedded: site.staticFiles, directories: settings.staticDirectories, path: settings.staticPath,
            isDebug: settings.isDebug)
        staticFiles = files
        // The site's own lines come first: it may serve its static files its own way.
        let urls = URLs(entries: site.urls.entries + (files.isEmpty ? [] : [files.entry]))
        table = URLTable(urls, siteName: site.name, converters: site.converters)
        pages = PageRenderer(
            embedded: site.templates, directories: settings.templateDirectories, table: table, staticFiles: files,
            libraries: site.templateLibraries, isDebug: settings.isDebug)
        errorPages = ErrorPages(isDebug: settings.isDebug)
        middleware = site.middleware
        takesProfiles = settings.isDebug || settings.showsToolbar
        hasPlainViews = middleware.isEmpty && !takesProfiles
        if takesProfiles { _ = ThrowTrace.isOn }
    }

    /// Opens the database and sees to its migrations. Throws ``DatabaseError`` with the remedy.
    public func start() throws(DatabaseError) {
        if settings.secretKey.isOfThisProcessAlone, !hasWarned.exchange(true, ordering: .relaxed) {
            logger.warning("no secret key is configured: what this process signs is void after a restart")
        }
        guard settings.database != nil else { return }
        _ = try database()
    }

    /// Closes the database.
    public func stop() {
        openDatabase.withLock { database in
            database?.close()
            database = nil
        }
    }

    /// The database, opened when first asked for. A failure is not remembered: the next request tries again.
    public func database() throws(DatabaseError) -> Database {
        guard let location = settings.database else { throw .notConfigured(site: site.name) }
        let result = openDatabase.withLock { open -> Result<Database, DatabaseError> in
            if let open { return .success(open) }
            // What it takes to open is not what the first request costs.
            let attempt = RequestProfile.$current.withValue(nil) {
                Result { () throws(DatabaseError) in try opened(location) }
            }
            open = try? attempt.get()
            return attempt
        }
        return try result.get()
    }

    private func opened(_ location: DatabaseLocation) throws(DatabaseError) -> Database {
        let database = try Database(location, lockTimeout: settings.lockTimeout, isProfiled: takesProfiles)
        let migrator = Migrator(site: site.name, migrations: site.migrations)
        switch settings.migrationPolicy {
        case .apply:
            for name in try migrator.apply(to: database) { logger.info("applied migration \(site.name).\(name)") }
        case .require: try migrator.requireNothingPending(in: database)
        }
        return database
    }

    /// Runs blocking work away from the event loop.
    func onThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
        guard takesProfiles, let profile = RequestProfile.current else { return try await executor.run(body) }
        return try await executor.run { try RequestProfile.$current.withValue(profile, operation: body) }
    }

    func signer(cookie name: String) -> Signer { Signer(secretKey: settings.secretKey, salt: "cookie.\(name)") }

    /// The URL table's lines in order.
    public var routes: [RouteListing] {
        table.routes.map {
            RouteListing(
                pattern: "/" + $0.pattern.source, name: $0.name, view: $0.viewName,
                isAsynchronous: $0.view.isAsynchronous)
        }
    }
}

extension SiteApplication {
    /// The answer to a request, error pages and cookies included. Never throws: what a view throws is a page.
    nonisolated(nonsending) func respond(to request: Request) async -> Response {
        guard let profile = request.profile else { return await answer(request) }
        let response = await RequestProfile.$current.withValue(profile) { await answer(request) }
        return profile.isShown ? DebugToolbar(profile: profile, request: request).added(to: response) : response
    }

    private nonisolated(nonsending) func answer(_ request: Request) async -> Response {
        do {
            guard hosts.allows(request.head) else {
                throw BadRequest(settings.isDebug ? "The host '\(request.host)' is not in allowed-hosts." : "")
            }
            if middleware.isEmpty { return try await dispatch(request) }
            return try await respond(to: request, middleware: middleware[...])
        } catch {
            return errorPages.response(to: request, error: error)
        }
    }

    /// The view of a request that only has to be called: ``respond(to:)`` would do no more than that.
    func plainView(of request: Request) -> ViewFunction? {
        guard hasPlainViews, request.method.isSafe, hosts.allows(request.head) else { return nil }
        return request.parameters.route?.view
    }

    private func respond(to request: Request, middleware: ArraySlice<any Middleware>) async throws -> Response {
        guard let first = middleware.first else {
            // What the view throws becomes a page here, so that middleware sees every answer.
            do { return try await dispatch(request) } catch { return errorPages.response(to: request, error: error) }
        }
        return try await first.respond(to: request) {
            try await self.respond(to: $0, middleware: middleware.dropFirst())
        }
    }

    /// Calls the view where it may run.
    private nonisolated(nonsending) func dispatch(_ request: Request) async throws -> Response {
        guard let route = request.parameters.route else { return try withoutRoute(request) }
        if !request.method.isSafe,
            let refusal = try CSRF.refusal(of: request, trustedOrigins: settings.trustedOrigins)
        {
            return errorPages.response(to: request, refusal: refusal)
        }
        guard let profile = request.profile else { return try await call(route.view, request) }
        return try await profile.view { try await call(route.view, request) }
    }

    private nonisolated(nonsending) func call(_ view: ViewFunction, _ request: Request) async throws -> Response {
        switch view {
        case .asynchronous(let view): return try await view(request)
        case .immediate(let view): return try view(request)
        case .synchronous(let view):
            if request.isOnWorkerThread { return try view(request) }
            return try await onThread { try view(request) }
        case .webSocket(let view): return try handshake(view, request)
        }
    }

    /// A path nothing matches: with a slash added where that helps (Django's APPEND_SLASH), else 404.
    private func withoutRoute(_ request: Request) throws -> Response {
        guard settings.appendsSlash, !request.pathInfo.hasSuffix("/"), table.match(request.pathInfo + "/") != nil else {
            throw Http404()
        }
        if settings.isDebug, !request.method.isSafe {
            throw BadRequest(
                "'\(request.path)' has no trailing slash, and a redirect would lose the form. "
                    + "Let the form go to '\(request.path)/'.", status: .internalServerError)
        }
        var location = PercentCoding.encodePath(request.path + "/")
        // Two slashes first would name another host.
        if location.hasPrefix("//") { location = "/%2F" + location.dropFirst(2) }
        if request.head.rawQuery != nil { location += "?" + request.head.query }
        return .redirect(to: location, status: .movedPermanently)
    }

    /// The head as it is sent: the response's fields, security fields, cookies.
    func head(of response: Response, to request: Request) -> ResponseHead {
        var head = ResponseHead(response.status, securityFields.fields(for: response))
        for cookie in response.cookies {
            head.fields.append(
                "Set-Cookie", cookie.fieldValue(isRequestSecure: request.isSecure || settings.securesCookies))
        }
        if request.hasGivenToken.load(ordering: .acquiring), let secret = request.lazy.withLock({ $0.csrf }),
            let cookie = try? Cookie(
                CSRF.cookieName, String(decoding: secret, as: UTF8.self), maxAge: CSRF.cookieAge, isHTTPOnly: false)
        {
            head.fields.append(
                "Set-Cookie", cookie.fieldValue(isRequestSecure: request.isSecure || settings.securesCookies))
            head.fields.append("Vary", "Cookie")
        }
        return head
    }
}
