import HTTP
import NIOCore

/// Turns declarations into what ``RouteTable`` holds, gathering every mistake.
struct RouteCompiler {
    private let knownSites: [String]?
    private(set) var routes: [Route] = []
    private(set) var siteNames: [String] = []
    private(set) var fileSets: [(set: FileSet, gzip: GzipPolicy?)] = []
    private(set) var errors: [RouteError] = []
    private var patterns: [HostPattern?] = []
    private var seen: [String: Int] = [:]
    private var expressions: [Int: PathExpression] = [:]

    init(sites: [String]?) { knownSites = sites }

    mutating func add(_ declaration: RouteDeclaration, at index: Int) {
        var reasons: [RouteError.Reason] = []
        var host: HostPattern?
        if let text = declaration.host {
            host = HostPattern(text)
            if host == nil { reasons.append(.invalidHost(text)) }
        }
        checkPattern(declaration.pattern, at: index, &reasons)
        if let other = seen.updateValue(index, forKey: "\(declaration.host?.lowercased() ?? "") \(declaration.pattern)")
        {
            reasons.append(.duplicate(of: other))
        }
        if declaration.actions.isEmpty { reasons.append(.noAction) }
        let actions = declaration.actions.map { compile($0, in: declaration, &reasons) }
        var edits: FieldEdits?
        if !declaration.headers.isEmpty {
            do { edits = try FieldEdits(declaration.headers) } catch { reasons.append(.invalidHeader(error)) }
        }
        errors += reasons.map { RouteError(index: index, reason: $0) }
        patterns.append(host)
        routes.append(
            Route(
                index: index, host: declaration.host, pattern: declaration.pattern, methods: declaration.methods,
                actions: actions, headers: edits, gzip: declaration.gzip,
                timeLimit: declaration.timeLimit))
    }

    private mutating func checkPattern(_ pattern: RoutePattern, at index: Int, _ reasons: inout [RouteError.Reason]) {
        switch pattern {
        case .exact(let path), .prefix(let path):
            guard path.hasPrefix("/") else { return reasons.append(.relativePath(path)) }
            // A percent sign is a literal one here: patterns are compared with decoded paths.
            let literal = path.replacing("%", with: "%25")
            switch NormalizedPath(literal) {
            case .unchanged: break
            case .changed(let bytes) where bytes.elementsEqual(path.utf8): break
            default: reasons.append(.unnormalizedPath(path))
            }
        case .expression(let text):
            do { expressions[index] = try PathExpression(text) } catch {
                reasons.append(.invalidExpression(text, error))
            }
        }
    }

    private mutating func compile(
        _ action: RouteAction, in route: RouteDeclaration, _ reasons: inout [RouteError.Reason]
    ) -> Route.Action {
        switch action {
        case .files(let set):
            fileSets.append((set, route.gzip))
            return .files(fileSets.count - 1, "\(set.source)")
        case .site(let name):
            if let knownSites, !knownSites.contains(name) { reasons.append(.unknownSite(name)) }
            if let number = siteNames.firstIndex(of: name) { return .site(number, name) }
            siteNames.append(name)
            return .site(siteNames.count - 1, name)
        case .redirect(let target, let status):
            if !(300...399).contains(status.code) || status == .notModified {
                reasons.append(.invalidStatus(status.code))
            }
            if target.isEmpty || target.utf8.contains(where: { $0 <= 0x20 || $0 == 0x7F }) {
                reasons.append(.invalidTarget(target))
            }
            var isPrefix = false
            if case .prefix = route.pattern { isPrefix = true }
            return .redirect(
                RedirectTarget(target: target, status: status, appendsRest: isPrefix && target.hasSuffix("/")))
        case .respond(let status, let body, let contentType):
            if !(200...999).contains(status.code) { reasons.append(.invalidStatus(status.code)) }
            var head = ResponseHead(status)
            do { try head.fields.append(name: "Content-Type", value: contentType) } catch {
                reasons.append(.invalidHeader(error))
            }
            if status.isBodiless { head.fields = Fields() }
            return .respond(head, ByteBuffer(bytes: status.isBodiless ? [] : body))
        case .deny(let status):
            if status.code < 400 || status.code > 599 { reasons.append(.invalidStatus(status.code)) }
            return .deny(status)
        }
    }

    /// The routes by host, most specific host first.
    func hosts() -> [HostRoutes] {
        var groups: [HostPattern?: [Route]] = [:]
        for (route, pattern) in zip(routes, patterns) { groups[pattern, default: []].append(route) }
        func rank(_ pattern: HostPattern?) -> Int {
            guard let pattern else { return Int.max }
            return pattern.isWildcard ? 1_000_000 - pattern.name.count : 0
        }
        return groups.keys.sorted { rank($0) < rank($1) }.map { host(of: $0, groups[$0] ?? []) }
    }

    private func host(of pattern: HostPattern?, _ routes: [Route]) -> HostRoutes {
        var exact: [(path: [UInt8], value: Int)] = []
        var prefixes: [(path: [UInt8], value: Int)] = []
        var found: [(expression: PathExpression, route: Int)] = []
        for route in routes {
            switch route.pattern {
            case .exact(let path): exact.append((Array(path.utf8), route.index))
            case .prefix(let path): prefixes.append((Array(path.utf8), route.index))
            case .expression:
                if let expression = expressions[route.index] { found.append((expression, route.index)) }
            }
        }
        // `/shop` leads to `/shop/`, unless there is a route for `/shop` itself.
        let taken = Set((exact + prefixes).map(\.path))
        let slashless = prefixes.filter { $0.path.count > 1 && $0.path.last == 0x2F && leadsSomewhere($0.value) }
            .map { (path: Array($0.path.dropLast()), value: $0.value) }
            .filter { !taken.contains($0.path) }
        return HostRoutes(
            pattern: pattern, exact: PathIndex(exact), slashless: PathIndex(slashless), expressions: found,
            prefixes: PathIndex(prefixes))
    }

    private func leadsSomewhere(_ route: Int) -> Bool {
        switch routes[route].actions.first {
        case .files, .site, .redirect: true
        case .respond, .deny, nil: false
        }
    }
}
