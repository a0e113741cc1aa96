import ArgumentParser
import Config
import Glibc
import Platform
import Supervisor

/// The options by which `serve` overrides the configuration; the hidden `worker` takes the same.
struct ServeOptions: ParsableArguments {
    @Argument(help: "A directory, a site of this program, or a Python module:callable, in place of app.yaml.")
    var target: String?

    @OptionGroup var configuration: ConfigurationOptions

    @Option(
        help: ArgumentHelp(
            "Where: 127.0.0.1:8000, :8000, [::1]:8000, unix:/run/app.sock, fd:3; may be repeated.",
            valueName: "address"))
    var listen: [String] = []

    @Option(help: ArgumentHelp("process: each worker is one; thread: one for all.", valueName: "process|thread"))
    var mode: String?

    @Option(help: ArgumentHelp("How many; auto: one for each CPU that may be used.", valueName: "number|auto"))
    var workers: String?

    @Option(help: ArgumentHelp("Threads of each worker for synchronous views.", valueName: "number"))
    var threads: String?

    /// Whether it is `app dev`, or a worker of it.
    @Flag(help: .hidden) var development = false

    var flags: [ConfigFlag] {
        var flags: [ConfigFlag] = []
        if development {
            flags.append(ConfigFlag("reload.live", .text("true"), flag: "app dev"))
            flags.append(ConfigFlag("workers.mode", .text("process"), flag: "app dev"))
        }
        if !listen.isEmpty { flags.append(ConfigFlag("listen", .list(listen), flag: "--listen")) }
        if let mode { flags.append(ConfigFlag("workers.mode", .text(mode), flag: "--mode")) }
        if let workers { flags.append(ConfigFlag("workers.count", .text(workers), flag: "--workers")) }
        if let threads { flags.append(ConfigFlag("workers.threads", .text(threads), flag: "--threads")) }
        return flags
    }

    /// What the target names: a site of this binary before a directory of the same name.
    func configTarget() throws -> ConfigSources.Target? {
        guard let target else { return nil }
        if SiteCatalog.shared[target] != nil { return .swift(target) }
        var status = stat()
        if stat(target, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFDIR else {
                throw ValidationError("'\(target)' is a file; serve takes a directory or the name of a site.")
            }
            return .directory(target)
        }
        if target.contains(":") { return .python(target) }
        throw ValidationError(
            "'\(target)' is neither a directory nor a site of this binary (\(SiteCatalog.shared.names.joined(separator: ", ")))."
        )
    }

    func sources() throws -> ConfigSources {
        var sources = configuration.sources(target: try configTarget(), flags: flags)
        if development { sources.defaultEnvironment = "development" }
        return sources
    }

    /// The arguments of `app serve` or `app dev`, for the hidden commands that have to see the same configuration.
    static func passedOn(_ arguments: [String]) -> [String] {
        guard let command = arguments.firstIndex(where: { $0 == "serve" || $0 == "dev" }) else { return [] }
        return (arguments[command] == "dev" ? ["--development"] : []) + arguments[(command + 1)...]
    }
}

/// `app serve`
struct ServeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Serve sites and files until told to stop.",
        usage: "app serve [<target>] [<options>]",
        discussion: """
            Examples:
              app serve --env development
              app serve polls --listen :8080 --workers 2
              app serve shop.wsgi:application
              app serve --set log.access=false --set limits.body-size=1MiB

            TERM and INT finish what was begun, then exit; a second one exits at once.
            Exit status: 0 stopped as told, 64 wrong command line, 69 cannot listen,
            70 a worker could not start or failed, 78 wrong configuration.
            """)

    @OptionGroup var options: ServeOptions

    @Option(
        help: ArgumentHelp("Once requests are served, write the URLs to it, one a line.", valueName: "file"),
        completion: .file())
    var readyFile: String?

    @Option(
        help: ArgumentHelp("Stop as if told to, so long after requests are served.", valueName: "duration"))
    var exitAfter: String?

    func run() throws { try Self.serve(options, readyFile: readyFile, exitAfter: exitAfter) }

    /// Serves until told to stop, then ends the process.
    static func serve(_ options: ServeOptions, readyFile: String?, exitAfter: String? = nil) throws {
        Descriptor.ensureStandardDescriptors()
        let lifetime = exitAfter.map { Duration(configurationText: $0) }
        if let lifetime, lifetime.map({ $0 <= .zero }) ?? true {
            throw ValidationError("--exit-after takes a duration such as 10s; got '\(exitAfter ?? "")'")
        }
        let announcement = ReadyAnnouncement.Options(readyFile: readyFile, exitAfter: lifetime ?? nil)
        if let status = try Serving.resume(options, announcement) { throw ArgumentParser.ExitCode(status) }
        let configuration = try ConfigurationOptions.load(options.sources())
        let status = try Serving(configuration, options, announcement).run()
        throw ArgumentParser.ExitCode(status)
    }
}

/// `app worker`: what the supervisor starts. Not for people.
struct WorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "Serve as one process of a pool.", shouldDisplay: false)

    @OptionGroup var options: ServeOptions

    @Option(help: .hidden) var readyFile: String?
    @Option(help: .hidden) var exitAfter: String?

    func run() throws {
        // Started as /proc/self/exe, it would be called "exe" by ps and top.
        ChildProcess.setName("app worker")
        let control: WorkerControl
        do {
            control = try WorkerControl.fromEnvironment(Environment.all)
        } catch {
            Console.error("app worker is started by app serve: \(error)")
            throw ArgumentParser.ExitCode(Supervisor.ExitCode.usage)
        }
        throw ArgumentParser.ExitCode(try ProcessWorker(control, options: options).run())
    }
}
