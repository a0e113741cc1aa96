public import HTTP
public import Platform

/// A set of files to serve, and how.
public struct FileSet: Sendable {
    public var source: FileSource
    /// What is served for a directory: the first of these names it has.
    public var index = ["index.html"]
    /// How long clients may keep a file without asking again; nil says nothing. From a year on, files also count as
    /// immutable: at that age, a changed file has a new name.
    public var maxAge: Duration?
    /// The whole value of `Cache-Control`, in place of what ``maxAge`` makes of it.
    public var cacheDirectives: String?
    /// Whether names that start with a dot are served. `/.well-known/` always is (RFC 8615).
    public var allowsDotFiles = false
    /// What symbolic links may do.
    public var links = ConfinedDirectory.Links.withinRoot
    /// Whether directories without an index are listed.
    public var listsDirectories = false
    /// Whether `name.gz` is sent for `name` to clients that take gzip, unless it is the older of the two.
    public var servesPrecompressed = true
    /// `Content-Type` by file extension (lower case, without dot), before the built-in table.
    public var mediaTypes: [String: String] = [:]

    /// The files of `source` with the defaults.
    public init(_ source: FileSource) { self.source = source }

    /// What a name says about a file's `Content-Type`.
    func contentType(_ name: String) -> String {
        if !mediaTypes.isEmpty, let dot = name.lastIndex(of: "."),
            let own = mediaTypes[name[name.index(after: dot)...].lowercased()]
        {
            return own
        }
        return MediaType.contentType(fileName: name) ?? MediaType.octetStream
    }

    /// `Cache-Control`'s value, or nil.
    var cacheControl: String? {
        if let cacheDirectives { return cacheDirectives }
        guard let seconds = maxAge?.components.seconds else { return nil }
        if seconds <= 0 { return "no-cache" }
        return "public, max-age=\(seconds)" + (seconds >= 31_536_000 ? ", immutable" : "")
    }

    /// What keeps a set from being served.
    public struct Problem: Error, Sendable, Equatable, CustomStringConvertible {
        public let path: String
        public let failure: ConfinedDirectory.Failure

        public var description: String {
            switch failure {
            case .notFound: "'\(path)': no such directory"
            case .forbidden: "'\(path)': permission denied"
            case .notAFile: "'\(path)': not a directory"
            case .exhausted: "'\(path)': no descriptors or memory left"
            case .system(let code): "'\(path)': errno \(code)"
            }
        }
    }

    /// What is wrong with the directory as it is now; nil when it can be served.
    public func check() -> Problem? {
        guard case .directory(let path) = source else { return nil }
        do throws(ConfinedDirectory.Failure) {
            try ConfinedDirectory(path: path, links: links).open([]).close()
            return nil
        } catch {
            return Problem(path: path, failure: error)
        }
    }
}

/// Where files come from.
public enum FileSource: Sendable, CustomStringConvertible {
    /// A directory; the path is as the process sees it.
    case directory(String)
    /// Files that are part of the binary.
    case embedded(EmbeddedFiles)

    public var description: String {
        switch self {
        case .directory(let path): path
        case .embedded(let files): "(\(files.count) embedded)"
        }
    }
}

/// Files compiled into the binary, by their paths.
public struct EmbeddedFiles: Sendable {
    private let files: [String: [UInt8]]
    /// Every directory that holds one of them, without a slash at its end.
    private let directories: Set<String>
    /// When they last changed: of the build. Nil sends no `Last-Modified`.
    let modified: HTTPDate?

    /// The files in `files`, by relative path (`css/site.css`).
    public init(_ files: [String: [UInt8]], modified: HTTPDate? = nil) {
        self.files = files
        self.modified = modified
        var directories: Set<String> = [""]
        for path in files.keys {
            var parent = Substring(path)
            while let slash = parent.lastIndex(of: "/") {
                parent = parent[..<slash]
                directories.insert(String(parent))
            }
        }
        self.directories = directories
    }

    /// The number of files.
    public var count: Int { files.count }

    /// The bytes of the file at `path`; nil without one.
    public subscript(path: String) -> [UInt8]? { files[path] }

    func isDirectory(_ path: String) -> Bool { directories.contains(path) }

    /// The names right below `directory`.
    func entries(_ directory: String) -> [(name: [UInt8], isDirectory: Bool)] {
        let prefix = directory.isEmpty ? "" : directory + "/"
        var names: [String: Bool] = [:]
        for path in files.keys where path.hasPrefix(prefix) {
            let rest = path.dropFirst(prefix.count)
            if let slash = rest.firstIndex(of: "/") {
                names[String(rest[..<slash])] = true
            } else {
                names[String(rest)] = false
            }
        }
        return names.map { (Array($0.key.utf8), $0.value) }
    }
}
