/// One of `programs`.
public struct ProgramSettings: Sendable, Hashable {
    /// `restart`
    public enum Restart: String, Sendable, CaseIterable {
        /// Whenever it ends.
        case always
        /// When it ends with a failure.
        case onFailure = "on-failure"
        /// Not at all.
        case never
    }

    /// `ready`
    public enum Ready: Sendable, Hashable {
        /// It has run for so long.
        case after(Duration)
        /// The URL is answered.
        case http(String)
        /// The address takes a connection; never an inherited descriptor.
        case tcp(ListenAddress)
        /// The file is there, an absolute path.
        case file(String)
        /// It has said so.
        case line(String)
        /// It has ended with success.
        case exit
    }

    /// Its key under `programs`.
    public let name: String
    /// The program and its arguments; never empty.
    public let command: [String]
    /// An absolute path.
    public let directory: String?
    /// Variables beside those of the server.
    public let environment: [String: String]
    /// A name or a number.
    public let user: String?
    /// A name or a number.
    public let group: String?
    /// Names of programs; they are there.
    public let needs: [String]
    /// Nil when it is ready once it runs.
    public let ready: Ready?
    /// When it is started again.
    public let restart: Restart
    /// The exit statuses that are no failure.
    public let success: [Int]
    /// So many failures in a row give it up; 0 is never.
    public let startAttempts: Int
    /// For it to become ready.
    public let startTimeout: Duration
    /// `TERM`, `INT`, …
    public let stopSignal: String
    /// For it to stop.
    public let stopTimeout: Duration
    /// Whether the server cannot do without.
    public let essential: Bool
    /// Its place in the configuration, for `Configuration.error(_:at:)`.
    public var place: ConfigPath { ConfigPath([.key("programs"), .key(name)]) }
}
