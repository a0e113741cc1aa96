import ArgumentParser
import Config
import Glibc
import Logging
import Platform
import Python
import Supervisor
import Synchronization
import Telemetry

/// `app serve`: everything before the first request, then a supervisor with worker processes, or one process of threads.
struct Serving: Sendable {
    let configuration: Configuration
    let options: ServeOptions
    let announcement: ReadyAnnouncement.Options
    let logger: Logger

    init(_ configuration: Configuration, _ options: ServeOptions, _ announcement: ReadyAnnouncement.Options) {
        self.configuration = configuration
        self.options = options
        self.announcement = announcement
        let settings = configuration.settings
        LogAssembly.bootstrap(
            settings.log, process: settings.workers.mode == .process ? "supervisor" : "app")
        logger = Logger(label: "app")
    }

    /// Serves until told to stop. The result is the exit status.
    func run() throws -> Int32 {
        try RouteAssembly(configuration).verify()
        try verifyAccounts()
        if let umask = configuration.settings.umask { _ = Glibc.umask(mode_t(umask)) }
        tellSize()
        tellMemory()
        if configuration.settings.secretKey == nil, configuration.settings.sites.contains(where: \.isSwift) {
            logger.warning("no secret key is configured: what the sites sign is void after a restart")
        }
        let python = try findPython()
        let (listeners, areInherited) = try bind()
        // Each connection needs a descriptor; the soft limit is usually 1024.
        do { try FileLimit.raise() } catch { logger.warning("the limit of open files stays as it is: \(error)") }
        // The supervisor stays what it is, to bind and to start workers; those are somebody else from their first instruction.
        if configuration.settings.workers.mode == .thread { try Accounts(configuration).assume() }
        // Not before: a thread keeps what it was started with.
        ClockWatch.start(logger: logger)
        if configuration.settings.reload.live, configuration.settings.workers.mode == .thread {
            logger.warning("reload: files are watched in process mode alone; start with `app dev`, or --mode process")
        }
        return switch configuration.settings.workers.mode {
        case .process: try superviseProcesses(listeners, areInherited: areInherited, python)
        case .thread: try ThreadServing(self, listeners, areInherited: areInherited).run(python)
        }
    }

    /// Who serves, and what they may write.
    private func verifyAccounts() throws {
        let problems = Accounts(configuration).obstacles(readyFile: announcement.readyFile)
        guard problems.isEmpty else {
            Console.error(ConfigErrors(problems).description)
            throw ArgumentParser.ExitCode.configuration
        }
        if Accounts(configuration).servesAsRoot, configuration.environmentName != "development" {
            logger.warning(
                "sites run as root: who takes over one of them has the machine; set 'user:', or start as another user")
        }
    }

    private func findPython() throws -> PythonInstallation? {
        do throws(ConfigErrors) {
            return try PythonSites(configuration).installation()
        } catch {
            Console.error(error.description)
            throw ArgumentParser.ExitCode.configuration
        }
    }

    /// Sockets handed over by systemd take the place of `listen`.
    private func bind() throws -> ([BoundListener], areInherited: Bool) {
        do throws(BindError) {
            let inherited = try SocketActivation.adopt(environment: Environment.all)
            if !inherited.isEmpty { return (inherited.map { BoundListener(.descriptor($0.descriptor), $0) }, true) }
            let access = ListeningSocket.FileAccess(configuration)
            var listeners: [BoundListener] = []
            for address in configuration.settings.listen.map(Platform.ListenAddress.init) {
                listeners.append(BoundListener(address, try .bind(address, file: access)))
            }
            return (listeners, false)
        } catch {
            Console.error("\(error)")
            throw ArgumentParser.ExitCode.unavailable
        }
    }

    private func superviseProcesses(
        _ listeners: [BoundListener], areInherited: Bool, _ python: PythonInstallation?
    ) throws -> Int32 {
        defer { listeners.forEach { $0.socket.close() } }
        let said = ReadyAnnouncement(announcement, logger: logger)
        // Before anything is started: an early signal would leave it behind.
        let signals = try SupervisorProcess.watchSignals()
        var setup = setup(
            keepsListeners: areInherited, commands: try SupervisorCommands(),
            programs: try ProgramAssembly(configuration).start(logger: logger), said)
        setup.signals = signals
        return try supervise(setup, listeners.map(\.socket)) { setup in
            let plan = try ServingPlan.plan(configuration, python, secret: nil)
            return try SupervisorProcess.run(setup, plan: plan, listeners: listeners)
        }
    }

    /// Runs a supervisor, and beside it what answers for it and, in development, what watches files.
    /// - Parameter announcement: what the watch before this one had announced.
    private func supervise(
        _ setup: SupervisorProcess.Setup, _ listeners: [ListeningSocket], announcement: String? = nil,
        _ run: (SupervisorProcess.Setup) throws -> Int32
    ) throws -> Int32 {
        var setup = setup
        let admin = addAdmin(to: &setup, listeners)
        defer { admin.stop() }
        let watch = startDevelopmentWatch(setup.commands, announcement: announcement)
        defer { watch?.stop() }
        setup.onTold = { [weak watch] text in if let news = DevelopmentNews(text) { watch?.heard(news) } }
        return try run(setup)
    }

    /// What a supervisor works with. `environment` is that of its workers.
    func setup(
        keepsListeners: Bool, commands: SupervisorCommands, programs: ProgramKeeper?,
        environment: [String: String] = Environment.all, _ announcement: ReadyAnnouncement
    ) -> SupervisorProcess.Setup {
        let rest = ServeOptions.passedOn(CommandLine.arguments)
        var program = SupervisorProcess.Program(
            arguments: ["app", "worker"] + rest, environment: environment,
            identity: Accounts(configuration).identity)
        program.directory = Environment.workingDirectory
        var setup = SupervisorProcess.Setup(program: program, commands: commands, logger: logger)
        setup.programs = programs
        let access = ListeningSocket.FileAccess(configuration)
        setup.bind = { address throws(BindError) in try .bind(address, file: access) }
        let plan = self.plan
        let nextPrograms = Mutex<[ProgramDeclaration]?>(nil)
        setup.planner = { payload throws(GenerationError) in
            let (next, declarations) = try plan.next(after: payload)
            nextPrograms.withLock { $0 = declarations }
            return next
        }
        setup.onServing = { listeners in
            // What the new generation needs beside it, once it has taken over.
            if let declarations = nextPrograms.withLock({ $0.take() }) { programs?.update(declarations) }
            announcement.say(listeners)
        }
        setup.keepsListeners = keepsListeners
        setup.upgrade = SupervisorProcess.Upgrade(
            path: ProgramPath.original, plan: ["app", "supervise", "--plan"] + rest,
            probe: ["app", "supervise", "--probe"] + rest, serve: CommandLine.arguments)
        return setup
    }

    /// Goes on where another version of this program left off, in the same process; nil when there was none.
    static func resume(
        _ options: ServeOptions, _ announcement: ReadyAnnouncement.Options
    ) throws -> Int32? {
        guard let handOver = try HandOver.taken(from: Environment.all) else { return nil }
        ChildProcess.setName("app")
        var sources = try options.sources()
        let payload = WorkerPayload(try handOver.payload())
        if let path = payload?.filePath, let bytes = payload?.fileBytes {
            sources.fileContents = (path, bytes)
        } else {
            sources.usualPlaces = []
        }
        let serving = Serving(try ConfigurationOptions.load(sources), options, announcement)
        ClockWatch.start(logger: serving.logger)
        let said = ReadyAnnouncement(announcement, logger: serving.logger)
        said.hasBeenSaid = true
        let setup = serving.setup(
            keepsListeners: handOver.keepsListeners, commands: try SupervisorCommands(),
            programs: try ProgramAssembly(serving.configuration).start(
                inheriting: handOver.programs, logger: serving.logger), said)
        return try serving.supervise(setup, [], announcement: handOver.announcement ?? "") { setup in
            try SupervisorProcess.resume(handOver, setup)
        }
    }

    /// Lets the supervisor's process say how the workers are, and take commands; to be stopped at the end.
    private func addAdmin(
        to setup: inout SupervisorProcess.Setup, _ listeners: [ListeningSocket]
    ) -> AdminServer {
        let settings = configuration.settings
        let board = StatusBoard(loopCount: settings.workers.loopCount)
        let source = ServerStatusSource(
            board: board, commands: setup.commands, programs: setup.programs, listeners: listeners,
            mode: settings.workers.mode)
        setup.observer = StatusAttachments(board: board, passesConnections: settings.reload.live)
        let announce = setup.onServing
        setup.onServing = { serving in
            source.setListeners(serving)
            announce(serving)
        }
        return AdminServer(settings.admin, source: source, commands: setup.commands, logger: logger)
    }

    /// The plans of later generations.
    var plan: ServingPlan {
        let settings = configuration.settings
        return ServingPlan(options, mode: settings.workers.mode, account: (settings.user, settings.group))
    }
}

extension Descriptor {
    borrowing func writeAll(_ bytes: [UInt8]) throws(SystemError) {
        let result = bytes.withUnsafeBytes { buffer in
            Result { () throws(SystemError) in try writeAll(buffer) }
        }
        try result.get()
    }
}

extension Settings.Workers {
    /// Worker processes to begin with; `auto` is one for each CPU this container may use.
    var processCount: Int { mode == .thread ? 1 : max == nil ? resolved : min ?? 1 }
    /// Whether there may be more than one process.
    var mayBeSeveral: Bool { (max ?? processCount) > 1 }
    /// Event loops in thread mode.
    var loopCount: Int { mode == .thread ? resolved : 1 }

    private var resolved: Int {
        switch count {
        case .exactly(let number): number
        case .auto: AvailableCPUs().count
        }
    }
}

extension Platform.ListenAddress {
    /// The configuration's address, as sockets understand it.
    init(_ address: Config.ListenAddress) {
        switch address {
        case .tcp(let host, let port): self = .tcp(host: host ?? "*", port: UInt16(clamping: port))
        case .unix(let path): self = .unix(path: path)
        case .inherited(let descriptor): self = .descriptor(Int32(clamping: descriptor))
        }
    }
}
