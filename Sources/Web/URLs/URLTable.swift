/// One compiled line of a URL table.
final class Route: Sendable {
    let pattern: PathPattern
    let view: ViewFunction
    /// Its name with every namespace it stands in: `["polls", "detail"]` is `polls:detail`.
    let qualifiedName: [String]?
    let viewName: String
    let parameterTypes: [any PathParameter.Type]?

    init(
        pattern: PathPattern, view: ViewFunction, qualifiedName: [String]?, viewName: String,
        parameterTypes: [any PathParameter.Type]?
    ) {
        self.pattern = pattern
        self.view = view
        self.qualifiedName = qualifiedName
        self.viewName = viewName
        self.parameterTypes = parameterTypes
    }

    /// The name as it is written: `polls:detail`.
    var name: String? { qualifiedName?.joined(separator: ":") }
}

/// A site's URL table, flattened and compiled once: finds the view of a path, and the path of a name.
struct URLTable: Sendable {
    let routes: [Route]
    /// What is wrong with the table; the lines concerned are left out.
    let problems: [CheckMessage]
    private let named: [String: [Route]]

    /// Compiles `urls`. The names of the table itself are found with and without the namespace `siteName`.
    init(_ urls: URLs, siteName: String = "", converters: [String: any PathConverter] = [:]) {
        var builder = Builder(converters: converters)
        builder.add(urls, prefix: "", namespaces: [])
        routes = builder.routes
        problems = builder.problems
        var named: [String: [Route]] = [:]
        for route in routes {
            guard let name = route.name else { continue }
            named[name, default: []].append(route)
            if !siteName.isEmpty { named["\(siteName):\(name)", default: []].append(route) }
        }
        self.named = named
    }

    /// The first route that matches `path` (percent-decoded; one leading slash is taken off), with its values.
    func match(_ path: String) -> PathParameters? {
        var path = path
        return path.withUTF8 { bytes in
            let start = bytes.first == 0x2F ? 1 : 0
            let relative = UnsafeBufferPointer(rebasing: bytes[start...])
            for route in routes {
                if let values = route.pattern.match(relative) { return PathParameters(route: route, values: values) }
            }
            return nil
        }
    }

    /// The path of the route called `name`, without a leading slash, with its values in order.
    func reverse(_ name: String, _ arguments: [any PathParameter]) throws(NoReverseMatch) -> String {
        let values = arguments.map(\.pathValue)
        for route in named[name] ?? [] {
            if let path = route.pattern.text(values) { return path }
        }
        throw noMatch(name, values.map(\.description))
    }

    /// The path of the route called `name`, without a leading slash, with its values by name.
    func reverse(_ name: String, _ arguments: [String: any PathParameter]) throws(NoReverseMatch) -> String {
        for route in named[name] ?? [] where route.pattern.parameterNames.count == arguments.count {
            let values = route.pattern.parameterNames.compactMap { arguments[$0]?.pathValue }
            if let path = route.pattern.text(values) { return path }
        }
        throw noMatch(
            name, arguments.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value.pathValue)" })
    }

    private func noMatch(_ name: String, _ arguments: [String]) -> NoReverseMatch {
        NoReverseMatch(
            name: name, arguments: arguments, candidates: (named[name] ?? []).map(\.pattern.source),
            known: named[name] == nil ? named.keys.sorted() : [])
    }
}

extension URLTable {
    private struct Builder {
        let converters: [String: any PathConverter]
        var routes: [Route] = []
        var problems: [CheckMessage] = []

        mutating func add(_ urls: URLs, prefix: String, namespaces: [String]) {
            for entry in urls.entries {
                let source = prefix + entry.pattern
                switch entry.content {
                case .include(let inner, let namespace):
                    add(inner, prefix: source, namespaces: namespaces + (namespace.map { [$0] } ?? []))
                case .view(let view, let types, let name, let viewName):
                    add(source, view, types, name.map { namespaces + [$0] }, viewName)
                }
            }
        }

        private mutating func add(
            _ source: String, _ view: ViewFunction, _ types: [any PathParameter.Type]?, _ name: [String]?,
            _ viewName: String
        ) {
            if source.hasPrefix("/") {
                problems.append(
                    CheckMessage(
                        "urls.W002", .warning, "The pattern '\(source)' begins with a slash.",
                        hint: "Remove it: patterns are relative to where the site is mounted."))
            }
            do throws(PathPattern.Invalid) {
                let pattern = try PathPattern(source, converters: converters)
                if let types, let problem = mismatch(pattern, types) { problems.append(problem) }
                routes.append(
                    Route(
                        pattern: pattern, view: view, qualifiedName: name, viewName: viewName,
                        parameterTypes: types))
            } catch {
                problems.append(CheckMessage(invalid: error, in: source))
            }
        }

        private func mismatch(_ pattern: PathPattern, _ types: [any PathParameter.Type]) -> CheckMessage? {
            guard types.count == pattern.parameterNames.count else {
                return CheckMessage(
                    "urls.E010", .error,
                    "The view of '\(pattern.source)' takes \(types.count) value(s), the pattern has "
                        + "\(pattern.parameterNames.count).",
                    hint: "Give the view one parameter for each <converter:name>, in the same order.")
            }
            for (index, type) in types.enumerated() where !type.accepts(converter: pattern.converterNames[index]) {
                return CheckMessage(
                    "urls.E011", .error,
                    "'\(pattern.parameterNames[index])' of '\(pattern.source)' is <\(pattern.converterNames[index])>, "
                        + "but the view takes \(type).",
                    hint: "Change the converter or the type of the view's parameter.")
            }
            return nil
        }
    }
}

extension CheckMessage {
    fileprivate init(invalid: PathPattern.Invalid, in source: String) {
        let (text, hint): (String, String?) =
            switch invalid {
            case .unclosed: ("has '<' without '>'", "Write <converter:name>.")
            case .emptyName: ("has a parameter without a name", "Write <converter:name>.")
            case .invalidName(let name):
                ("uses '\(name)', which is no name", "Use letters, digits and underscores, not a digit first.")
            case .unknownConverter(let name, let known):
                ("uses the unknown converter '\(name)'", "Known are: \(known.joined(separator: ", ")).")
            case .duplicateName(let name): ("uses the name '\(name)' twice", nil)
            }
        self.init("urls.E001", .error, "The pattern '\(source)' \(text).", hint: hint)
    }
}
