import ArgumentParser
import Config
import Glibc
import Logging
import Platform
import Python
import Supervisor

/// `app import`: what `app check` starts for each Python site, as an import may do anything to its process. Not for people.
///
/// The site's gateway, or why it has none, goes to descriptor 3.
struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Import one Python site.", shouldDisplay: false)

    @Argument var site: String
    @OptionGroup var options: ConfigurationOptions
    // Those of `app check`, which hands its arguments on.
    @Flag(help: .hidden) var deploy = false
    @Option(help: .hidden) var failLevel: String?

    func run() throws {
        let configuration = try options.load()
        LogAssembly.bootstrap(configuration.settings.log, process: "check")
        let sites = PythonSites(configuration)
        guard let entry = sites.entries.first(where: { $0.site.name == site }),
            let installation = try sites.installation()
        else { throw ArgumentParser.ExitCode(Supervisor.ExitCode.usage) }
        try Accounts(configuration).assume()
        guard chdir(entry.directory) == 0 else { throw ArgumentParser.ExitCode.configuration }
        let timeout = configuration.settings.timeouts.start
        let status: Int32
        do throws(PythonInstallationError) {
            status = try Interpreter.main(installation, logger: Logger(label: "python")) { interpreter in
                defer { interpreter.endsWithin(timeout) }
                return Self.importApplication(entry, interpreter)
            }
        } catch {
            Self.answer("\(error)")
            status = 1
        }
        throw ArgumentParser.ExitCode(status)
    }

    private static func importApplication(_ entry: PythonSites.Entry, _ interpreter: Interpreter) -> Int32 {
        do throws(PythonLoadError) {
            let application = try interpreter.load(
                module: entry.module, callable: entry.callable, directory: entry.directory)
            answer(interpreter.gateway(of: application).rawValue)
            return 0
        } catch {
            answer("\(error)")
            return 1
        }
    }

    private static func answer(_ text: String) {
        _ = try? Array(text.utf8).withUnsafeBytes { try Descriptor.writeAll($0, to: 3) }
    }
}

/// Imports the Python sites of a configuration, each in a process of its own.
struct PythonSiteCheck {
    let configuration: Configuration

    init(_ configuration: Configuration) { self.configuration = configuration }

    /// What came of one site.
    enum Outcome: Equatable {
        case imported(gateway: String)
        case failed(String)
    }

    /// The outcome for each site, in the order of the configuration.
    func outcomes() -> [(entry: PythonSites.Entry, outcome: Outcome)] {
        PythonSites(configuration).entries.map { entry in
            do throws(SystemError) {
                return (entry, try outcome(of: entry))
            } catch {
                return (entry, .failed("\(error)"))
            }
        }
    }

    private func outcome(of entry: PythonSites.Entry) throws(SystemError) -> Outcome {
        let limit = configuration.settings.timeouts.start
        let answer = try MemoryFile.make(name: "import-answer", [])
        let flags = CommandLine.arguments.drop { $0 != "check" }.dropFirst()
        let pid = try ChildProcess.spawn(
            executable: ChildProcess.currentExecutable, arguments: ["app", "import", entry.site.name] + flags,
            environment: Environment.all, descriptors: [(answer.rawValue, 3)])
        guard let status = try ChildProcess.wait(pid, within: limit) else {
            return .failed("\(entry.target) is not imported within \(limit)")
        }
        let text = String(decoding: try MemoryFile.contents(of: answer), as: UTF8.self)
        guard status.isSuccess, PythonGateway(rawValue: text) != nil else {
            return .failed(text.isEmpty ? "importing \(entry.target) ended the process: \(status)" : text)
        }
        return .imported(gateway: text)
    }
}
