/// One of `routes`.
public struct RouteSettings: Sendable, Hashable {
    /// `path`
    public enum Pattern: Sendable, Hashable {
        /// `/static/`: paths that begin so.
        case prefix(String)
        /// `=/ping`: this path.
        case exact(String)
        /// `~^/year/[0-9]+`: paths in which the expression is found.
        case expression(String)
    }

    /// What answers.
    public indirect enum Action: Sendable, Hashable {
        /// Files of a directory.
        case files(Files)
        /// The site of this name; it is there.
        case site(String)
        /// Elsewhere: 301, 302, 303, 307 or 308.
        case redirect(target: String, status: Int)
        /// A fixed response.
        case respond(text: String, status: Int, contentType: String)
        /// A refusal: 403, 404 or 410.
        case deny(status: Int)
    }

    /// `files` and what goes with it.
    public struct Files: Sendable, Hashable {
        /// `cache`
        public enum Cache: Sendable, Hashable {
            /// So long.
            case age(Duration)
            /// The text of `Cache-Control`.
            case control(String)
        }

        /// `symlinks`
        public enum Symlinks: String, Sendable, CaseIterable {
            /// Only to places within the directory.
            case within
            /// None.
            case never
            /// Anywhere.
            case follow
        }

        /// The directory, an absolute path.
        public let root: String
        /// How long clients may keep a file.
        public let cache: Cache?
        /// The files that stand for a directory.
        public let index: [String]
        /// Whether names that begin with a dot are served.
        public let dotFiles: Bool
        /// Whether directories without an index are listed.
        public let listing: Bool
        /// Whether `.gz` siblings are sent.
        public let precompressed: Bool
        /// Which symbolic links are followed.
        public let symlinks: Symlinks
        /// What answers when there is no such file.
        public let fallback: Action?
    }

    /// `headers`
    public struct Headers: Sendable, Hashable {
        /// One header.
        public struct Field: Sendable, Hashable {
            /// Its name.
            public let name: String
            /// Its value.
            public let value: String
        }
        /// To set, in the order of the configuration.
        public let set: [Field]
        /// Names to take away.
        public let remove: [String]
    }

    /// `example.org`, `*.example.org` or nil for every host; in lower case.
    public let host: String?
    /// `path`
    public let pattern: Pattern
    /// `methods`: those that are answered; nil for all.
    public let methods: [String]?
    /// What answers.
    public let action: Action
    /// Changes to response headers.
    public let headers: Headers
    /// Whether responses here are compressed, if anything is.
    public let gzip: Bool
    /// `timeout`: for the site to answer; nil for what the site, or `timeouts.request`, says.
    public let timeout: TimeLimit?
    /// Its place in the configuration (`routes[2]`), for `Configuration.error(_:at:)`.
    public let place: ConfigPath
}
