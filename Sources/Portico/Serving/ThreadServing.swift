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
/// it is that worker's supervisor, under the pid by which the world knows the server.
final class ThreadServing: Sendable {
    private let serving: Serving
    private let listeners: [BoundListener]
    private let areInherited: Bool
    private let commands: SupervisorCommands
    private let signals: SignalSource
    /// Signs where no secret is configured; the successor's as well, so that sessions outlive the hand-over.
    private let secret: String?
    private let succession: Succession
    /// How this process is, and later its workers.
    private let board: StatusBoard
    private let logger: Logger
    /// As it was at the start: an application may change it.
    private let environment = Environment.all

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
        signals = try SignalSource(
            SupervisorProcess.watchedSignals, ignoredAfterwards: [.terminate, .interrupt, .hangUp])
    }

    /// Serves until told to stop. The result is the exit status.
    func run(_ python: PythonInstallation?) -> Int32 {
        let status: Int32
        if let python {
            do throws(PythonInstallationError) {
                status = try PythonRuntime.run(python, logger: Logger(label: "python")) { self.serve($0) }
            } catch {
                logger.critical("\(error)")
                return Supervisor.ExitCode.configuration
            }
        } else {
            status = serve(nil)
        }
        guard succession.hasBegun else { return status }
        ResidentMemory.giveBackUnused()
        return succession.waitForEnd()
    }

    private func serve(_ python: PythonRuntime?) -> Int32 {
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
            board: board, commands: commands, listeners: listeners.map(\.socket), mode: .thread)
        let admin = AdminServer(
            serving.configuration.settings.admin, source: source, commands: commands, logger: logger)
        defer { if !succession.hasBegun { admin.stop() } }
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
        let announcement = ReadyAnnouncement(serving.announcement, logger: logger)
        publish(.running)
        announcement.say(listeners.map(\.socket))
        wishes.watch(ServingPlan.watched(serving.configuration))
        var configuration = serving.configuration
        while true {
            switch wishes.next() {
            case .stop(let stop):
                stop.completion(.done)
                end(worker, stop, programs)
                return stop.status
            case .reopenLogs: worker.reopenLogs()
            case .refused(let completion):
                completion(
                    .refused("workers.mode is thread: there is one process, and workers.count are its event loops"))
            case .renewal(let renewal):
                logger.notice("\(renewal.cause): reloading")
                do throws(GenerationError) {
                    let next = try serving.plan.load()
                    if renewal.isUpgrade || !ReloadScope(from: configuration, to: next.configuration).isOfTheRouter {
                        if try !handOver(worker, to: next, renewal, announcement, programs) {
                            end(worker, Wishes.Stop(cause: "signal"), programs)
                        }
                        return 0
                    }
                    try worker.replaceRoutes(next.configuration)
                    configuration = next.configuration
                    programs.update(ProgramAssembly(configuration).declarations)
                    wishes.watch(ServingPlan.watched(configuration))
                    logger.notice("the new configuration serves: only routes and limits have changed")
                    renewal.answer(.done)
                } catch {
                    logger.error("the reload failed, everything serves as before: \(error)")
                    renewal.answer(.failed(error.description))
                }
            }
        }
    }

    private func publish(_ phase: PoolSnapshot.Phase) {
        var snapshot = PoolSnapshot()
        snapshot.phase = phase
        snapshot.target = 1
        commands.publish(snapshot)
    }

    /// The ordinary end.
    private func end(_ worker: Worker, _ stop: Wishes.Stop, _ programs: ProgramKeeper) {
        let pause = serving.configuration.settings.timeouts.preDrain
        publish(.draining)
        do {
            try signals.deliver { signal in
                guard signal == .terminate || signal == .interrupt else { return }
                programs.kill()
                self.stop(programs)
                _exit(stop.status)
            }
        } catch {
            logger.warning("a second signal will not hurry the end: \(error)")
        }
        if pause > .zero {
            logger.notice("\(stop.cause): not ready any more; serving for another \(pause)")
            worker.denyReadiness()
            let end = MonotonicTime.now() + pause
            while MonotonicTime.now() < end { usleep(20_000) }
        }
        logger.notice("\(stop.cause): finishing what was begun")
        worker.drain(closing: listeners.map(\.socket), isReplaced: false)
    }

    private func stop(_ programs: ProgramKeeper) {
        programs.stop()
        while !programs.news.hasStopped { programs.waitForNews(within: .seconds(1)) }
    }

    /// Starts a successor, and lets `worker` go once that is ready. False when it was told to stop meanwhile. Throws when the
    /// successor does not become ready: then nothing has changed.
    private func handOver(
        _ worker: Worker, to next: ServingPlan.Loaded, _ renewal: Wishes.Renewal, _ announcement: ReadyAnnouncement,
        _ programs: ProgramKeeper
    ) throws(GenerationError) -> Bool {
        var plan: GenerationPlan
        do throws(SystemError) {
            plan = try ServingPlan.plan(next.configuration, next.python, secret: secret)
        } catch {
            throw GenerationError("\(error)")
        }
        plan.options.bootAttempts = 1
        var setup = serving.setup(
            keepsListeners: areInherited, commands: commands, programs: programs, environment: environment, announcement
        )
        // This process is who its workers are to be already.
        setup.program.identity = nil
        setup.observer = StatusAttachments(board: board)
        setup.signals = signals
        setup.isTakingOver = true
        let bound =
            areInherited
            ? listeners : try ListenerSuccession(present: listeners, bind: setup.bind).listeners(for: plan.listeners)
        switch succession.begin(setup, plan, bound) {
        case .ended(0): return false
        case .ended(let code):
            let kept = Set(listeners.map { ObjectIdentifier($0.socket) })
            for listener in bound where !kept.contains(ObjectIdentifier(listener.socket)) { listener.socket.close() }
            throw GenerationError("the new process did not start (status \(code)); it has said why")
        case .serving: break
        }
        logger.notice("the new process serves; this one finishes what it has begun, and stays as its supervisor")
        programs.update(ProgramAssembly(next.configuration).declarations)
        if !renewal.isUpgrade { renewal.answer(.done) }
        let used = Set(bound.map { ObjectIdentifier($0.socket) })
        let unused = listeners.map(\.socket).filter { !used.contains(ObjectIdentifier($0)) }
        succession.whenEnded(worker.endLinger)
        worker.drain(closing: unused, isReplaced: true) { [succession] _ in _exit(succession.waitForEnd()) }
        // Nothing of it is held any longer.
        succession.whenEnded {}
        // The application's own is of no use to a supervisor, nor to what it starts.
        chdir(Environment.workingDirectory)
        // Only now: another program in this process ends whatever still runs in it.
        if renewal.isUpgrade {
            commands.send(.upgrade(executable: renewal.executable)) { renewal.answer($0) }
        }
        return true
    }
}

/// The supervisor that takes over, on a thread of its own.
final class Succession: Sendable {
    /// What became of it first.
    enum Outcome: Sendable {
        case serving
        case ended(Int32)
    }

    private struct State {
        var first: Outcome?
        var status: Int32?
        var hasBegun = false
        var whenEnded: @Sendable () -> Void = {}
    }

    private let state = Mutex(State())
    private let changed: EventCounter

    init() throws(SystemError) { changed = try EventCounter() }

    /// Whether a successor serves, or has.
    var hasBegun: Bool { state.withLock { $0.hasBegun } }

    /// Runs a supervisor, and waits until its workers serve or it has ended.
    func begin(
        _ setup: SupervisorProcess.Setup, _ plan: GenerationPlan, _ listeners: [BoundListener]
    ) -> Outcome {
        state.withLock { $0 = State() }
        var setup = setup
        let announce = setup.onServing
        setup.onServing = { [self] sockets in
            announce(sockets)
            note(.serving)
        }
        // Handed over with the thread: nobody else uses it from here on.
        nonisolated(unsafe) let start = setup
        let logger = setup.logger
        do throws(SystemError) {
            try DedicatedThread.start(name: "supervisor") { [self] in
                do throws(SystemError) {
                    note(.ended(try SupervisorProcess.run(start, plan: plan, listeners: listeners)))
                } catch {
                    logger.error("\(error)")
                    note(.ended(ExitCode.internalError))
                }
            }
        } catch {
            logger.error("\(error)")
            return .ended(ExitCode.internalError)
        }
        while true {
            if let outcome = state.withLock({ $0.first }) { return outcome }
            changed.wait()
        }
    }

    private func note(_ outcome: Outcome) {
        let action: (@Sendable () -> Void)? = state.withLock { state in
            if state.first == nil { state.first = outcome }
            switch outcome {
            case .serving:
                state.hasBegun = true
                return nil
            case .ended(let status):
                state.status = status
                return state.whenEnded
            }
        }
        changed.signal()
        action?()
    }

    /// Calls `action` when the supervisor has ended; at once when it has.
    func whenEnded(_ action: @escaping @Sendable () -> Void) {
        let hasEnded = state.withLock { state in
            state.whenEnded = action
            return state.status != nil
        }
        if hasEnded { action() }
    }

    /// Waits for the end; the result is the exit status.
    func waitForEnd() -> Int32 {
        while true {
            if let status = state.withLock({ $0.status }) {
                // For whoever else waits.
                changed.signal()
                return status
            }
            changed.wait()
        }
    }
}
