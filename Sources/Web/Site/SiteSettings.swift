public import Diagnosis

/// What a site is run with: filled in from `app.yaml`.
public struct SiteSettings: Sendable {
    /// The SQLite file; nil for a site without a database.
    public var database: DatabaseLocation?
    /// How long a statement waits for another connection's lock before the request is answered by 503.
    public var lockTimeout = Duration.seconds(5)
    /// What signatures depend on.
    public var secretKey: SecretKey
    /// Whether error pages may show what went wrong, and templates are read anew when they change.
    public var isDebug: Bool
    /// Whether pages show at their end what they have cost (the debug toolbar).
    public var showsToolbar = false
    /// What opens places in files from error pages.
    public var editor: EditorLink?
    /// The hosts the site answers for: `example.org`, `.example.org` (and all below), `*`. Ports do not matter.
    public var allowedHosts: [String]
    /// Whether all cookies are for TLS alone, also when the server itself does not speak it.
    public var securesCookies = false
    /// Further origins forms may come from: `https://example.org`, `https://*.example.org`.
    public var trustedOrigins: [String] = []
    /// Directories of templates that come before those in the binary.
    public var templateDirectories: [String] = []
    /// Directories of static files that come before those in the binary.
    public var staticDirectories: [String] = []
    /// The path of static files below the site: without a leading, with a trailing slash.
    public var staticPath = "static/"
    /// The largest body a view is given, in bytes; more is answered by 413.
    public var bodyLimit = 2_621_440
    /// What the configuration says to the site itself (``Site/settings``), by name.
    public var values: [String: SettingText] = [:]
    /// Where files that are uploaded wait while their request is answered.
    public var temporaryDirectory = "/tmp"
    /// Whether a missing trailing slash is answered by a redirect to the URL that has it.
    public var appendsSlash = true
    /// What to do about migrations when the site starts.
    public var migrationPolicy = MigrationPolicy.apply

    /// Whether a starting site brings its database up to date.
    public enum MigrationPolicy: Sendable {
        /// Apply what is pending.
        case apply
        /// Refuse to start while something is pending.
        case require
    }

    /// Settings; without a secret key one is made for this process alone.
    public init(
        database: DatabaseLocation? = nil, secretKey: SecretKey = .temporary(), isDebug: Bool = false,
        allowedHosts: [String] = ["*"]
    ) {
        self.database = database
        self.secretKey = secretKey
        self.isDebug = isDebug
        self.allowedHosts = allowedHosts
    }
}
