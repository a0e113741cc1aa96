import Glibc
import Logging
import Platform
import Synchronization

/// Keeps programs running beside the workers, from a thread of its own: turns what the kernel reports into events for
/// ``ProgramsState`` and its actions into system calls. The same in a supervisor and in a server that is one process.
public final class ProgramKeeper: Sendable {
    /// What whoever serves has to know.
    public struct News: Equatable, Sendable {
        /// Whether what the workers need is ready, or was once.
        public var workersMayStart = false
        /// Why the server should end; the first reason.
        public var reasonToGiveUp: String?
        /// Whether nothing runs any more after ``stop()``.
        public var hasStopped = false

        /// How things stand where there are no programs.
        public static let withoutPrograms = News(workersMayStart: true, hasStopped: true)
    }

    private struct Shared {
        var news = News()
        var events: [ProgramEvent] = []
        var snapshot: [ProgramSnapshot] = []
        /// Whether the thread is to leave everything as it is.
        var isSuspended = false
        var loop: ProgramLoop?
    }
    private let shared = Mutex(Shared())
    private let wake: EventCounter
    private let changed: EventCounter
    private let hasLeft: EventCounter
    private let log: ProgramLog
    private let logger: Logger

    /// Prepares; nothing is started yet.
    /// - Parameters:
    ///   - logger: for lines about programs.
    ///   - programLogger: for lines of a program.
    public init(
        logger: Logger, programLogger: @escaping @Sendable (String) -> Logger
    ) throws(SystemError) {
        wake = try EventCounter()
        changed = try EventCounter()
        hasLeft = try EventCounter()
        log = try ProgramLog(logger: programLogger)
        self.logger = logger
    }

    /// Starts the programs that need nothing, and the others when what they need is ready.
    /// - Parameters:
    ///   - neededByWorkers: what has to be ready before ``News/workersMayStart``.
    ///   - inherited: what another version of the server has started, when workers serve already.
    public func start(
        _ declarations: [ProgramDeclaration], neededByWorkers: Set<String>,
        inheriting inherited: [InheritedProgram]? = nil
    ) throws(SystemError) {
        let state =
            inherited.map { ProgramsState(declarations, inheriting: $0, at: .now()) }
            ?? ProgramsState(declarations, neededByWorkers: neededByWorkers)
        let loop = ProgramLoop(self, state)
        try loop.adopt(inherited ?? [])
        shared.withLock { $0.loop = loop }
        try run(loop)
    }

    private func run(_ loop: ProgramLoop) throws(SystemError) {
        try DedicatedThread.start(name: "programs", stackSize: 512 * 1024) { loop.run() }
    }

    /// Leaves the programs as they are, for another version of the server in this process; or for ``resume()``, when that does
    /// not come to be.
    func suspend() -> [InheritedProgram] {
        guard !news.hasStopped, let loop = shared.withLock({ $0.loop }) else { return [] }
        shared.withLock { $0.isSuspended = true }
        wake.signal()
        hasLeft.wait()
        log.flush()
        return loop.inheritance
    }

    func resume() {
        guard let loop = shared.withLock({ $0.loop }), shared.withLock({ $0.isSuspended }) else { return }
        shared.withLock { $0.isSuspended = false }
        do { try run(loop) } catch { logger.error("programs are not watched over any more: \(error)") }
    }

    /// Readable when there is news; taken by ``takeNews()``.
    public var descriptor: Int32 { changed.descriptor }

    /// How things stand.
    public var news: News { shared.withLock { $0.news } }

    /// How things stand; ``descriptor`` is quiet until they change.
    public func takeNews() -> News {
        changed.take()
        return news
    }

    /// Waits for a change.
    public func waitForNews(within limit: Duration) { changed.wait(within: limit) }

    /// From now on these are to run. A program whose declaration has not changed runs on.
    public func update(_ declarations: [ProgramDeclaration]) { post(.update(declarations)) }

    /// Stops all, those last that others need; ``News/hasStopped`` follows.
    public func stop() { post(.stop) }

    /// Kills all.
    public func kill() { post(.kill) }

    /// What is known about each program, in the order of the configuration.
    public var snapshot: [ProgramSnapshot] { shared.withLock { $0.snapshot } }

    private func post(_ event: ProgramEvent) {
        shared.withLock { $0.events.append(event) }
        wake.signal()
    }

    // MARK: - For the loop

    /// The thread's own part. (Sendable: one thread at a time has it, and another only after that has ended.)
    private final class ProgramLoop: @unchecked Sendable {
        private let keeper: ProgramKeeper
        private var state: ProgramsState
        private var processes: [Int32: ProgramProcess] = [:]
        private var hasEnded = false

        init(_ keeper: ProgramKeeper, _ state: ProgramsState) {
            self.keeper = keeper
            self.state = state
        }

        func run() {
            handle(.start)
            while !hasEnded {
                waitForSomething()
                if keeper.shared.withLock({ $0.isSuspended }) { return keeper.hasLeft.signal() }
                for event in takeEvents() { receive(event) }
                for process in processes.values.sorted(by: { $0.pid < $1.pid }) {
                    pass(process.read(), of: process)
                    reap(process)
                }
                handle(.tick)
            }
            keeper.log.close()
            keeper.change { $0.hasStopped = true }
        }

        /// What is left to another version of the server.
        var inheritance: [InheritedProgram] {
            state.programs.compactMap { program in
                let pipe = program.pid.flatMap { processes[$0]?.pipe?.number }
                return InheritedProgram(program, descriptor: pipe ?? -1)
            }
        }

        func adopt(_ inherited: [InheritedProgram]) throws(SystemError) {
            for heir in inherited {
                guard let pid = heir.pid, let program = state.programs.first(where: { $0.pid == pid }) else { continue }
                let name = program.name
                processes[pid] = try ProgramProcess(
                    program.declaration, pid: pid, descriptor: heir.descriptor, isReady: heir.isReady
                ) { [keeper] in keeper.post(.becameReady(name, pid: $0)) }
            }
        }

        private func waitForSomething() {
            var waiting = [pollfd(fd: keeper.wake.descriptor, events: Int16(POLLIN), revents: 0)]
            var deadline = state.nextDeadline
            for process in processes.values {
                if let pipe = process.pipe?.number {
                    waiting.append(pollfd(fd: pipe, events: Int16(POLLIN), revents: 0))
                }
                if let end = process.end?.number {
                    waiting.append(pollfd(fd: end, events: Int16(POLLIN), revents: 0))
                } else {
                    deadline = min(deadline ?? .now() + .milliseconds(200), .now() + .milliseconds(200))
                }
            }
            _ = poll(&waiting, nfds_t(waiting.count), deadline.map { ($0 - .now()).pollMilliseconds } ?? -1)
        }

        private func takeEvents() -> [ProgramEvent] {
            keeper.wake.take()
            return keeper.shared.withLock { shared in
                defer { shared.events = [] }
                return shared.events
            }
        }

        private func receive(_ event: ProgramEvent) {
            handle(event)
        }

        private func pass(_ output: (lines: [String], isReady: Bool), of process: ProgramProcess) {
            keeper.log.add(output.lines, of: process.name)
            if output.isReady { handle(.becameReady(process.name, pid: process.pid)) }
        }

        /// A program that has ended takes with it what it has left in its group, while the number is still its own.
        private func reap(_ process: ProgramProcess) {
            guard processes[process.pid] != nil else { return }
            let hasEnded = ChildProcess.hasEnded(process.pid)
            if hasEnded == false { return }
            if hasEnded == true { Signal.kill.send(toGroup: process.pid) }
            // Somebody else may have taken it in (an application that waits for any child), and its status with it.
            let status = ChildProcess.reap(process.pid)
            forget(process)
            handle(.exited(pid: process.pid, status))
        }

        private func forget(_ process: ProgramProcess) {
            pass(process.rest(), of: process)
            processes[process.pid] = nil
        }

        // MARK: Actions

        private func handle(_ event: ProgramEvent) {
            var events = [event]
            while !events.isEmpty {
                for action in state.handle(events.removeFirst(), at: .now()) {
                    if let answer = perform(action) { events.append(answer) }
                }
            }
            let snapshot = state.programs.map { ProgramSnapshot($0) }
            keeper.shared.withLock { $0.snapshot = snapshot }
        }

        private func perform(_ action: ProgramAction) -> ProgramEvent? {
            switch action {
            case .spawn(let name): return spawn(name)
            case .signal(_, let pid, let signal):
                // Stopped processes do not hear of it otherwise.
                signal.send(toGroup: pid)
                if signal != .kill { Signal(rawValue: SIGCONT).send(toGroup: pid) }
            case .workersMayStart: keeper.change { $0.workersMayStart = true }
            case .giveUp(let reason): keeper.change { $0.reasonToGiveUp = $0.reasonToGiveUp ?? reason }
            case .allStopped: hasEnded = true
            case .log(let line): keeper.logger.log(line)
            }
            return nil
        }

        private func spawn(_ name: String) -> ProgramEvent? {
            guard let declaration = state.programs.first(where: { $0.name == name })?.declaration else { return nil }
            do throws(SystemError) {
                let keeper = keeper
                let process = try ProgramProcess(declaration) { keeper.post(.becameReady(name, pid: $0)) }
                processes[process.pid] = process
                return .spawned(name, pid: process.pid)
            } catch {
                return .spawnFailed(name, error)
            }
        }
    }

    private func change(_ body: (inout News) -> Void) {
        shared.withLock { body(&$0.news) }
        changed.signal()
    }
}

extension Logger {
    func log(_ line: SupervisorLog) {
        switch line.level {
        case .debug: debug("\(line.message)")
        case .info: info("\(line.message)")
        case .notice: notice("\(line.message)")
        case .warning: warning("\(line.message)")
        case .error: error("\(line.message)")
        }
    }
}
