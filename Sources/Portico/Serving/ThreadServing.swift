import Config
import CoreMetrics
import Glibc
import Logging
import Platform
import Python
import Supervisor
import Synchronization
import Telemetry

/// `app serve` with `workers.mode: thread`: one process that serves by itself.
///
/// A reload that only the front router needs is made in place. Any other needs a new process, since code cannot be loaded
/// twice into one: that is started as a worker, and once it is ready this process's own stack drains, and what is left of
/// it is that worker's supervisor, under the pid by which the world knows the server. (What happens while it serves is in
/// ``ThreadTenure``.)
final class ThreadServing: Sendable {
    let serving: Serving
    let listeners: [BoundListener]
    let areInherited: Bool
    let commands: SupervisorCommands
    let signals: SignalSource
    /// Signs where no secret is configured; the successor's as well, so that sessions outlive the hand-over.
    let secret: String?
    let succession: Succession
    /// How this process is, and later its workers.
    let board: StatusBoard
    let logger: Logger
    /// As it was at the start: an application may change it.
    let environment = Environment.all
    /// Answers as long as this process lives: also when nothing is left of its own stack, and it is the supervisor.
    private let admin = Mutex<AdminServer?>(nil)

    init(_ serving: Serving, _ listeners: [BoundListener], areInherited: Bool) throws(SystemError) {
        self.serving = serving
        self.listeners = listeners
        self.areInherited = areInherited
        logger = serving.logger
        commands = try SupervisorCommands()
        board = StatusBoard(loopCount: serving.configuration.settings.workers.loopCount)
        // Found out before an application chooses another working directory.
        _ = (ProgramPath.original, Environment.workingDirectory)
        secret = serving.configuration.settings.secretKey == nil ? try SecretText.random() : nil
        succession = try Succession()
        // The handlers are there before anything is started, so that an early signal is not lost.
        try Signal.brokenPipe.ignore()
        signals = try SupervisorProcess.watchSignals()
    }

    /// Serves until told to stop. The result is the exit status.
    func run(_ python: PythonInstallation?) -> Int32 {
        let status: Int32
        if let python {
            do throws(PythonInstallationError) {
                status = try PythonRuntime.run(python, logger: Logger(label: "python")) { self.serve($0, python) }
            } catch {
                logger.critical("\(error)")
                return Supervisor.ExitCode.configuration
            }
        } else {
            status = serve(nil, nil)
        }
        guard succession.hasBegun else { return status }
        ResidentMemory.giveBackUnused()
        let end = succession.waitForEnd()
        stopAdmin()
        return end
    }

    private func serve(_ python: PythonRuntime?, _ installation: PythonInstallation?) -> Int32 {
        let programs: ProgramKeeper
        do {
            programs = try ProgramAssembly(serving.configuration).start(logger: logger)
        } catch {
            logger.critical("\(error)")
            return Supervisor.ExitCode.internalError
        }
        defer {
            if !succession.hasBegun {
                commands.end()
                stop(programs)
            }
        }
        let wishes = Wishes(signals, commands, programs, logger: logger)
        if let end = wishes.awaitPrograms() { return end }
        let source = ServerStatusSource(
            board: board, commands: commands, programs: programs, listeners: listeners.map(\.socket), mode: .thread)
        admin.withLock {
            $0 = AdminServer(
                serving.configuration.settings.admin, source: source, commands: commands, logger: logger)
        }
        defer { if !succession.hasBegun { stopAdmin() } }
        let worker: Worker
        do {
            // Workers count from 1: this process is none of a supervisor's.
            let status = try board.enter(worker: 0, slot: 0, generation: 1).region
            MetricsSystem.bootstrap(StatusMetrics(status, logger: logger))
            worker = try Worker(
                serving.configuration, slot: 0, isMultiprocess: false, temporarySecret: secret, python: python,
                status: status)
            try worker.start(
                on: listeners.map(\.socket), within: serving.configuration.settings.timeouts.start)
        } catch {
            logger.critical("\(error)")
            return (error as? WorkerStartError)?.exitStatus ?? Supervisor.ExitCode.internalError
        }
        return ThreadTenure(self, worker, wishes, programs, source, python: python == nil ? nil : installation).run()
    }

    private func stopAdmin() { admin.withLock { $0.take() }?.stop() }

    func stop(_ programs: ProgramKeeper) {
        programs.stop()
        while !programs.news.hasStopped { programs.waitForNews(within: .seconds(1)) }
    }
}
