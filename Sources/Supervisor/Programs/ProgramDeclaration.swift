import Platform

/// A program that runs beside the workers, as it was asked for.
public struct ProgramDeclaration: Equatable, Sendable {
    /// When it is started again after its end.
    public enum Restart: Equatable, Sendable { case always, onFailure, never }

    /// What makes it ready.
    public enum Readiness: Equatable, Sendable {
        /// It runs.
        case running
        /// It has run for so long.
        case after(Duration)
        /// It says this, in a line of its output.
        case line(String)
        /// It has ended with success.
        case exit
        /// Something outside shows it.
        case probe(ReadinessProbe)
    }

    /// What it is called in the log, and by others that need it.
    public var name: String
    /// The file that is run: with a slash, else it is not looked for.
    public var executable: String
    /// The argument vector, with the program's name first.
    public var arguments: [String]
    /// Its whole environment.
    public var environment: [String: String]
    /// Its working directory; nil for that of this process.
    public var directory: String?
    /// Who it is; nil for who this process is.
    public var identity: ProcessIdentity?
    /// The programs that have to be ready before it starts.
    public var needs: [String] = []
    public var readiness: Readiness = .running
    public var restart: Restart = .always
    /// The exit statuses that are no failure.
    public var success: Set<Int32> = [0]
    /// So many failures in a row give it up; 0 is never.
    public var startAttempts = 5
    /// For it to become ready.
    public var startTimeout: Duration = .seconds(60)
    /// What it, and all in its process group, is asked to stop with.
    public var stopSignal: Signal = .terminate
    /// For it to stop; then it is killed.
    public var stopTimeout: Duration = .seconds(10)
    /// Whether the server cannot do without.
    public var isEssential = false

    public init(
        name: String, executable: String, arguments: [String], environment: [String: String], directory: String? = nil,
        identity: ProcessIdentity? = nil
    ) {
        self.name = name
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.directory = directory
        self.identity = identity
    }
}
