public import Gateway
import HTTP
public import Logging
import NIOCore

/// The front router on one event loop: health, routes, files, and the sites behind them.
public final class FrontHandler: ExchangeHandler {
    private let table: RouteTable
    private let sites: [any SiteHandler]
    /// All there are, also such as no route leads to.
    private let sitesByName: [String: any SiteHandler]
    private let logger: Logger
    private let health: HealthEndpoints
    private let livez: [UInt8]
    private let readyz: [UInt8]
    private let files: [FileServer]
    /// The routes' compression, by their numbers.
    private let filters: [RouteGzip?]

    /// The table names sites that there are none of.
    public struct MissingSites: Error, Equatable, CustomStringConvertible {
        public let names: [String]
        public var description: String { "routes lead to sites that do not exist: \(names.joined(separator: ", "))" }
    }

    /// A router for one event loop. `sites` are that loop's, by the names routes use. `logger` is told of files that
    /// could not be read for want of descriptors or by a failing disk.
    public init(
        table: RouteTable, sites: [String: any SiteHandler], health: HealthEndpoints = HealthEndpoints(),
        cache limits: FileCacheLimits = FileCacheLimits(), logger: Logger = Logger(label: "front")
    ) throws(MissingSites) {
        let missing = table.siteNames.filter { sites[$0] == nil }
        guard missing.isEmpty else { throw MissingSites(names: missing) }
        self.table = table
        self.sites = table.siteNames.compactMap { sites[$0] }
        sitesByName = sites
        self.logger = logger
        self.health = health
        livez = Array((health.livez ?? "").utf8)
        readyz = Array((health.readyz ?? "").utf8)
        let cache = FileCache(limits)
        let pool = GzipStreamPool()
        filters = table.routes.map { route in route.gzip.map { RouteGzip($0, pool) } }
        files = table.fileSets.enumerated().map { number, entry in
            FileServer(
                number: number, set: entry.set, gzip: entry.gzip, cache: cache, limits: limits, pool: pool,
                logger: logger)
        }
    }

    /// A router with other routes to the same sites.
    public func replacing(
        table: RouteTable, health: HealthEndpoints, cache: FileCacheLimits
    ) throws(MissingSites) -> FrontHandler {
        try FrontHandler(table: table, sites: sitesByName, health: health, cache: cache, logger: logger)
    }

    /// Answers `exchange`: see ``RouteTable`` for which route does.
    public func handle(_ exchange: any Exchange) {
        let request = exchange.request
        request.withUnsafeBytes { head in
            let raw = Self.slice(head, request.rawPath)
            if isHealth(raw), answerHealth(exchange, raw) { return }
            switch NormalizedPath(raw) {
            case .unchanged: route(exchange, request, head, raw)
            case .changed(let path):
                if raw.isEmpty, request.method == .options { return answerServerOptions(exchange) }
                path.withUnsafeBytes { route(exchange, request, head, $0) }
            case .invalid: ErrorPage.respond(exchange, request, .badRequest)
            }
        }
    }

    private static func slice(_ head: UnsafeRawBufferPointer, _ range: ByteRange) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: head[Int(range.start)..<Int(range.start + range.count)])
    }

    private func isHealth(_ path: UnsafeRawBufferPointer) -> Bool {
        (path.count == livez.count || path.count == readyz.count) && !path.isEmpty
    }

    private func answerHealth(_ exchange: any Exchange, _ path: UnsafeRawBufferPointer) -> Bool {
        let isAlive = path.elementsEqual(livez)
        guard isAlive || path.elementsEqual(readyz) else { return false }
        let isGood = isAlive || health.isReady()
        let body = ByteBuffer(string: isGood ? "ok\n" : "not ready\n")
        exchange.respond(
            ResponseHead(
                isGood ? .ok : .serviceUnavailable,
                [
                    "Content-Type": "text/plain; charset=utf-8", "Content-Length": String(body.readableBytes),
                    "Cache-Control": "no-store",
                ]), body)
        return true
    }

    /// `OPTIONS *` asks about the server, not about a resource (RFC 9110 §9.3.7).
    private func answerServerOptions(_ exchange: any Exchange) {
        exchange.respond(
            ResponseHead(.noContent, ["Allow": "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"]), ByteBuffer())
    }

    private func route(
        _ exchange: any Exchange, _ request: RequestHead, _ head: UnsafeRawBufferPointer, _ path: UnsafeRawBufferPointer
    ) {
        switch table.match(authority: request.authority.map { Self.slice(head, $0) }, path: path) {
        case .none: ErrorPage.respond(exchange, request, .notFound)
        case .route(let route):
            exchange.noteRoute(route.index)
            answer(exchange, request, route, path)
        case .slashMissing(let route):
            exchange.noteRoute(route.index)
            let target = route.headers.map { HeaderFilter(exchange, $0) } ?? exchange
            let query = request.query
            let location = PercentCoding.encodePath(path) + (query.isEmpty ? "/" : "/?\(query)")
            target.redirect(location, request.method.isSafe ? .movedPermanently : .permanentRedirect)
        }
    }

    private func answer(
        _ outer: any Exchange, _ request: RequestHead, _ route: Route, _ path: UnsafeRawBufferPointer
    ) {
        if let limit = route.timeLimit { outer.timeLimit = limit.amount }
        if let number = route.onlySite {
            let (scriptName, rest) = route.mountPoint(path)
            return handle(outer, route, site: number, scriptName: scriptName, path: rest)
        }
        let exchange = route.headers.map { HeaderFilter(outer, $0) } ?? outer
        if let methods = route.methods, !methods.contains(request.method) {
            return ErrorPage.respond(exchange, request, .methodNotAllowed, ["Allow": route.allow])
        }
        var failure = Status.notFound
        for action in route.actions {
            switch action {
            case .files(let number, _):
                let outcome = files[number].serve(exchange, request, path: route.filePath(path), fullPath: path)
                guard case .failed(let status) = outcome else { return }
                failure = status
                if status != .notFound { return ErrorPage.respond(exchange, request, status) }
            case .site(let number, _):
                let (scriptName, rest) = route.mountPoint(path)
                return handle(exchange, route, site: number, scriptName: scriptName, path: rest)
            case .redirect(let target):
                let rest = UnsafeRawBufferPointer(rebasing: path[min(route.prefixCount, path.count)...])
                return exchange.redirect(target.location(rest: rest, query: request.query), target.status)
            case .respond(let head, let body):
                return filters[route.index]?.respond(head, body, to: exchange) ?? exchange.respond(head, body)
            case .deny(let status):
                return ErrorPage.respond(exchange, request, status)
            }
        }
        ErrorPage.respond(exchange, request, failure)
    }

    /// Has a site answer, with the route's compression.
    private func handle(_ exchange: any Exchange, _ route: Route, site number: Int, scriptName: String, path: String) {
        if let filter = filters[route.index] {
            sites[number].handle(exchange, through: filter, scriptName: scriptName, path: path)
        } else {
            sites[number].handle(exchange, scriptName: scriptName, path: path)
        }
    }
}
