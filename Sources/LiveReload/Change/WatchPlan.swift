/// Which directories and files a development server watches, and what a change in each of them means.
public struct WatchPlan: Equatable, Sendable {
    /// What a directory holds.
    public enum Role: Equatable, Sendable {
        /// What pages are made of and read anew each time: templates, static files.
        case page
        /// A Python application, with whatever it has in its directory.
        case python
        /// A Swift package.
        case package
    }

    /// A directory that is watched with all below it.
    public struct Directory: Equatable, Sendable {
        public let path: String
        let role: Role
    }

    public private(set) var directories: [Directory] = []
    private var files: [String: Change] = [:]

    public init() {}

    /// Watches a directory; nothing when there is none of the name.
    public mutating func add(_ directory: String?, _ role: Role) {
        guard let directory else { return }
        let path = directory.count > 1 && directory.hasSuffix("/") ? String(directory.dropLast()) : directory
        let new = Directory(path: path, role: role)
        if !directories.contains(new) { directories.append(new) }
    }

    /// Watches one file.
    public mutating func add(file: String?, _ change: Change) {
        if let file { files[file] = change }
    }

    /// What to watch.
    public var scope: TreeWatcher.Scope {
        TreeWatcher.Scope(directories: directories.map(\.path), files: files.keys.sorted())
    }

    /// What changed files mean, each meaning once.
    public func meaning(of paths: [String]) -> Set<Change> {
        Set(paths.compactMap(meaning))
    }

    private func meaning(of path: String) -> Change? {
        if let change = files[path] { return change }
        // The innermost directory knows best: the templates inside a package are read, not built.
        let holder = directories.filter { path.hasPrefix($0.path + "/") || $0.path == "/" }
            .max { $0.path.utf8.count < $1.path.utf8.count }
        guard let holder else { return nil }
        let isStyle = path.hasSuffix(".css")
        switch holder.role {
        case .page: return isStyle ? .style(path) : .page
        case .python:
            if isStyle { return .style(path) }
            // A framework may keep whatever it has read, a template as well as a translation.
            return Self.ending(of: path).map { Self.assets.contains($0) } ?? false ? .page : .python
        case .package: return Self.ending(of: path).map { Self.sources.contains($0) } ?? false ? .swift : nil
        }
    }

    private static let sources: Set<Substring> = [
        "swift", "c", "h", "cc", "cpp", "hpp", "m", "mm", "html", "css", "js",
    ]
    private static let assets: Set<Substring> = [
        "js", "mjs", "map", "svg", "png", "jpg", "jpeg", "gif", "webp", "avif", "ico", "woff", "woff2", "ttf", "md",
    ]

    private static func ending(of path: String) -> Substring? {
        guard let dot = path.lastIndex(of: "."), !path[dot...].contains("/") else { return nil }
        return path[path.index(after: dot)...]
    }
}
