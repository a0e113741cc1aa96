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
        let python = try findPython()
        let (listeners, areInherited) = try bind()
        // Each connection needs a descriptor; the soft limit is usually 1024.
        do { try FileLimit.raise() } catch { logger.warning("the limit of open files stays as it is: \(error)") }
        // The supervisor stays what it is, to bind and to start workers; those are somebody else from their first instruction.
        if configuration.settings.workers.mode == .thread { try Accounts(configuration).assume() }
        return switch configuration.settings.workers.mode {
        case .process: try superviseProcesses(listeners, areInherited: areInherited, python)
        case .thread: try runThreads(listeners.map(\.socket), python)
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
        let settings = configuration.settings
        if settings.secretKey == nil, settings.sites.contains(where: \.isSwift) {
            logger.warning("no secret key is configured: what the sites sign is void after a restart")
        }
        let setup = try setup(keepsListeners: areInherited, hasBeenSaid: false)
        let plan = try ServingPlan.plan(configuration, python, secret: nil)
        return try SupervisorProcess.run(setup, plan: plan, listeners: listeners)
    }

    private func setup(
        keepsListeners: Bool, hasBeenSaid: Bool, programs inherited: [InheritedProgram]? = nil
    ) throws -> SupervisorProcess.Setup {
        let rest = Array(CommandLine.arguments.drop { $0 != "serve" }.dropFirst())
        let program = SupervisorProcess.Program(
            arguments: ["app", "worker"] + rest, environment: Environment.all,
            identity: Accounts(configuration).identity)
        var setup = SupervisorProcess.Setup(program: program, commands: try SupervisorCommands(), logger: logger)
        let programs = try ProgramAssembly(configuration).start(inheriting: inherited, logger: logger)
        setup.programs = programs
        let access = ListeningSocket.FileAccess(configuration)
        setup.bind = { address throws(BindError) in try .bind(address, file: access) }
        let plan = ServingPlan(options, account: (configuration.settings.user, configuration.settings.group))
        let nextPrograms = Mutex<[ProgramDeclaration]?>(nil)
        setup.planner = { payload throws(GenerationError) in
            let (next, declarations) = try plan.next(after: payload)
            nextPrograms.withLock { $0 = declarations }
            return next
        }
        let announcement = ReadyAnnouncement(self.announcement, logger: logger)
        announcement.hasBeenSaid = hasBeenSaid
        setup.onServing = { listeners in
            // What the new generation needs beside it, once it has taken over.
            if let declarations = nextPrograms.withLock({ $0.take() }) { programs.update(declarations) }
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
        return try SupervisorProcess.resume(
            handOver,
            try serving.setup(
                keepsListeners: handOver.keepsListeners, hasBeenSaid: true, programs: handOver.programs))
    }

    private func runThreads(_ listeners: [ListeningSocket], _ python: PythonInstallation?) throws -> Int32 {
        // The handlers are there before anything is started, so that an early signal is not lost.
        try Signal.brokenPipe.ignore()
        let signals = try SignalSource([.terminate, .interrupt])
        guard let python else { return runThreads(listeners, signals, python: nil) }
        do throws(PythonInstallationError) {
            return try PythonRuntime.run(python, logger: Logger(label: "python")) { runtime in
                runThreads(listeners, signals, python: runtime)
            }
        } catch {
            logger.critical("\(error)")
            return Supervisor.ExitCode.configuration
        }
    }

    private func runThreads(
        _ listeners: [ListeningSocket], _ signals: SignalSource, python: PythonRuntime?
    ) -> Int32 {
        let programs: ProgramKeeper?
        do {
            programs =
                configuration.settings.programs.isEmpty ? nil : try ProgramAssembly(configuration).start(logger: logger)
        } catch {
            logger.critical("\(error)")
            return Supervisor.ExitCode.internalError
        }
        defer { stop(programs) }
        if let status = wait(signals, programs, until: \.workersMayStart) { return status }
        let worker: Worker
        do {
            worker = try Worker(configuration, slot: 0, isMultiprocess: false, temporarySecret: nil, python: python)
            try worker.start(on: listeners, within: configuration.settings.timeouts.start)
        } catch {
            logger.critical("\(error)")
            return (error as? WorkerStartError)?.exitStatus ?? Supervisor.ExitCode.internalError
        }
        ReadyAnnouncement(announcement, logger: logger).say(listeners)
        let status = wait(signals, programs) { _ in false } ?? 0
        logger.notice("stopping: finishing what was begun")
        do {
            try signals.deliver { [self] _ in
                programs?.kill()
                stop(programs)
                _exit(status)
            }
        } catch {
            logger.warning("a second signal will not hurry the end: \(error)")
        }
        worker.drain(closing: listeners, isReplaced: false)
        return status
    }

    /// Waits for a signal, for an essential program's failure, or until the programs' state is as wanted (nil). The result is
    /// the exit status.
    private func wait(
        _ signals: SignalSource, _ programs: ProgramKeeper?, until isAsWanted: (ProgramKeeper.News) -> Bool
    ) -> Int32? {
        while true {
            let news = programs?.takeNews() ?? .withoutPrograms
            if let reason = news.reasonToGiveUp {
                logger.error("\(reason)")
                return Supervisor.ExitCode.internalError
            }
            if isAsWanted(news) { return nil }
            var waiting = [signals.descriptor, programs?.descriptor ?? -1].map {
                pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
            }
            _ = poll(&waiting, nfds_t(waiting.count), -1)
            if !signals.take().isEmpty { return 0 }
        }
    }

    private func stop(_ programs: ProgramKeeper?) {
        programs?.stop()
        while let programs, !programs.news.hasStopped { programs.waitForNews(within: .seconds(1)) }
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
    var processCount: Int { max == nil ? resolved : min ?? 1 }
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
