import Config
import Glibc
import Logging
import Platform
import Python
import Supervisor

/// A server in thread mode from the moment it serves by itself, until it ends or another process serves in its place.
final class ThreadTenure {
    private let server: ThreadServing
    private let worker: Worker
    private let wishes: Wishes
    private let programs: ProgramKeeper
    private let source: ServerStatusSource
    private let python: PythonInstallation?
    private let announcement: ReadyAnnouncement
    private let logger: Logger
    private var configuration: Configuration
    /// What status documents say.
    private var pool = PoolSnapshot()

    init(
        _ server: ThreadServing, _ worker: Worker, _ wishes: Wishes, _ programs: ProgramKeeper,
        _ source: ServerStatusSource, python: PythonInstallation?
    ) {
        self.server = server
        self.worker = worker
        self.wishes = wishes
        self.programs = programs
        self.source = source
        self.python = python
        logger = server.logger
        configuration = server.serving.configuration
        announcement = ReadyAnnouncement(server.serving.announcement, logger: logger)
        pool.phase = .running
        pool.target = 1
    }

    /// The exit status; of no meaning when another process serves.
    func run() -> Int32 {
        server.commands.publish(pool)
        announcement.say(server.listeners.map(\.socket))
        wishes.watch(ServingPlan.watched(configuration))
        let limits = SupervisorOptions(configuration.settings, hasPython: python != nil)
        wishes.recycling = Recycling(limits, report: worker.report)
        while true {
            switch wishes.next() {
            case .stop(let stop):
                stop.completion(.done)
                end(stop)
                return stop.status
            case .reopenLogs: worker.reopenLogs()
            case .renewal(let renewal):
                logger.notice("\(renewal.cause): reloading")
                do throws(GenerationError) {
                    if try renew(renewal) { return 0 }
                } catch {
                    pool.failedReloads += 1
                    pool.lastFailure = error.description
                    server.commands.publish(pool)
                    logger.error("the reload failed, everything serves as before: \(error)")
                    renewal.answer(.failed(error.description))
                }
            }
        }
    }

    /// True when this process serves no more.
    private func renew(_ renewal: Wishes.Renewal) throws(GenerationError) -> Bool {
        guard renewal.recycling == nil else {
            return try handOver(to: .init(configuration: configuration, python: python), renewal)
        }
        let next = try server.serving.plan.load()
        guard !renewal.isUpgrade, ReloadScope(from: configuration, to: next.configuration).isOfTheRouter else {
            return try handOver(to: next, renewal)
        }
        try worker.replaceRoutes(next.configuration)
        configuration = next.configuration
        programs.update(ProgramAssembly(configuration).declarations)
        wishes.watch(ServingPlan.watched(configuration))
        logger.notice("the new configuration serves: only routes and limits have changed")
        pool = renewal.counted(in: pool)
        server.commands.publish(pool)
        renewal.answer(.done)
        return false
    }

    // MARK: - The end

    private func end(_ stop: Wishes.Stop) {
        let pause = configuration.settings.timeouts.preDrain
        pool.phase = .draining
        server.commands.publish(pool)
        do {
            try server.signals.deliver { [server, programs] signal in
                if signal == .hangUp || signal == .user2 {
                    server.logger.warning("\(signal): refused, the server is stopping")
                }
                guard signal == .terminate || signal == .interrupt else { return }
                programs.kill()
                server.stop(programs)
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
        worker.drain(closing: server.listeners.map(\.socket), isReplaced: false)
    }

    // MARK: - The successor

    /// Starts a successor, and lets the worker go once that is ready. Ends the server when it is told to stop meanwhile. Throws
    /// when the successor does not become ready: then nothing has changed.
    private func handOver(
        to next: ServingPlan.Loaded, _ renewal: Wishes.Renewal
    ) throws(GenerationError) -> Bool {
        let (plan, setup) = try prepare(next, renewal)
        let listeners = server.listeners
        let bound =
            server.areInherited
            ? listeners : try ListenerSuccession(present: listeners, bind: setup.bind).listeners(for: plan.listeners)
        switch server.succession.begin(setup, plan, bound) {
        case .ended(0):
            end(Wishes.Stop(cause: "signal"))
            return true
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
        leave(closing: listeners.map(\.socket).filter { !used.contains(ObjectIdentifier($0)) })
        // Only now: another program in this process ends whatever still runs in it.
        if renewal.isUpgrade {
            server.commands.send(.upgrade(executable: renewal.executable)) { renewal.answer($0) }
        }
        return true
    }

    private func prepare(
        _ next: ServingPlan.Loaded, _ renewal: Wishes.Renewal
    ) throws(GenerationError) -> (GenerationPlan, SupervisorProcess.Setup) {
        let plan: GenerationPlan
        do throws(SystemError) {
            plan = try ServingPlan.plan(next.configuration, next.python, secret: server.secret)
        } catch {
            throw GenerationError("\(error)")
        }
        var setup = server.serving.setup(
            keepsListeners: server.areInherited, commands: server.commands, programs: programs,
            environment: server.environment, announcement)
        // This process is who its workers are to be already.
        setup.program.identity = nil
        setup.observer = StatusAttachments(board: server.board)
        setup.signals = server.signals
        setup.isTakingOver = true
        setup.beginning = renewal.counted(in: pool)
        let announce = setup.onServing
        setup.onServing = { [source] sockets in
            source.setListeners(sockets)
            announce(sockets)
        }
        return (plan, setup)
    }

    /// Finishes what was begun, while another process serves.
    private func leave(closing unused: [ListeningSocket]) {
        let succession = server.succession
        succession.whenEnded(worker.endLinger)
        worker.drain(closing: unused, isReplaced: true) { _ in _exit(succession.waitForEnd()) }
        // Nothing of it is held any longer.
        succession.whenEnded {}
        // The application's own is of no use to a supervisor, nor to what it starts.
        chdir(Environment.workingDirectory)
    }
}
