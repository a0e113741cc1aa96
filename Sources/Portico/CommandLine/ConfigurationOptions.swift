import ArgumentParser
import Config
import Front
import Glibc
import Supervisor

/// The options that choose and change the configuration, the same for every command.
struct ConfigurationOptions: ParsableArguments {
    @Option(
        name: .customLong("config"),
        help: ArgumentHelp("The configuration file (else app.yaml, /etc/app/app.yaml).", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"]))
    var path: String?

    @Option(
        name: .customLong("env"),
        help: ArgumentHelp("The section of it to use (else $APP_ENV, production).", valueName: "name"))
    var environmentName: String?

    @Option(name: .customLong("set"), help: ArgumentHelp("Set one option; may be repeated.", valueName: "key=value"))
    var assignments: [String] = []

    mutating func validate() throws {
        for assignment in assignments where ConfigFlag(assignment: assignment) == nil {
            throw ValidationError("--set takes key=value, as in --set workers.count=4; got '\(assignment)'")
        }
    }

    /// Where to look for the configuration, with further flags of the command.
    func sources(target: ConfigSources.Target? = nil, flags: [ConfigFlag] = []) -> ConfigSources {
        var sources = ConfigSources(
            explicitPath: path, environmentName: environmentName, environment: Environment.all,
            flags: flags + assignments.compactMap { ConfigFlag(assignment: $0) }, target: target,
            workingDirectory: Environment.workingDirectory)
        if let first = SiteCatalog.shared.names.first { sources.builtInSite = first }
        sources.patternProblem = { RouteAssembly.problem(ofExpression: $0) }
        return sources
    }

    /// The configuration, or every error on standard error and exit status 78.
    func load(target: ConfigSources.Target? = nil, flags: [ConfigFlag] = []) throws -> Configuration {
        try Self.load(sources(target: target, flags: flags))
    }

    static func load(_ sources: ConfigSources) throws -> Configuration {
        switch Configuration.load(sources) {
        case .success(let configuration):
            for warning in configuration.warnings { Console.error("warning: \(warning)") }
            return configuration
        case .failure(let errors):
            Console.error(errors.description)
            throw ExitCode.configuration
        }
    }
}

extension ArgumentParser.ExitCode {
    static let configuration = Self(Supervisor.ExitCode.configuration)
    static let unavailable = Self(Supervisor.ExitCode.unavailable)
    static let internalError = Self(Supervisor.ExitCode.internalError)
}

/// The process's environment.
enum Environment {
    static var all: [String: String] {
        var result: [String: String] = [:]
        var entry = environ
        while let pointer = entry.pointee {
            let text = String(cString: pointer)
            if let equals = text.firstIndex(of: "=") {
                result[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            entry += 1
        }
        return result
    }

    /// As it was when it was first asked for, which is at the start: an application may choose another for the process.
    static let workingDirectory: String = {
        guard let path = getcwd(nil, 0) else { return "/" }
        defer { free(path) }
        return String(cString: path)
    }()
}

/// What commands say to whoever typed them.
enum Console {
    static func print(_ text: String) { write(text, to: STDOUT_FILENO) }
    static func error(_ text: String) { write(text, to: STDERR_FILENO) }

    private static func write(_ text: String, to descriptor: CInt) {
        var rest = Array((text + "\n").utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}
