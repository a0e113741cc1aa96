import HTTP
import NIOCore

/// A compiled route.
final class Route: Sendable {
    let index: Int
    let host: String?
    let pattern: RoutePattern
    /// The length of the prefix in bytes; 0 for other patterns.
    let prefixCount: Int
    /// The prefix without a slash at its end: where a site is mounted.
    let mount: String
    let methods: [Method]?
    let actions: [Action]
    let headers: FieldEdits?
    let gzip: GzipPolicy?
    let timeLimit: SiteTimeLimit?
    /// The site's number, of a route that does nothing but lead to a site.
    let onlySite: Int?

    /// What answers, with everything that can be prepared.
    enum Action: Sendable {
        /// The set's number, and where its files come from.
        case files(Int, String)
        case site(Int, String)
        case redirect(RedirectTarget)
        case respond(ResponseHead, ByteBuffer)
        case deny(Status)

        var description: String {
            switch self {
            case .files(_, let source): "files \(source)"
            case .site(_, let name): "site \(name)"
            case .redirect(let target): "redirect \(target.status.code) \(target.target)"
            case .respond(let head, _): "respond \(head.status.code)"
            case .deny(let status): "deny \(status.code)"
            }
        }
    }

    init(
        index: Int, host: String?, pattern: RoutePattern, methods: [Method]?, actions: [Action], headers: FieldEdits?,
        gzip: GzipPolicy?, timeLimit: SiteTimeLimit?
    ) {
        self.index = index
        self.host = host
        self.pattern = pattern
        self.methods = methods
        self.actions = actions
        self.headers = headers
        self.gzip = gzip
        self.timeLimit = timeLimit
        onlySite =
            if methods == nil, headers == nil, actions.count == 1, case .site(let number, _) = actions[0] {
                number
            } else { nil }
        if case .prefix(let prefix) = pattern {
            prefixCount = prefix.utf8.count
            mount = prefix.hasSuffix("/") ? String(prefix.dropLast()) : prefix
        } else {
            prefixCount = 0
            mount = ""
        }
    }

    /// Where a site is mounted for `path`, and what follows, which starts with a slash unless it is empty. A prefix
    /// that ends within a segment mounts nothing: the site then sees the whole path behind the prefix's last slash.
    func mountPoint(_ path: UnsafeRawBufferPointer) -> (scriptName: String, path: String) {
        let count = mount.utf8.count
        if path.count == count || path[count] == 0x2F {
            if path.count == count + 1 { return (mount, "/") }
            return (mount, String(decoding: path[count...], as: UTF8.self))
        }
        let slash = path[..<count].lastIndex(of: 0x2F) ?? 0
        return (String(decoding: path[..<slash], as: UTF8.self), String(decoding: path[slash...], as: UTF8.self))
    }

    /// The path files are looked for by: what follows the prefix, without a leading slash; the whole path otherwise.
    func filePath(_ path: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        var start = prefixCount
        if start < path.count, path[start] == 0x2F { start += 1 }
        return UnsafeRawBufferPointer(rebasing: path[min(start, path.count)...])
    }

    /// `Allow`'s value for the methods of this route.
    var allow: String { (methods ?? []).map(\.name).joined(separator: ", ") }
}

/// Where a redirect leads.
struct RedirectTarget: Sendable {
    let target: String
    let status: Status
    /// Whether what follows the prefix, and the query, are put behind the target.
    let appendsRest: Bool

    /// The value of `Location`. `rest` is decoded and is encoded again, so that it cannot break out of the field.
    func location(rest: UnsafeRawBufferPointer, query: String) -> String {
        guard appendsRest else { return target }
        return query.isEmpty
            ? target + PercentCoding.encodePath(rest) : "\(target)\(PercentCoding.encodePath(rest))?\(query)"
    }
}

/// ``HeaderEdits`` with their lines checked.
struct FieldEdits: Sendable {
    let removed: [String]
    let added: Fields

    init(_ edits: HeaderEdits) throws(Fields.Invalid) {
        var added = Fields()
        for (name, value) in edits.set { try added.append(name: name, value: value) }
        removed = edits.remove + edits.set.map(\.name)
        self.added = added
    }

    /// Applies the edits.
    func edit(_ fields: inout Fields) {
        for name in removed { fields.remove(name) }
        fields.append(contentsOf: added)
    }
}
