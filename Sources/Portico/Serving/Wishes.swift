import Glibc
import Logging
import Platform
import Supervisor

/// What a server in thread mode is asked for, by signals, commands and files that were touched: one after the other.
final class Wishes {
    enum Wish {
        case stop(Stop)
        case reopenLogs
        case renewal(Renewal)
    }

    /// Finish what was begun, then end.
    struct Stop {
        let cause: String
        /// The exit status.
        var status: Int32 = 0
        var completion: SupervisorCommands.Completion = { _ in }
    }

    /// Bring in what is there now.
    struct Renewal {
        let cause: String
        /// Another executable as well: the one named, else the one where this was started from.
        var isUpgrade = false
        var executable: String?
        /// Why the process is used up: then nothing else comes in than what runs, in a new process.
        var recycling: RetireReason?
        var completions: [SupervisorCommands.Completion] = []

        /// The pool's numbers when it has come in.
        func counted(in pool: PoolSnapshot) -> PoolSnapshot {
            var pool = pool
            if let recycling {
                pool.respawns[RespawnReason(recycling), default: 0] += 1
                return pool
            }
            pool.generation += 1
            pool.lastFailure = nil
            // An upgrade is counted when the other program has come.
            if !isUpgrade { pool.reloads += 1 }
            return pool
        }

        func answer(_ outcome: SupervisorCommands.Outcome) {
            for completion in completions { completion(outcome) }
        }
    }

    /// Why there is nothing to be scaled.
    static let isOneProcess = "workers.mode is thread: there is one process, and workers.count are its event loops"

    private let signals: SignalSource
    private let commands: SupervisorCommands
    private let programs: ProgramKeeper
    private let files: WatchedFiles?
    private let logger: Logger
    private let hadTerminal = ControllingTerminal.isThere
    /// When the process itself is used up; nil for never.
    var recycling: Recycling?
    private var waiting: [Wish] = []

    init(_ signals: SignalSource, _ commands: SupervisorCommands, _ programs: ProgramKeeper, logger: Logger) {
        self.signals = signals
        self.commands = commands
        self.programs = programs
        self.logger = logger
        files = try? WatchedFiles()
    }

    /// Files whose change asks for a reload.
    func watch(_ paths: [String]) {
        do {
            if let files {
                try files.watch(paths)
            } else if !paths.isEmpty {
                throw SystemError(operation: "inotify", code: EMFILE)
            }
        } catch {
            logger.warning("changes of \(paths.joined(separator: ", ")) are not noticed: \(error)")
        }
    }

    /// Waits until the programs that are needed are ready; else the exit status.
    func awaitPrograms() -> Int32? {
        while !programs.news.workersMayStart {
            listen()
            for case .stop(let stop) in waiting {
                stop.completion(.done)
                return stop.status
            }
        }
        return nil
    }

    /// Waits for the next.
    func next() -> Wish {
        while waiting.isEmpty { listen() }
        return waiting.removeFirst()
    }

    /// Waits until something has happened, and takes it in.
    private func listen() {
        var descriptors = [
            signals.descriptor, commands.descriptor, programs.descriptor, files?.descriptor ?? -1,
        ].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        let deadline = [files?.nextDeadline, recycling?.nextLook].compactMap(\.self).min()
        _ = poll(
            &descriptors, nfds_t(descriptors.count), deadline.map { ($0 - .now()).pollMilliseconds } ?? -1)
        for signal in signals.take() { take(signal) }
        for command in commands.take() { take(command) }
        for path in files?.take(.now()) ?? [] { renew(Renewal(cause: "\(path) changed")) }
        if let reason = recycling?.look(.now()) {
            logger.notice("this process is to be replaced: \(reason.name)")
            renew(Renewal(cause: reason.name, recycling: reason))
        }
        if let reason = programs.takeNews().reasonToGiveUp {
            logger.error("\(reason)")
            waiting.append(.stop(Stop(cause: reason, status: ExitCode.internalError)))
        }
    }

    private func take(_ signal: Signal) {
        switch signal {
        case .terminate, .interrupt: waiting.append(.stop(Stop(cause: "\(signal)")))
        // A terminal that is closed sends SIGHUP to what runs in it; that is no wish for a reload.
        case .hangUp where hadTerminal && !ControllingTerminal.isThere:
            waiting.append(.stop(Stop(cause: "the terminal was closed")))
        case .hangUp: renew(Renewal(cause: "\(signal)"))
        case .user1: waiting.append(.reopenLogs)
        case .user2: renew(Renewal(cause: "\(signal)", isUpgrade: true))
        case .moreWorkers, .fewerWorkers: logger.warning("\(signal): nothing changed, \(Self.isOneProcess)")
        default: break
        }
    }

    private func take(_ command: SupervisorCommands.Command) {
        switch command.request {
        case .stop: waiting.append(.stop(Stop(cause: "command", completion: command.completion)))
        case .reload: renew(Renewal(cause: "command", completions: [command.completion]))
        case .upgrade(let executable):
            renew(
                Renewal(cause: "command", isUpgrade: true, executable: executable, completions: [command.completion]))
        case .scale: command.completion(.refused(Self.isOneProcess))
        // There are no workers, and what follows files in development needs some.
        case .tell, .announce: command.completion(.refused("there are no worker processes"))
        }
    }

    /// Several at once are one.
    private func renew(_ renewal: Renewal) {
        for index in waiting.indices {
            guard case .renewal(var earlier) = waiting[index], !earlier.isUpgrade || renewal.isUpgrade else { continue }
            earlier.isUpgrade = earlier.isUpgrade || renewal.isUpgrade
            if renewal.recycling == nil { earlier.recycling = nil }
            earlier.executable = renewal.executable ?? earlier.executable
            earlier.completions += renewal.completions
            waiting[index] = .renewal(earlier)
            return
        }
        waiting.append(.renewal(renewal))
    }
}
