/// What must hold between routes, and between routes and sites.
struct RouteRules {
    /// Says what is wrong with a regular expression.
    let patternProblem: @Sendable (String) -> String?
    private(set) var errors: [ConfigError] = []
    private var sites: [String] = []

    /// Everything wrong with the routes of a normalized tree. What the declarations forbid is not looked for again.
    static func check(_ tree: ConfigTree, patternProblem: @escaping @Sendable (String) -> String?) -> [ConfigError] {
        var rules = RouteRules(patternProblem: patternProblem)
        rules.check(tree)
        return rules.errors
    }

    private init(patternProblem: @escaping @Sendable (String) -> String?) {
        self.patternProblem = patternProblem
    }

    private mutating func check(_ tree: ConfigTree) {
        let siteEntries = tree["sites"]?.entries ?? []
        sites = siteEntries.map(\.key)
        let routes = tree["routes"]?.elements ?? []
        if routes.isEmpty, let second = siteEntries.dropFirst().first {
            fail(
                .missing(
                    expected: "a route to each site (\(sites.joined(separator: ", "))): with several sites, none "
                        + "gets every path by itself"), second.keyOrigin, ["routes"])
        }
        var first: [String: Origin] = [:]
        for (index, route) in routes.enumerated() {
            let path = ConfigPath([.key("routes"), .index(index)])
            checkAction(route, path)
            if let fallback = route["fallback"] {
                if fallback.scalar != nil { checkSite(fallback, path.appending("fallback")) }
                checkAction(fallback, path.appending("fallback"))
            }
            guard let node = route["path"], let pattern = node.scalar, !pattern.isUnresolved else { continue }
            if pattern.text.hasPrefix("~"), let problem = patternProblem(String(pattern.text.dropFirst())) {
                // The problem may quote the expression.
                let reason = pattern.isSecret ? "it does not compile" : problem
                fail(.syntax("not a regular expression: \(reason)"), node.origin, path.appending("path"))
            }
            let host = route["host"]?.scalar?.text.lowercased() ?? ""
            if let before = first["\(host) \(pattern.text)"] {
                let isPlain = host.isEmpty || route["host"]?.scalar?.isSecret == true
                let what = isPlain ? "'\(pattern.masked)'" : "'\(pattern.masked)' of \(host)"
                fail(.conflict("\(what) has a route already, at \(before.place)"), node.origin, path.appending("path"))
            } else {
                first["\(host) \(pattern.text)"] = node.origin
            }
        }
    }

    private mutating func checkAction(_ action: ConfigTree, _ path: ConfigPath) {
        if let site = action["site"] { checkSite(site, path.appending("site")) }
        guard let node = action["status"], let status = node.scalar.flatMap({ Validator.integer($0.text) }) else {
            return
        }
        let (allowed, what): ([Int], String) =
            action["redirect"] != nil
            ? ([301, 302, 303, 307, 308], "redirect") : action["deny"] != nil ? ([403, 404, 410], "deny") : ([], "")
        if !allowed.isEmpty, !allowed.contains(status) {
            fail(
                .unexpected(
                    expected: "with '\(what)' one of \(allowed.map(String.init).joined(separator: ", "))",
                    got: Validator.described(node), nearest: nil), node.origin, path.appending("status"))
        }
    }

    private mutating func checkSite(_ node: ConfigTree, _ path: ConfigPath) {
        guard let scalar = node.scalar, !scalar.isUnresolved, !sites.contains(scalar.text) else { return }
        let near = nearest(to: scalar.text, among: sites)
        fail(.unknownName(what: "site", name: scalar.masked, nearest: near, known: sites), node.origin, path)
    }

    private mutating func fail(_ problem: ConfigError.Problem, _ origin: Origin, _ path: ConfigPath) {
        errors.append(ConfigError(problem, at: origin, path: path))
    }
}
