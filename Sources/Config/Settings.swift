/// The configuration, typed: everything checked, every path absolute.
public struct Settings: Sendable, Hashable {
    /// Where to listen; never empty.
    public let listen: [ListenAddress]
    /// `user`: a name or a number.
    public let user: String?
    /// `group`: a name or a number.
    public let group: String?
    /// `umask`: the bits.
    public let umask: Int?
    /// `socket`
    public let socket: Socket
    /// `workers`
    public let workers: Workers
    /// `gzip`
    public let gzip: Gzip
    /// `reload`
    public let reload: Reload
    /// `warm-up`: paths with a `/` in front.
    public let warmUp: [String]
    /// `limits`
    public let limits: Limits
    /// `timeouts`
    public let timeouts: Timeouts
    /// `websocket`
    public let websocket: WebSocket
    /// `log`
    public let log: Log
    /// `health`
    public let health: Health
    /// `admin`, `admin-token`, `stats`
    public let admin: Admin
    /// `server-header`
    public let serverHeader: ServerHeader
    /// `debug`
    public let debug: Bool
    /// `debug-toolbar`
    public let debugToolbar: Bool
    /// `editor`: the name of one, or a URL's template.
    public let editor: String?
    /// `secret-key`; without one, a random key is to be made at start.
    public let secretKey: Secret?
    /// `cookies`
    public let cookies: Cookies
    /// `allowed-hosts`: exact names, `.example.org` for a name with its subdomains, `*` for any.
    public let allowedHosts: [String]
    /// `temp-directory`
    public let tempDirectory: String
    /// `sites`, in the order of the configuration.
    public let sites: [SiteSettings]
    /// `routes`, in the order of the configuration.
    public let routes: [RouteSettings]

    /// `programs`, in the order of the configuration.
    public let programs: [ProgramSettings]
    /// `silenced-checks`
    public let silencedChecks: [String]
    /// `smoke`, in the order of the configuration.
    public let smoke: [SmokeStep]

    /// The site of that name.
    public func site(named name: String) -> SiteSettings? {
        sites.first { $0.name == name }
    }

    /// A number, or one the program finds by itself.
    public enum Count: Sendable, Hashable {
        /// To be found out.
        case auto
        /// This many.
        case exactly(Int)
    }

    /// `workers`
    public struct Workers: Sendable, Hashable {
        /// `workers.mode`
        public enum Mode: String, Sendable, CaseIterable {
            /// One process a worker.
            case process
            /// One process, an event loop a worker.
            case thread
        }
        /// What a worker is.
        public let mode: Mode
        /// How many workers.
        public let count: Count
        /// The fewest of a pool that grows and shrinks.
        public let min: Int?
        /// The most; nil where `count` says how many.
        public let max: Int?
        /// How long such a pool is idle before it gives up a worker.
        public let idle: Duration?
        /// Threads in each worker for synchronous sites.
        public let threads: Int
        /// After so many requests a worker is replaced.
        public let maxRequests: Int?
        /// After so long a worker is replaced.
        public let maxAge: Duration?
        /// With so much memory a worker is replaced.
        public let maxMemory: ByteCount?
        /// By how many percent at most a worker's own limits are lower.
        public let jitter: Int
        /// Failed starts in a row that end the server.
        public let startAttempts: Int
        /// The programs that have to be ready before.
        public let needs: [String]
    }

    /// `cookies`
    public struct Cookies: Sendable, Hashable {
        /// Whether all are marked `Secure`.
        public let secure: Bool
    }

    /// `socket`
    public struct Socket: Sendable, Hashable {
        /// The permission bits of a Unix socket's file.
        public let mode: Int
        /// Its owner: a name or a number.
        public let user: String?
        /// Its group: a name or a number.
        public let group: String?
    }

    /// `reload`
    public struct Reload: Sendable, Hashable {
        /// Whether files are watched and open pages follow them.
        public let live: Bool
        /// Files whose change reloads, absolute paths.
        public let touch: [String]
        /// Whether the configuration file's change does.
        public let config: Bool
        /// Processes beyond `workers` at once.
        public let surge: Int
    }

    /// `gzip`
    public struct Gzip: Sendable, Hashable {
        /// Whether anything is compressed.
        public let enabled: Bool
        /// Smaller responses are left alone.
        public let minSize: ByteCount
        /// 1 to 9.
        public let level: Int
        /// Media types: `type/subtype`, `type/*`.
        public let types: [String]
    }

    /// `limits`
    public struct Limits: Sendable, Hashable {
        /// `limits.memory`
        public enum Memory: Sendable, Hashable {
            /// By the cgroup, if that has a limit.
            case auto
            /// Never.
            case off
            /// So many bytes of a worker.
            case exactly(ByteCount)
        }

        /// All header fields of a request.
        public let headerSize: ByteCount
        /// How many header fields.
        public let headers: Int
        /// The request target.
        public let targetSize: ByteCount
        /// A request's body.
        public let bodySize: ByteCount
        /// What of a buffered body stays in memory.
        public let bodyMemory: ByteCount
        /// Open connections of each worker.
        public let connections: Count
        /// Requests that may wait for a thread.
        public let queue: Int
        /// For a request to wait before its application runs.
        public let queueTime: TimeLimit
        /// Where new connections begin to wait.
        public let memory: Memory
        /// Memory for small static files.
        public let filesCache: ByteCount
    }

    /// `timeouts`
    public struct Timeouts: Sendable, Hashable {
        /// First byte to end of header.
        public let header: Duration
        /// Between two pieces of a body.
        public let body: Duration
        /// For the client to take the next piece.
        public let write: Duration
        /// Of an idle connection.
        public let keepAlive: Duration
        /// For a site to answer.
        public let request: TimeLimit
        /// For an application to leave after that.
        public let grace: Duration
        /// For an event loop to be blocked.
        public let stuck: TimeLimit
        /// For running requests when stopping.
        public let drain: Duration
        /// For WebSockets and event streams of a worker that was replaced.
        public let linger: Duration
        /// For requests to be served while readiness says no, when stopping.
        public let preDrain: Duration
        /// For a worker to become ready.
        public let start: Duration
    }

    /// `websocket`
    public struct WebSocket: Sendable, Hashable {
        /// A message's size, uncompressed.
        public let maxSize: ByteCount
        /// Silence after which a ping is sent; zero sends none.
        public let pingInterval: Duration
        /// Silence after a ping that ends the connection; zero waits for ever.
        public let pingTimeout: Duration
        /// Whether messages are compressed.
        public let compression: Bool
    }

    /// `log`
    public struct Log: Sendable, Hashable {
        /// `log.format`
        public enum Format: String, Sendable, CaseIterable {
            /// Lines to read.
            case text
            /// One JSON object a line.
            case json
        }
        /// `log.level`, in swift-log's words.
        public enum Level: String, Sendable, CaseIterable {
            case trace, debug, info, notice, warning, error, critical
        }
        /// `log.access`
        public enum Access: Sendable, Hashable {
            /// None.
            case off
            /// To standard output.
            case standardOutput
            /// To a file, an absolute path.
            case file(String)
        }
        /// The form of log lines.
        public let format: Format
        /// The least important level that is logged.
        public let level: Level
        /// The access log.
        public let access: Access
        /// The responses that go to it.
        public let statuses: [StatusSet]
        /// For a site to answer before a warning is logged.
        public let slow: TimeLimit
    }

    /// `health`: the paths the server answers by itself; nil when switched off.
    public struct Health: Sendable, Hashable {
        /// 200 while the process can answer.
        public let live: String?
        /// 200 while requests are welcome.
        public let ready: String?
    }

    /// `admin`, `admin-token`, `stats`
    public struct Admin: Sendable, Hashable {
        /// `admin`
        public enum Listen: Sendable, Hashable {
            /// Nowhere.
            case off
            /// A Unix socket in the abstract namespace, which commands find by themselves.
            case standard
            case addresses([ListenAddress])
        }
        /// Where status is shown and commands are taken.
        public let listen: Listen
        /// What requests on TCP must carry.
        public let token: Secret?
        /// Where uWSGI's stats document is sent.
        public let stats: [ListenAddress]
    }

    /// `server-header`
    public enum ServerHeader: Sendable, Hashable {
        /// The product's own name.
        case standard
        /// None.
        case off
        /// This text.
        case text(String)
    }
}

/// How long something may take.
public enum TimeLimit: Sendable, Hashable {
    /// As long as it likes: `off`, or `0s`.
    case off
    /// So long; more than nothing.
    case within(Duration)

    /// Nil for no limit.
    public var duration: Duration? {
        switch self {
        case .off: nil
        case .within(let duration): duration
        }
    }

    /// Reads `off` or a duration.
    init?(configurationText text: String) {
        if text == "off" {
            self = .off
        } else if let duration = Duration(configurationText: text) {
            self = duration > .zero ? .within(duration) : .off
        } else {
            return nil
        }
    }
}

/// Text that no description shows.
public struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The secret itself.
    public let text: String

    /// Keeps `text`.
    public init(_ text: String) {
        self.text = text
    }

    /// `****`
    public var description: String { "****" }
    /// `****`
    public var debugDescription: String { "****" }
    /// Nothing inside.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
