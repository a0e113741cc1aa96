/// Everything a configuration is made from. Nothing else is looked at, so that a test can give all of it.
public struct ConfigSources: Sendable {
    /// What `app serve TARGET` names: the quick form without a file.
    public enum Target: Sendable, Hashable {
        /// `module:callable`
        case python(String)
        /// A directory of static files.
        case directory(String)
        /// The name of a Swift site in the binary.
        case swift(String)
    }

    /// `--config`.
    public var explicitPath: String?
    /// `--env`; without it `$APP_ENV`, else `defaultEnvironment`.
    public var environmentName: String?
    /// `development` for `app dev`, `production` for everything else.
    public var defaultEnvironment: String
    /// The environment variables.
    public var environment: [String: String]
    /// The flags that set options, later over earlier.
    public var flags: [ConfigFlag]
    /// The quick form's target. With one, only a file named by `--config` is read, and the target takes the place of
    /// its sites and routes.
    public var target: Target?
    /// An absolute path.
    public var workingDirectory: String
    /// Where `${secret:name}` looks last.
    public var secretsDirectory: String
    /// The places looked at when no file is named.
    public var usualPlaces: [String]
    /// A file that was read before, so that a worker sees what its supervisor saw; no place is looked at then.
    public var fileContents: (path: String, bytes: [UInt8])?
    /// Secrets that were read before, by name: they are not looked for again.
    public var knownSecrets: [String: Secret] = [:]
    /// The site that is served when neither a file nor a target names one.
    public var builtInSite = "polls"
    /// Says what is wrong with a route's regular expression (without its `~`), nil when nothing is. The front router
    /// gives its own.
    public var patternProblem: @Sendable (String) -> String?

    /// The sources of an ordinary start.
    public init(
        explicitPath: String? = nil, environmentName: String? = nil, defaultEnvironment: String = "production",
        environment: [String: String] = [:], flags: [ConfigFlag] = [], target: Target? = nil,
        workingDirectory: String = "/", secretsDirectory: String = "/run/secrets",
        usualPlaces: [String] = ["app.yaml", "/etc/app/app.yaml"],
        fileContents: (path: String, bytes: [UInt8])? = nil,
        patternProblem: @escaping @Sendable (String) -> String? = { _ in nil }
    ) {
        self.explicitPath = explicitPath
        self.environmentName = environmentName
        self.defaultEnvironment = defaultEnvironment
        self.environment = environment
        self.flags = flags
        self.target = target
        self.workingDirectory = workingDirectory
        self.secretsDirectory = secretsDirectory
        self.usualPlaces = usualPlaces
        self.fileContents = fileContents
        self.patternProblem = patternProblem
    }
}

/// A command-line flag that sets an option.
public struct ConfigFlag: Sendable, Hashable {
    /// What it sets the option to.
    public enum Value: Sendable, Hashable {
        /// One value; lists and mappings in YAML's flow style where the option may hold them.
        case text(String)
        /// A list, of a flag that may be repeated.
        case list([String])
    }

    /// The option.
    public var path: ConfigPath
    /// Its value.
    public var value: Value
    /// The flag for errors and `--origin`, without its value: `--listen`.
    public var flag: String

    /// A flag of its own for one option, such as `--workers 4` for `workers.count`.
    public init(_ path: ConfigPath, _ value: Value, flag: String) {
        self.path = path
        self.value = value
        self.flag = flag
    }

    /// `--set key=value`: nil when there is no key or no `=`.
    public init?(assignment: String) {
        guard let equals = assignment.firstIndex(of: "="), let path = ConfigPath(parsing: assignment[..<equals]) else {
            return nil
        }
        self.init(path, .text(String(assignment[assignment.index(after: equals)...])), flag: "--set \(path)")
    }
}
