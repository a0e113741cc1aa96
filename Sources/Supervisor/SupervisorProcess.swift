import Glibc
import Logging
import Platform

/// The supervisor's shell: turns what the kernel reports into events for ``SupervisorState`` and its actions into system calls.
///
/// One thread, one `poll`: signals, control channels, and the next deadline. It never accepts a connection, never loads a site,
/// and writes to nothing but the log.
public final class SupervisorProcess {
    /// What a worker is started as.
    public struct Program: Sendable {
        /// The executable; by default the running program.
        public var executable: String
        /// The argument vector, with the program's name first: `["app", "worker"]`.
        public var arguments: [String]
        /// The environment. The supervisor adds `APP_FDS` and `APP_WORKER`, and takes out the socket activation variables,
        /// which were meant for itself.
        public var environment: [String: String]

        public init(
            executable: String = ChildProcess.currentExecutable, arguments: [String], environment: [String: String]
        ) {
            self.executable = executable
            self.arguments = arguments
            self.environment = environment
        }
    }

    private let program: Program
    private let listeners: [ListeningSocket]
    private let payload: Descriptor
    private let signals: SignalSource
    private let logger: Logger
    /// Whether to take in every dead child, also those inherited: the duty of process 1.
    private let reapsOrphans: Bool
    private let hadTerminal: Bool
    private let onAllReady: () -> Void
    private let commands: SupervisorCommands
    private let observer: (any SupervisorObserver)?
    private var state: SupervisorState
    private var handles: [WorkerID: WorkerHandle] = [:]
    private var exitCode: Int32?

    /// Runs a pool of workers until it ends.
    ///
    /// - Parameters:
    ///   - program: what to start as a worker.
    ///   - listeners: the sockets that workers accept from; closed here when the pool drains.
    ///   - payload: bytes for every worker (``WorkerControl/payload``), handed over in anonymous memory.
    ///   - options: how many workers, and the time limits.
    ///   - commands: what may be asked of the pool from other threads, and where its snapshots are published.
    ///   - observer: follows the workers' lives.
    ///   - logger: for the supervisor's own lines.
    ///   - reapsOrphans: whether every dead child is taken in; by default as process 1.
    ///   - onAllReady: called once, when the whole first generation serves.
    /// - Returns: the exit status for the process: 0 after TERM or INT, that of the workers when none could ever start.
    /// - Throws: when the signals or the payload's memory cannot be had.
    public static func run(
        _ program: Program, listeners: [ListeningSocket], payload: [UInt8], options: SupervisorOptions,
        commands: SupervisorCommands, observer: (any SupervisorObserver)? = nil, logger: Logger,
        reapsOrphans: Bool = getpid() == 1, onAllReady: @escaping () -> Void
    ) throws(SystemError) -> Int32 {
        let supervisor = try SupervisorProcess(
            program, listeners: listeners, payload: payload, options: options, commands: commands, observer: observer,
            logger: logger, reapsOrphans: reapsOrphans, onAllReady: onAllReady)
        return supervisor.run()
    }

    private init(
        _ program: Program, listeners: [ListeningSocket], payload: [UInt8], options: SupervisorOptions,
        commands: SupervisorCommands, observer: (any SupervisorObserver)?, logger: Logger, reapsOrphans: Bool,
        onAllReady: @escaping () -> Void
    ) throws(SystemError) {
        // A log that nobody reads any more must not end the pool.
        try Signal.brokenPipe.ignore()
        // Another TERM between here and the end of the process must not turn its exit status into "killed".
        signals = try SignalSource(
            [.terminate, .interrupt, .hangUp, .child, .moreWorkers, .fewerWorkers, .user1, .user2],
            ignoredAfterwards: [.terminate, .interrupt, .hangUp])
        var program = program
        program.environment = program.environment.filter { !SocketActivation.variables.contains($0.key) }
        self.program = program
        self.listeners = listeners
        self.payload = try MemoryFile.make(name: "app-config", payload)
        self.logger = logger
        self.reapsOrphans = reapsOrphans
        self.onAllReady = onAllReady
        self.commands = commands
        self.observer = observer
        state = SupervisorState(options: options)
        hadTerminal = SupervisorProcess.hasTerminal
    }

    private func run() -> Int32 {
        defer { commands.end() }
        handle(.start)
        while true {
            commands.publish(state.snapshot)
            if let exitCode { return exitCode }
            waitForSomething()
            // In this order: what a worker said before it ended is known when its end is; what already happened counts before
            // a deadline that passed meanwhile (the supervisor may have been stopped).
            receive()
            reap()
            for signal in signals.take() where signal != .child { handle(.signal(interpret(signal))) }
            for command in commands.take() { obey(command) }
            handle(.tick)
        }
    }

    private func waitForSomething() {
        var waiting = [signals.descriptor, commands.descriptor].map {
            pollfd(fd: $0, events: Int16(POLLIN), revents: 0)
        }
        for handle in handles.values where handle.isOpen {
            waiting.append(pollfd(fd: handle.channel.descriptor.rawValue, events: Int16(POLLIN), revents: 0))
        }
        let timeout = state.nextDeadline.map { ($0 - .now()).pollMilliseconds } ?? -1
        _ = poll(&waiting, nfds_t(waiting.count), timeout)
    }

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
        if reapsOrphans {
            while let (pid, status) = ChildProcess.reapAny() { handle(.exited(pid: pid, status)) }
        } else {
            for worker in handles.values.sorted(by: { $0.id < $1.id }) {
                if let status = ChildProcess.reap(worker.pid) { handle(.exited(pid: worker.pid, status)) }
            }
        }
    }

    private func obey(_ command: SupervisorCommands.Command) {
        switch command.request {
        case .stop:
            handle(.signal(.terminate))
            command.completion(.done)
        case .reload, .upgrade, .scale: command.completion(.refused("not supported yet"))
        }
    }

    /// A terminal that is closed sends SIGHUP to what runs in it; that is no wish for a reload.
    private func interpret(_ signal: Signal) -> Signal {
        signal == .hangUp && hadTerminal && !SupervisorProcess.hasTerminal ? .terminate : signal
    }

    private static var hasTerminal: Bool {
        let terminal = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC)
        guard terminal >= 0 else { return false }
        close(terminal)
        return true
    }

    // MARK: - Actions

    private func handle(_ event: SupervisorEvent) {
        var events = [event]
        while !events.isEmpty {
            for action in state.handle(events.removeFirst(), at: .now()) {
                if let answer = perform(action) { events.append(answer) }
            }
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
        case .drain(let id, let cause):
            if let worker = handles[id], !worker.channel.send(.drain(cause)) {
                logger.warning("worker \(id) does not listen; it will be ended at the deadline")
            }
        case .kill(_, let pid, let signal): signal.send(to: pid)
        case .forget(let id):
            handles[id] = nil
            observer?.ended(id)
        case .closeListeners: for listener in listeners { listener.close() }
        case .announceReady: onAllReady()
        case .log(let line): log(line)
        case .exit(let code): exitCode = code
        }
        return nil
    }

    private func spawn(_ id: WorkerID, slot: Int, generation: Int) throws(SystemError) -> Int32 {
        let attachments = try state.workers[id].flatMap { worker throws(SystemError) in
            try observer?.attachments(for: worker.snapshot)
        }
        let launch = WorkerLaunch(
            id: id, slot: slot, generation: generation, drain: state.options.drain + state.options.ending,
            listenerCount: listeners.count, attachments: (attachments ?? []).map(\.name))
        let channel = try ControlChannel.Pair()
        var descriptors = zip(listeners, launch.listeners).map { (source: $0.descriptor, target: $1) }
        descriptors.append((source: channel.worker.rawValue, target: launch.control))
        descriptors.append((source: payload.rawValue, target: launch.config))
        for attachment in attachments ?? [] {
            guard let target = launch.attachments[attachment.name] else { continue }
            descriptors.append((source: attachment.descriptor.rawValue, target: target))
        }
        let pid = try ChildProcess.spawn(
            executable: program.executable, arguments: program.arguments,
            environment: program.environment.merging(launch.variables) { $1 }, descriptors: descriptors)
        handles[id] = WorkerHandle(id: id, pid: pid, channel: channel.takeSupervisor(), attachments: attachments ?? [])
        return pid
    }

    private func log(_ line: SupervisorLog) {
        switch line.level {
        case .debug: logger.debug("\(line.message)")
        case .info: logger.info("\(line.message)")
        case .notice: logger.notice("\(line.message)")
        case .warning: logger.warning("\(line.message)")
        case .error: logger.error("\(line.message)")
        }
    }
}
