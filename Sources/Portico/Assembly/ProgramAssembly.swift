import Config
import Glibc
import Logging
import Platform
import Supervisor

/// The programs of the configuration, as the supervisor wants them.
struct ProgramAssembly {
    let configuration: Configuration

    init(_ configuration: Configuration) { self.configuration = configuration }

    /// Commands that are not on this machine, and URLs that name no place.
    var problems: [ConfigError] {
        let addresses = configuration.settings.programs.compactMap { program -> ConfigError? in
            guard case .http(let url) = program.ready, (try? HealthProbe(url: url, path: "/")) == nil else {
                return nil
            }
            return configuration.error(
                "'\(url)' names no host and port", at: program.place.appending("ready").appending("http"))
        }
        return addresses
            + configuration.settings.programs.compactMap { program in
                guard executable(of: program) == nil else { return nil }
                let name = program.command[0]
                let where_ = name.contains("/") ? "" : " on the path (\(path(of: program)))"
                return configuration.error(
                    "there is no program \(name)\(where_), or it cannot be executed",
                    at: program.place.appending("command"))
            }
    }

    /// What is to run.
    var declarations: [ProgramDeclaration] { configuration.settings.programs.map(declaration) }

    /// A keeper for them, which has begun to start them.
    /// - Parameter inherited: what runs already, started by another version of the server.
    func start(inheriting inherited: [InheritedProgram]? = nil, logger: Logger) throws -> ProgramKeeper {
        let keeper = try ProgramKeeper(logger: logger) { LogAssembly.logger(ofProgram: $0) }
        try keeper.start(
            declarations, neededByWorkers: Set(configuration.settings.workers.needs), inheriting: inherited)
        return keeper
    }

    private func declaration(_ program: ProgramSettings) -> ProgramDeclaration {
        let identity = self.identity(of: program)
        let environment = Environment.all.filter { !SocketActivation.variables.contains($0.key) }
        var result = ProgramDeclaration(
            name: program.name, executable: executable(of: program) ?? program.command[0], arguments: program.command,
            environment: (identity?.applied(to: environment) ?? environment).merging(program.environment) { $1 },
            directory: program.directory, identity: identity)
        result.needs = program.needs
        result.readiness = readiness(program.ready)
        result.restart =
            switch program.restart {
            case .always: .always
            case .onFailure: .onFailure
            case .never: .never
            }
        result.success = Set(program.success.map { Int32($0) })
        result.startAttempts = program.startAttempts
        result.startTimeout = program.startTimeout
        result.stopSignal = Self.signals[program.stopSignal] ?? .terminate
        result.stopTimeout = program.stopTimeout
        result.isEssential = program.essential
        return result
    }

    private func identity(of program: ProgramSettings) -> ProcessIdentity? {
        let accounts = Accounts(configuration)
        guard program.user == nil else { return accounts.identity(of: program) }
        var identity = accounts.identity
        identity?.mayGainPrivileges = true
        return identity
    }

    private static let signals: [String: Signal] = [
        "TERM": .terminate, "INT": .interrupt, "QUIT": .quit, "HUP": .hangUp, "USR1": .user1, "USR2": .user2,
        "KILL": .kill,
    ]

    private func readiness(_ ready: ProgramSettings.Ready?) -> ProgramDeclaration.Readiness {
        switch ready {
        case nil: .running
        case .after(let time): .after(time)
        case .line(let text): .line(text)
        case .exit: .exit
        case .file(let path): .probe(.file(path))
        case .tcp(let address): .probe(.tcp(ClientAddress(address)))
        case .http(let url):
            // Where it is none, the start has ended with that already.
            .probe(
                (try? HealthProbe(url: url, path: "/")).map { .http($0.request) } ?? .tcp(.unix(path: "/nonexistent")))
        }
    }

    // MARK: - Looking for the command

    /// The file, by its absolute path; nil when it is nowhere.
    private func executable(of program: ProgramSettings) -> String? {
        let name = program.command[0]
        if name.contains("/") {
            let directory = program.directory ?? Environment.workingDirectory
            return Self.runnable(name.hasPrefix("/") ? name : "\(directory)/\(name)")
        }
        return path(of: program).split(separator: ":").lazy.compactMap { Self.runnable("\($0)/\(name)") }.first
    }

    private func path(of program: ProgramSettings) -> String {
        program.environment["PATH"] ?? Environment.all["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
    }

    private static func runnable(_ path: String) -> String? {
        var found = stat()
        guard stat(path, &found) == 0, found.st_mode & S_IFMT == S_IFREG, access(path, X_OK) == 0 else { return nil }
        return path
    }
}

extension ClientAddress {
    /// The way to what listens on an address of the configuration; an inherited descriptor has none.
    init(_ address: Config.ListenAddress) {
        switch address {
        case .tcp(let host, let port): self = .tcp(host: host ?? "localhost", port: UInt16(clamping: port))
        case .unix(let path): self = .unix(path: path)
        case .inherited: self = .unix(path: "")
        }
    }
}
