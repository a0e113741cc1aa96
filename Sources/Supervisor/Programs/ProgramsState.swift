import Platform

/// The programs beside the workers, as a value: events in, actions out, no clock, no process, no descriptor. (Those are in
/// ``ProgramKeeper``.)
///
/// A program starts when all that it needs is ready, is started again when it ends, and stops only when nothing that needs
/// it runs any more.
public struct ProgramsState: Sendable {
    /// The stations of the whole.
    public enum Phase: Equatable, Sendable { case running, stopping, stopped }

    /// How long a program has to run until the failures before count no more.
    static let stableAfter: Duration = .seconds(30)
    /// How long the end of a killed program is waited for.
    static let killGrace: Duration = .seconds(2)
    /// The same pauses as those of the workers.
    static let backoff = Backoff(first: .milliseconds(100), cap: .seconds(10))

    public internal(set) var phase: Phase = .running
    /// All programs, in the order of the configuration.
    public internal(set) var programs: [ProgramState]
    /// What the workers need.
    let neededByWorkers: Set<String>
    /// Whether workers may have started.
    var hasReleasedWorkers = false

    /// - Parameter neededByWorkers: the programs that have to be ready before workers start.
    public init(_ declarations: [ProgramDeclaration], neededByWorkers: Set<String>) {
        programs = declarations.map(ProgramState.init)
        self.neededByWorkers = neededByWorkers
    }

    /// When `tick` is due at the latest; nil when only events can change anything.
    public var nextDeadline: MonotonicTime? { programs.compactMap(\.deadline).min() }

    /// Takes in an event and answers what to do, in this order.
    public mutating func handle(_ event: ProgramEvent, at now: MonotonicTime) -> [ProgramAction] {
        if phase == .stopped { return [] }
        var actions: [ProgramAction] = []
        switch event {
        case .start: break
        case .tick: for index in programs.indices { tick(index, now, &actions) }
        case .spawned(let name, let pid):
            if let index = index(of: name) { spawned(index, pid, now, &actions) }
        case .spawnFailed(let name, let error):
            guard let index = index(of: name), programs[index].phase == .spawning else { break }
            ended(index, nil, "\(error)", now, &actions)
        case .becameReady(let name, let pid):
            guard let index = index(of: name), programs[index].pid == pid else { break }
            becameReady(index, now, &actions)
        case .exited(let pid, let status):
            guard let index = programs.firstIndex(where: { $0.pid == pid }) else { break }
            ended(index, status, nil, now, &actions)
        case .stop: stop(&actions)
        case .kill: killAll(now, &actions)
        case .update(let declarations): update(declarations)
        }
        settle(now, &actions)
        return actions
    }

    private func index(of name: String) -> Int? { programs.firstIndex { $0.name == name } }

    /// What follows from what has changed: who may start, who may stop, and what others hear of it.
    private mutating func settle(_ now: MonotonicTime, _ actions: inout [ProgramAction]) {
        stopThoseThatMay(now, &actions)
        programs.removeAll { $0.isRemoved && !$0.isAlive }
        if phase == .running {
            spreadHopelessness(&actions)
            startThoseThatMay(&actions)
            releaseWorkers(&actions)
        } else if !programs.contains(where: \.isAlive) {
            phase = .stopped
            actions.append(.allStopped)
        }
    }

    private mutating func releaseWorkers(_ actions: inout [ProgramAction]) {
        guard !hasReleasedWorkers else { return }
        let ready = Set(programs.filter(\.isReady).map(\.name))
        guard neededByWorkers.isSubset(of: ready) else { return }
        hasReleasedWorkers = true
        actions.append(.workersMayStart)
    }

    // MARK: - Starting

    private mutating func startThoseThatMay(_ actions: inout [ProgramAction]) {
        let ready = Set(programs.filter(\.isReady).map(\.name))
        for index in programs.indices where programs[index].phase == .waiting {
            guard ready.isSuperset(of: programs[index].declaration.needs) else { continue }
            programs[index].phase = .spawning
            programs[index].starts += 1
            actions.append(.spawn(programs[index].name))
        }
    }

    private mutating func spawned(
        _ index: Int, _ pid: Int32, _ now: MonotonicTime, _ actions: inout [ProgramAction]
    ) {
        guard programs[index].phase == .spawning else { return }
        programs[index].pid = pid
        let declaration = programs[index].declaration
        var readyAt: MonotonicTime?
        switch declaration.readiness {
        case .running: readyAt = now
        case .after(let time): readyAt = now + time
        case .line, .exit, .probe: break
        }
        log(.info, "\(programs[index].label) has started", &actions)
        // What is ready by time alone cannot be late.
        let deadline = max(now + declaration.startTimeout, readyAt ?? now)
        programs[index].phase = .starting(deadline: deadline, readyAt: readyAt)
        if readyAt == now { becameReady(index, now, &actions) }
    }

    private mutating func becameReady(_ index: Int, _ now: MonotonicTime, _ actions: inout [ProgramAction]) {
        guard case .starting = programs[index].phase else { return }
        programs[index].phase = .ready(since: now)
        if programs[index].declaration.readiness != .running {
            log(.info, "\(programs[index].label) is ready", &actions)
        }
    }

    private mutating func tick(_ index: Int, _ now: MonotonicTime, _ actions: inout [ProgramAction]) {
        switch programs[index].phase {
        case .starting(_, let readyAt?) where readyAt <= now: becameReady(index, now, &actions)
        case .starting(let deadline, _) where deadline <= now:
            log(
                .error, "\(programs[index].label) was not ready within \(programs[index].declaration.startTimeout)",
                &actions)
            kill(index, now, &actions)
        case .pausing(let time) where time <= now: programs[index].phase = .waiting
        case .stopping(let deadline) where deadline <= now:
            log(
                .warning, "\(programs[index].label) did not stop within \(programs[index].declaration.stopTimeout)",
                &actions)
            kill(index, now, &actions)
        case .killed(let deadline) where deadline <= now:
            log(.error, "\(programs[index].label) was killed and does not end", &actions)
            ended(index, nil, nil, now, &actions)
        default: break
        }
    }

    // MARK: - Ends

    /// A process is gone (or was never there, for `reason`): decide what comes next.
    private mutating func ended(
        _ index: Int, _ status: ProcessStatus?, _ reason: String?, _ now: MonotonicTime,
        _ actions: inout [ProgramAction]
    ) {
        let before = programs[index]
        programs[index].pid = nil
        programs[index].lastStatus = status
        if before.isAskedToStop { return wasStopped(index, before, &actions) }

        let how =
            reason.map { "could not be started: \($0)" } ?? status.map { "ended: \($0)" }
            ?? "ended, and nobody knows how"
        let declaration = before.declaration
        var isSuccess = if case .exited(let code) = status { declaration.success.contains(code) } else { false }
        if isSuccess, declaration.readiness == .exit { return finished(index, before, &actions) }
        var ranLong = false
        if case .ready(let since) = before.phase {
            ranLong = now - since >= Self.stableAfter
        } else {
            isSuccess = false
        }
        if ranLong {
            programs[index].failures = 0
            programs[index].shortRuns = 0
        }
        guard declaration.restart == .always || declaration.restart == .onFailure && !isSuccess else {
            return isSuccess ? finished(index, before, &actions) : fail(index, "\(before.label) \(how)", &actions)
        }
        programs[index].shortRuns += 1
        if !isSuccess { programs[index].failures += 1 }
        let failures = programs[index].failures
        if !isSuccess, declaration.startAttempts > 0, failures >= declaration.startAttempts {
            return fail(index, "\(before.label) \(how), failure \(failures) in a row", &actions)
        }
        let delay = Self.backoff.delay(failures: programs[index].shortRuns)
        log(isSuccess ? .info : .error, "\(before.label) \(how); it is started again in \(delay)", &actions)
        programs[index].phase = .pausing(until: now + delay)
    }

    private mutating func wasStopped(_ index: Int, _ before: ProgramState, _ actions: inout [ProgramAction]) {
        log(.info, "\(before.label) has stopped", &actions)
        programs[index].phase = .stopped
        guard let successor = before.successor else { return }
        programs[index] = ProgramState(successor)
        programs[index].starts = before.starts
    }

    private mutating func finished(_ index: Int, _ before: ProgramState, _ actions: inout [ProgramAction]) {
        log(.info, "\(before.label) has finished", &actions)
        programs[index].phase = .finished
    }

    private mutating func fail(_ index: Int, _ reason: String, _ actions: inout [ProgramAction]) {
        programs[index].phase = .failed
        log(.error, "\(reason); it is given up", &actions)
        let name = programs[index].name
        if programs[index].declaration.isEssential {
            actions.append(.giveUp("program \(name) is essential, and was given up"))
        } else if neededByWorkers.contains(name), !hasReleasedWorkers {
            actions.append(.giveUp("workers need program \(name), which was given up"))
        }
    }

    /// What needs something that will never be ready will never start.
    private mutating func spreadHopelessness(_ actions: inout [ProgramAction]) {
        while true {
            let hopeless = Set(programs.filter { $0.phase == .failed }.map(\.name))
            var changed = false
            for index in programs.indices where programs[index].phase == .waiting {
                guard let need = programs[index].declaration.needs.first(where: hopeless.contains) else { continue }
                fail(index, "program \(programs[index].name) needs \(need), which will not be ready", &actions)
                changed = true
            }
            if !changed { return }
        }
    }

    // MARK: - Stopping

    private mutating func stop(_ actions: inout [ProgramAction]) {
        guard phase == .running else { return }
        phase = .stopping
        for index in programs.indices {
            programs[index].successor = nil
            programs[index].isAskedToStop = true
            if !programs[index].isAlive { programs[index].phase = .stopped }
        }
    }

    /// Stops, of those that are to stop, the ones that nothing which runs needs. While the server goes on, it does not wait
    /// for those that need a program to be restarted: they have to bear that anyway.
    private mutating func stopThoseThatMay(_ now: MonotonicTime, _ actions: inout [ProgramAction]) {
        let needed = phase == .running ? [] : Set(programs.filter(\.isAlive).flatMap(\.declaration.needs))
        for index in programs.indices where programs[index].isAskedToStop && !needed.contains(programs[index].name) {
            switch programs[index].phase {
            case .starting, .ready: break
            default: continue
            }
            guard let pid = programs[index].pid else { continue }
            let declaration = programs[index].declaration
            programs[index].phase = .stopping(deadline: now + declaration.stopTimeout)
            actions.append(.signal(declaration.name, pid: pid, declaration.stopSignal))
        }
    }

    private mutating func kill(_ index: Int, _ now: MonotonicTime, _ actions: inout [ProgramAction]) {
        guard let pid = programs[index].pid else { return }
        programs[index].phase = .killed(deadline: now + Self.killGrace)
        actions.append(.signal(programs[index].name, pid: pid, .kill))
    }

    private mutating func killAll(_ now: MonotonicTime, _ actions: inout [ProgramAction]) {
        stop(&actions)
        for index in programs.indices {
            if case .killed = programs[index].phase { continue }
            kill(index, now, &actions)
        }
    }

    // MARK: - Another configuration

    private mutating func update(_ declarations: [ProgramDeclaration]) {
        guard phase == .running else { return }
        var rest = programs
        var result: [ProgramState] = []
        for declaration in declarations {
            guard let index = rest.firstIndex(where: { $0.name == declaration.name }) else {
                result.append(ProgramState(declaration))
                continue
            }
            result.append(Self.updated(rest.remove(at: index), declaration))
        }
        for var program in rest {
            program.isAskedToStop = true
            program.isRemoved = true
            program.successor = nil
            result.append(program)
        }
        programs = result
    }

    private static func updated(_ program: ProgramState, _ declaration: ProgramDeclaration) -> ProgramState {
        var program = program
        guard program.isAlive else {
            // What was given up is tried anew: somebody may have mended it meanwhile.
            if program.declaration == declaration, program.phase != .failed { return program }
            var next = ProgramState(declaration)
            next.starts = program.starts
            return next
        }
        if program.successor == nil, !program.isAskedToStop, program.declaration == declaration { return program }
        program.isAskedToStop = true
        program.isRemoved = false
        program.successor = declaration
        return program
    }

    private func log(_ level: SupervisorLog.Level, _ message: String, _ actions: inout [ProgramAction]) {
        actions.append(.log(SupervisorLog(level, message)))
    }
}
