import Gateway
public import HTTP
public import NIOCore

/// One route as it was declared: what it is for, and what answers.
public struct RouteDeclaration: Sendable {
    /// `example.org`, `*.example.org` (any subdomain), or nil for every host.
    public var host: String?
    public var pattern: RoutePattern
    /// The methods that are answered; others get 405. Nil is all.
    public var methods: [Method]?
    /// What answers. `files` that do not have the path hand over to the next one; the first that answers ends it.
    public var actions: [RouteAction]
    public var headers: HeaderEdits
    /// How responses are compressed; nil leaves them as they are.
    public var gzip: GzipPolicy?
    /// How long a site may take here, where that is not the server's limit for all.
    public var timeLimit: SiteTimeLimit?

    /// A route for `pattern`, answered by `action`.
    public init(
        _ pattern: RoutePattern, _ action: RouteAction, fallback: [RouteAction] = [], host: String? = nil,
        methods: [Method]? = nil, headers: HeaderEdits = HeaderEdits(), gzip: GzipPolicy? = nil,
        timeLimit: SiteTimeLimit? = nil
    ) {
        self.pattern = pattern
        actions = [action] + fallback
        self.host = host
        self.methods = methods
        self.headers = headers
        self.gzip = gzip
        self.timeLimit = timeLimit
    }
}

/// How long a site may take to answer (``Exchange/timeLimit``).
public enum SiteTimeLimit: Sendable, Equatable {
    case never
    case after(TimeAmount)

    /// Nil for ever.
    var amount: TimeAmount? {
        switch self {
        case .never: nil
        case .after(let amount): amount
        }
    }
}

/// Which paths a route is for. Paths are compared percent-decoded, with slashes merged and dot segments resolved.
public enum RoutePattern: Sendable, Equatable, CustomStringConvertible {
    /// `=/ping`: this path alone.
    case exact(String)
    /// `/static/`: everything that starts with these characters; the longest wins. One that ends in a slash also sends
    /// the path without it there.
    case prefix(String)
    /// `~ \.php$`: paths in which the expression is found; in order, before prefixes. See ``PathExpression``.
    case expression(String)

    /// The pattern as `app.yaml` writes it.
    public init(_ text: String) {
        if text.hasPrefix("=") {
            self = .exact(String(text.dropFirst().drop { $0 == " " }))
        } else if text.hasPrefix("~") {
            self = .expression(String(text.dropFirst().drop { $0 == " " }))
        } else {
            self = .prefix(text)
        }
    }

    /// As `app.yaml` writes it.
    public var description: String {
        switch self {
        case .exact(let path): "=\(path)"
        case .prefix(let path): path
        case .expression(let expression): "~\(expression)"
        }
    }
}

/// What answers a route.
public enum RouteAction: Sendable {
    /// Files, by the path behind a prefix, or by the whole path for other patterns.
    case files(FileSet)
    /// The site of this name, mounted at the prefix.
    case site(String)
    /// Sends the client elsewhere. Under a prefix, a target that ends in a slash gets what follows the prefix, and the
    /// query; any other target stands as it is.
    case redirect(String, Status = .movedPermanently)
    /// A fixed response.
    case respond(Status, body: [UInt8], contentType: String = "text/plain; charset=utf-8")
    /// Refuses.
    case deny(Status = .forbidden)
}

/// Fields a route takes out of every response and puts into it, in this order.
public struct HeaderEdits: Sendable, Equatable {
    public var remove: [String]
    public var set: [(name: String, value: String)]

    /// No edits, unless given.
    public init(set: [(name: String, value: String)] = [], remove: [String] = []) {
        self.set = set
        self.remove = remove
    }

    /// Whether there is nothing to do.
    public var isEmpty: Bool { remove.isEmpty && set.isEmpty }

    /// Names and values in order.
    public static func == (a: HeaderEdits, b: HeaderEdits) -> Bool {
        a.remove == b.remove && a.set.elementsEqual(b.set) { $0 == $1 }
    }
}

/// What is wrong with a declared route.
public struct RouteError: Error, Equatable, CustomStringConvertible {
    /// The route's place in the list, from 0.
    public let index: Int
    public let reason: Reason

    /// The kinds of mistakes.
    public enum Reason: Sendable, Equatable {
        case relativePath(String)
        case unnormalizedPath(String)
        case invalidHost(String)
        case invalidExpression(String, PathExpression.Invalid)
        case duplicate(of: Int)
        case unknownSite(String)
        case noAction
        case invalidHeader(Fields.Invalid)
        case invalidTarget(String)
        case invalidStatus(Int)
    }

    public var description: String {
        let what =
            switch reason {
            case .relativePath(let path): "path '\(path)' must start with '/'"
            case .unnormalizedPath(let path): "path '\(path)' must be written decoded, without '//', '.' and '..'"
            case .invalidHost(let host): "'\(host)' is no host name: expected 'example.org' or '*.example.org'"
            case .invalidExpression(let text, let error): "expression '\(text)': \(error)"
            case .duplicate(let other): "the same host and path as routes[\(other)]"
            case .unknownSite(let name): "there is no site '\(name)'"
            case .noAction: "nothing answers it"
            case .invalidHeader(let error): "\(error)"
            case .invalidTarget(let target): "redirect target '\(target)' holds spaces or control characters"
            case .invalidStatus(let code): "status \(code) does not fit its action"
            }
        return "routes[\(index)]: \(what)"
    }
}

/// Every mistake in a list of routes.
public struct RouteErrors: Error, Equatable, CustomStringConvertible {
    public let errors: [RouteError]
    public var description: String { errors.map(\.description).joined(separator: "\n") }
}
