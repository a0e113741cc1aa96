import HTTP
import NIOCore

/// The routes of one configuration: built once, never changed, shared by every event loop.
///
/// The most specific host that has a route for the path decides: a name, then the longest wildcard, then the routes for
/// every host. Within a host: an exact path, then expressions in order, then the longest prefix.
public final class RouteTable: Sendable {
    /// The routes in the order of their declarations.
    let routes: [Route]
    /// The sites the routes name, by number.
    public let siteNames: [String]
    /// The file sets of the routes, by number.
    let fileSets: [(set: FileSet, gzip: GzipPolicy?)]
    private let hosts: [HostRoutes]

    /// What a request's path leads to.
    enum Match {
        case none
        case route(Route)
        /// The path lacks the slash that ends this route's prefix.
        case slashMissing(Route)
    }

    /// Compiles `declarations`; throws every mistake at once. When `sites` is given, routes may name those only.
    public init(_ declarations: [RouteDeclaration], sites: [String]? = nil) throws(RouteErrors) {
        var compiler = RouteCompiler(sites: sites)
        for (index, declaration) in declarations.enumerated() { compiler.add(declaration, at: index) }
        guard compiler.errors.isEmpty else { throw RouteErrors(errors: compiler.errors) }
        routes = compiler.routes
        siteNames = compiler.siteNames
        fileSets = compiler.fileSets
        hosts = compiler.hosts()
    }

    /// What `path`, normalised, leads to on the host of `authority`.
    func match(authority: UnsafeRawBufferPointer?, path: UnsafeRawBufferPointer) -> Match {
        // The host is cut out of the authority only when there is a host to compare it with.
        var host: UnsafeRawBufferPointer?
        for candidate in hosts {
            if let pattern = candidate.pattern {
                guard let authority else { continue }
                let name = host ?? HostPattern.host(of: authority)
                host = name
                guard pattern.matches(name) else { continue }
            }
            if let index = candidate.exact.value(path) { return .route(routes[index]) }
            if !candidate.slashless.isEmpty, let index = candidate.slashless.value(path) {
                return .slashMissing(routes[index])
            }
            for expression in candidate.expressions where expression.expression.isFound(in: path) {
                return .route(routes[expression.route])
            }
            if let index = candidate.prefixes.longestPrefix(path) { return .route(routes[index]) }
        }
        return .none
    }

    /// The routes as text, most specific first, for `app routes`: host, pattern, what answers.
    public var descriptions: [(host: String, pattern: String, actions: String)] {
        routes.map { route in
            (
                route.host ?? "*", route.pattern.description,
                route.actions.map(\.description).joined(separator: ", then ")
            )
        }
    }

    /// What the routes are called in counts of requests, by their numbers: the pattern, behind its host if it has one.
    public var names: [String] { routes.map { ($0.host ?? "") + $0.pattern.description } }

    /// What is wrong with the directories that routes serve files from, as they are now.
    public func check() -> [FileSet.Problem] { fileSets.compactMap { $0.set.check() } }
}

/// The routes for one host pattern, or for every host.
final class HostRoutes: Sendable {
    let pattern: HostPattern?
    let exact: PathIndex
    /// Prefixes that end in a slash, without it.
    let slashless: PathIndex
    let expressions: [(expression: PathExpression, route: Int)]
    let prefixes: PathIndex

    init(
        pattern: HostPattern?, exact: PathIndex, slashless: PathIndex,
        expressions: [(expression: PathExpression, route: Int)], prefixes: PathIndex
    ) {
        self.pattern = pattern
        self.exact = exact
        self.slashless = slashless
        self.expressions = expressions
        self.prefixes = prefixes
    }
}
