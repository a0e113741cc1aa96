import Glibc
import Logging
import Platform

/// The supervisor's shell: turns what the kernel reports into events for ``SupervisorState`` and its actions into system calls.
///
/// One thread, one `poll`: signals, control channels, commands, watched files, and the next deadline. It never accepts a
/// connection, never loads a site, and writes to nothing but the log.
public final class SupervisorProcess {
    /// Watches what a supervisor listens to. Another TERM, while the process is on its way out, does not turn its exit status
    /// into "killed".
    /// - Throws: EBUSY when one of them is watched already.
    public static func watchSignals() throws(SystemError) -> SignalSource {
        try SignalSource(
            [.terminate, .interrupt, .hangUp, .child, .moreWorkers, .fewerWorkers, .user1, .user2],
            ignoredAfterwards: [.terminate, .interrupt, .hangUp])
    }

    let setup: Setup
    let signals: SignalSource
    let preparation: Preparation
    let watchedFiles: WatchedFiles?
    var state: SupervisorState
    var generations: [Int: Generation] = [:]
    var handles: [WorkerID: WorkerHandle] = [:]
    private let hadTerminal: Bool
    /// Whether workers are wanted: not before the programs that they need are ready.
    var hasBegun = false
    private var exitCode: Int32?
    private var completions: [Int: SupervisorCommands.Completion] = [:]
    private var commandCount = 0
    /// What was asked for while this is only an attempt.
    private var deferred: (signals: [Signal], commands: [SupervisorCommands.Command]) = ([], [])
    /// Asked for by the state; done when nothing else is left to do.
    private var handOver: (generation: Int, commands: [Int])?
    private var lastAwake = MonotonicTime.now()
    private var nextLook = MonotonicTime.now()

    var logger: Logger { setup.logger }

    /// Runs a pool of workers until it ends.
    ///
    /// - Parameters:
    ///   - setup: what it works with.
    ///   - plan: the first generation.
    ///   - listeners: its sockets; closed here when the pool drains.
    /// - Returns: the exit status for the process: 0 after TERM or INT, that of the workers when none could start.
    /// - Throws: when the signals or the payload's memory cannot be had.
    public static func run(
        _ setup: Setup, plan: GenerationPlan, listeners: [BoundListener]
    ) throws(SystemError) -> Int32 {
        var state = SupervisorState(options: plan.options, beginning: setup.beginning)
        // Somebody serves meanwhile, and wants to know soon.
        if setup.isTakingOver { state.firstAttempts = 1 }
        let first = try Generation(
            number: state.generation, plan: plan, program: setup.program, listeners: listeners)
        let supervisor = try SupervisorProcess(setup, state, first)
        return supervisor.run()
    }

    init(_ setup: Setup, _ state: SupervisorState, _ generation: Generation) throws(SystemError) {
        // A log that nobody reads any more must not end the pool.
        try Signal.brokenPipe.ignore()
        if let watched = setup.signals { signals = watched } else { signals = try Self.watchSignals() }
        preparation = try Preparation()
        self.setup = setup
        self.state = state
        generations[generation.number] = generation
        hadTerminal = ControllingTerminal.isThere
        do {
            watchedFiles = try WatchedFiles()
        } catch {
            watchedFiles = nil
            if !generation.watched.isEmpty { setup.logger.warning("changes of files are not noticed: \(error)") }
        }
        watch(generation)
    }

    func run() -> Int32 {
        defer { if !isAttempt { setup.commands.end() } }
        while true {
            hearPrograms()
            if !isAttempt { setup.commands.publish(state.snapshot) }
            if let exitCode {
                if isAttempt { giveBack() } else { stopPrograms() }
                return exitCode
            }
            waitForSomething()
            // In this order: what a worker said before it ended is known when its end is; what already happened counts before
            // a deadline that passed meanwhile (the supervisor may have been stopped).
            receive()
            reap()
            for signal in signals.take() where signal != .child { hear(interpret(signal)) }
            for command in setup.commands.take() { obey(command) }
            if !isAttempt { takeUpDeferred() }
            for result in preparation.take() { takeIn(result) }
            for path in watchedFiles?.take(.now()) ?? [] { handle(.fileChanged(path)) }
            lookAtWorkers()
            if hasBegun { handle(.tick) }
        }
    }

    /// Before there are workers only the end can be asked for.
    private func hear(_ signal: Signal) {
        if isAttempt, signal == .hangUp || signal == .user2 {
            logger.notice("\(signal): one is under way, another will follow it")
            return deferred.signals.append(signal)
        }
        if hasBegun || signal == .terminate || signal == .interrupt { return handle(.signal(signal)) }
        logger.warning("\(signal): nothing changed, the workers have not started yet")
    }

    private func waitForSomething() {
        let fixed = [
            signals.descriptor, setup.commands.descriptor, preparation.descriptor, watchedFiles?.descriptor ?? -1,
            setup.programs?.descriptor ?? -1,
        ]
        let channels = handles.values.filter(\.isOpen).map { $0.channel.descriptor.rawValue }
        var waiting = (fixed + channels).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        let deadlines = [state.nextDeadline, watchedFiles?.nextDeadline, .now() + Self.longestWait].compactMap(\.self)
        let deadline = deadlines.min() ?? .now()
        _ = poll(&waiting, nfds_t(waiting.count), (deadline - .now()).pollMilliseconds)
        let now = MonotonicTime.now()
        let late = now - max(deadline, lastAwake + Self.longestWait)
        lastAwake = now
        if late > Self.oversleeping { handle(.overslept(late)) }
    }

    /// So often the supervisor looks at its workers and its clock.
    private static let longestWait = Duration.seconds(1)
    /// Being so much too late, it was not running: stopped by a signal, or frozen with its container.
    private static let oversleeping = Duration.seconds(2)

    private func receive() {
        for worker in handles.values.sorted(by: { $0.id < $1.id }) {
            receiving: while worker.isOpen {
                switch worker.channel.receive() {
                case .message(let message): handle(.message(worker.id, message))
                case .unknown(let text): logger.warning("worker \(worker.id) said something unknown: \(text)")
                case .nothing: break receiving
                case .closed:
                    worker.isOpen = false
                    handle(.channelClosed(worker.id))
                }
            }
        }
    }

    private func reap() {
        for worker in handles.values.sorted(by: { $0.id < $1.id }) {
            if let status = ChildProcess.reap(worker.pid) { handle(.exited(pid: worker.pid, status)) }
        }
        guard setup.reapsOrphans else { return }
        while let (pid, status) = ChildProcess.reapOrphan() { handle(.exited(pid: pid, status)) }
    }

    private func lookAtWorkers() {
        guard let observer = setup.observer, nextLook <= .now() else { return }
        nextLook = .now() + Self.longestWait
        for id in handles.keys.sorted() {
            if let vitals = observer.vitals(of: id) { handle(.vitals(id, vitals)) }
        }
    }

    private func obey(_ command: SupervisorCommands.Command) {
        switch command.request {
        case .reload where isAttempt, .upgrade where isAttempt: return deferred.commands.append(command)
        case .reload, .upgrade, .scale, .stop, .tell, .announce: break
        }
        guard hasBegun || command.request == .stop else {
            return command.completion(.refused("the workers have not started yet"))
        }
        commandCount += 1
        completions[commandCount] = command.completion
        handle(.command(commandCount, command.request))
    }

    /// A terminal that is closed sends SIGHUP to what runs in it; that is no wish for a reload.
    private func interpret(_ signal: Signal) -> Signal {
        signal == .hangUp && hadTerminal && !ControllingTerminal.isThere ? .terminate : signal
    }

    // MARK: - Taking over

    /// Whether the process served before, and still does: should this come to nothing, it goes on.
    private var isAttempt: Bool { setup.isTakingOver && !state.hasEverBeenReady }

    /// Another reload has its turn when this one is done…
    private func takeUpDeferred() {
        let waiting = deferred
        deferred = ([], [])
        for signal in waiting.signals { hear(signal) }
        for command in waiting.commands { obey(command) }
    }

    /// …or has come to nothing, by whoever serves then.
    private func giveBack() {
        for signal in deferred.signals { signal.send(to: getpid()) }
        for command in deferred.commands { setup.commands.send(command.request, completion: command.completion) }
    }

    // MARK: - Programs

    /// Workers start when the programs that they need are ready, and end when one that nobody can do without has failed.
    private func hearPrograms() {
        let news = setup.programs?.takeNews() ?? .withoutPrograms
        if let reason = news.reasonToGiveUp { handle(.giveUp(reason)) }
        guard news.workersMayStart, !hasBegun, exitCode == nil else { return }
        hasBegun = true
        handle(.start)
    }

    /// After the workers: nothing that they need goes before them.
    private func stopPrograms() {
        guard let programs = setup.programs else { return }
        programs.stop()
        while !programs.takeNews().hasStopped {
            waitForSomething()
            reap()
            for signal in signals.take() where signal == .terminate || signal == .interrupt {
                logger.warning("\(signal) again: ending the programs at once")
                programs.kill()
            }
        }
    }

    // MARK: - Actions

    func handle(_ event: SupervisorEvent) {
        var events = [event]
        while true {
            while !events.isEmpty {
                let actions = state.handle(events.removeFirst(), at: .now())
                // Before what is done can be seen elsewhere: a worker that leaves is known to have a successor.
                if !actions.isEmpty, !isAttempt { setup.commands.publish(state.snapshot) }
                for action in actions {
                    if let answer = perform(action) { events.append(answer) }
                }
            }
            guard let next = handOver else { return }
            handOver = nil
            events = [.handOverFailed(become(next.generation, answering: next.commands).description)]
        }
    }

    private func perform(_ action: SupervisorAction) -> SupervisorEvent? {
        switch action {
        case .spawn(let id, let slot, let generation):
            do {
                return .spawned(id, pid: try spawn(id, slot: slot, generation: generation))
            } catch {
                return .spawnFailed(id, error)
            }
        case .drain(let id, let purpose):
            if let worker = handles[id], !worker.channel.send(.drain(purpose)) {
                logger.warning("worker \(id) does not listen; it will be ended at the deadline")
            }
        case .tell(let id, let message): handles[id]?.channel.send(message)
        case .told(let text): setup.onTold(text)
        case .kill(_, let pid, let signal): signal.send(to: pid)
        case .forget(let id):
            handles[id] = nil
            setup.observer?.ended(id)
        case .prepare(let number, let kind): prepare(number, kind)
        case .dropGeneration(let number): drop(number)
        case .announceGeneration(let number): announce(number)
        case .handOver(let generation, let commands): handOver = (generation, commands)
        case .closeListeners:
            if isAttempt { break }
            for listener in generations.values.flatMap(\.listeners) { listener.socket.close() }
        case .announceReady: setup.onServing(generations[state.generation]?.listeners.map(\.socket) ?? [])
        case .answer(let number, let outcome): answer(number, outcome)
        case .log(let line): logger.log(line)
        case .exit(let code): exitCode = code
        }
        return nil
    }

    func answer(_ number: Int, _ outcome: SupervisorCommands.Outcome) {
        // Whoever is told may look at once.
        if !isAttempt { setup.commands.publish(state.snapshot) }
        completions.removeValue(forKey: number)?(outcome)
    }

    private func spawn(_ id: WorkerID, slot: Int, generation number: Int) throws(SystemError) -> Int32 {
        guard let generation = generations[number], let worker = state.workers[id] else {
            throw SystemError(operation: "start a worker of generation \(number)", code: ESRCH)
        }
        var attachments = try setup.observer?.attachments(for: worker.snapshot) ?? []
        if let image = generation.image { attachments.append(image) }
        let launch = WorkerLaunch(
            id: id, slot: slot, generation: number, drain: generation.options.timeToDrain(for: .replace),
            listenerCount: generation.listeners.count, attachments: attachments.map(\.name))
        let channel = try ControlChannel.Pair()
        var descriptors = zip(generation.listeners, launch.listeners).map {
            (source: $0.socket.descriptor, target: $1)
        }
        descriptors.append((source: channel.worker.rawValue, target: launch.control))
        descriptors.append((source: generation.payload.rawValue, target: launch.config))
        for attachment in attachments {
            guard let target = launch.attachments[attachment.name] else { continue }
            descriptors.append((source: attachment.descriptor.rawValue, target: target))
        }
        let program = generation.program
        let environment = program.environment.merging(launch.variables) { $1 }
        let pid = try ChildProcess.spawn(
            executable: launch.attachments[WorkerLaunch.image].map { "/proc/self/fd/\($0)" } ?? program.executable,
            arguments: program.arguments, environment: program.identity?.applied(to: environment) ?? environment,
            directory: program.directory, descriptors: descriptors, as: program.identity)
        handles[id] = WorkerHandle(
            id: id, pid: pid, channel: channel.takeSupervisor(),
            attachments: attachments.filter { $0.name != WorkerLaunch.image })
        return pid
    }
}
