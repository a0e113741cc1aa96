import ArgumentParser
import Config
import Glibc
import Logging
import Platform
import Python
import Supervisor
import Telemetry

/// `app serve`: everything before the first request, then a supervisor with worker processes, or one process of threads.
struct Serving: Sendable {
    let configuration: Configuration
    let readyFile: String?
    let logger: Logger

    init(_ configuration: Configuration, readyFile: String?) {
        self.configuration = configuration
        self.readyFile = readyFile
        let settings = configuration.settings
        LogAssembly.bootstrap(
            settings.log, process: settings.workers.mode == .process ? "supervisor" : "app")
        logger = Logger(label: "app")
    }

    /// Serves until told to stop. The result is the exit status.
    func run() throws -> Int32 {
        try RouteAssembly(configuration).verify()
        let python = try findPython()
        let listeners = try bind()
        // Each connection needs a descriptor; the soft limit is usually 1024.
        do { try FileLimit.raise() } catch { logger.warning("the limit of open files stays as it is: \(error)") }
        return switch configuration.settings.workers.mode {
        case .process: try superviseProcesses(listeners, python)
        case .thread: try runThreads(listeners, python)
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
    private func bind() throws -> [ListeningSocket] {
        do throws(BindError) {
            let inherited = try SocketActivation.adopt(environment: Environment.all)
            if !inherited.isEmpty { return inherited }
            var listeners: [ListeningSocket] = []
            for address in configuration.settings.listen {
                listeners.append(try .bind(Platform.ListenAddress(address)))
            }
            return listeners
        } catch {
            Console.error("\(error)")
            throw ArgumentParser.ExitCode.unavailable
        }
    }

    private func superviseProcesses(
        _ listeners: [ListeningSocket], _ python: PythonInstallation?
    ) throws -> Int32 {
        let settings = configuration.settings
        let count = settings.workers.processCount
        let payload = WorkerPayload(
            filePath: configuration.filePath, fileBytes: configuration.fileBytes,
            temporarySecret: settings.secretKey == nil ? try SecretText.random() : nil, python: python)
        let program = SupervisorProcess.Program(
            arguments: ["app", "worker"] + CommandLine.arguments.drop { $0 != "serve" }.dropFirst(),
            environment: Environment.all)
        var options = SupervisorOptions(
            workers: count, start: settings.timeouts.start, drain: settings.timeouts.drain)
        // For `atexit` handlers, after requests were cut off.
        if python != nil { options.ending = Worker.pythonEnding + .seconds(2) }
        defer { listeners.forEach { $0.close() } }
        return try SupervisorProcess.run(
            program, listeners: listeners, payload: payload.encoded, options: options,
            commands: SupervisorCommands(), logger: logger, onAllReady: { announce(listeners) })
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
        let worker: Worker
        do {
            worker = try Worker(configuration, slot: 0, isMultiprocess: false, temporarySecret: nil, python: python)
            try worker.start(on: listeners)
        } catch {
            logger.critical("\(error)")
            return (error as? WorkerStartError)?.exitStatus ?? Supervisor.ExitCode.internalError
        }
        announce(listeners)
        _ = signals.wait()
        logger.notice("stopping: finishing what was begun")
        do {
            try signals.deliver { _ in _exit(0) }
        } catch {
            logger.warning("a second signal will not hurry the end: \(error)")
        }
        worker.drain(closing: listeners)
        return 0
    }

    /// Says where requests are served, on standard output and in the ready file.
    private func announce(_ listeners: [ListeningSocket]) {
        let urls = listeners.map { $0.address.url() }
        for url in urls { Console.print("listening on \(url)") }
        guard let readyFile else { return }
        // Written beside it and renamed, so that nobody reads half of it.
        let temporary = readyFile + ".\(getpid())"
        do {
            let text = urls.map { $0 + "\n" }.joined()
            unlink(temporary)
            try Descriptor.appending(to: temporary).writeAll(Array(text.utf8))
            guard rename(temporary, readyFile) == 0 else { throw SystemError(operation: "rename", code: errno) }
        } catch {
            logger.error("cannot write the ready file \(readyFile): \(error)")
        }
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
    /// Worker processes; `auto` is one for each CPU this container may use.
    var processCount: Int { resolved }
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
