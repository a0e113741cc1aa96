import Platform

/// The supervisor as a value: events in, actions out, no clock, no process, no descriptor. (Those are in
/// ``SupervisorProcess``.)
///
/// The pool has slots; a slot holds the worker that serves for it and, during a replacement, also its predecessor or
/// successor. A slot whose worker ended gets a new one, after a pause that grows with the failures in a row.
public struct SupervisorState: Sendable {
    /// The stations of a supervisor's life.
    public enum Phase: Equatable, Sendable {
        /// The first generation has not been ready as a whole yet.
        case starting
        case running
        /// Ends when the last worker has; at the deadline the rest is killed.
        case draining(deadline: MonotonicTime)
        /// Everything was killed; ends when the kernel has reported it, at the latest at the deadline.
        case killing(deadline: MonotonicTime, exitCode: Int32)
        case ended(exitCode: Int32)
    }

    /// A place in the pool.
    struct Slot: Equatable, Sendable {
        /// Failures in a row: boots that failed, and workers that ended before they were stable.
        var failures = 0
        /// When an empty slot is filled again.
        var respawnAt: MonotonicTime?
    }

    public let options: SupervisorOptions
    public internal(set) var phase: Phase = .starting
    /// The generation that new workers belong to.
    public internal(set) var generation = 1
    /// All processes there are, by id.
    public internal(set) var workers: [WorkerID: WorkerState] = [:]
    var slots: [Slot] = []
    var lastID = 0
    /// Failed boots in a row while no worker has ever been ready.
    var failedBoots = 0
    var hasEverBeenReady = false

    public init(options: SupervisorOptions) {
        self.options = options
    }

    /// When `tick` is due at the latest; nil when only events can change anything.
    public var nextDeadline: MonotonicTime? {
        var deadlines = workers.values.compactMap(\.phase.deadline) + slots.compactMap(\.respawnAt)
        switch phase {
        case .draining(let deadline), .killing(let deadline, _): deadlines.append(deadline)
        case .starting, .running, .ended: break
        }
        return deadlines.min()
    }

    /// Takes in an event and answers what to do, in this order.
    public mutating func handle(_ event: SupervisorEvent, at now: MonotonicTime) -> [SupervisorAction] {
        if case .ended = phase { return [] }
        var actions: [SupervisorAction] = []
        switch event {
        case .start: start(now, &actions)
        case .tick: tick(now, &actions)
        case .spawned(let id, let pid): spawned(id, pid, now, &actions)
        case .spawnFailed(let id, let error): spawnFailed(id, error, now, &actions)
        case .message(let id, let message): received(message, from: id, now, &actions)
        case .channelClosed(let id): channelClosed(id, now, &actions)
        case .exited(let pid, let status): exited(pid, status, now, &actions)
        case .signal(let signal): received(signal, now, &actions)
        }
        return actions
    }

    // MARK: - Time

    private mutating func start(_ now: MonotonicTime, _ actions: inout [SupervisorAction]) {
        slots = Array(repeating: Slot(), count: options.workers)
        for slot in slots.indices { spawn(slot, now, &actions) }
    }

    private mutating func tick(_ now: MonotonicTime, _ actions: inout [SupervisorAction]) {
        switch phase {
        case .draining(let deadline) where deadline <= now: killRest(now, exitCode: 0, &actions)
        case .killing(let deadline, let exitCode) where deadline <= now: end(exitCode, &actions)
        case .starting, .running, .draining, .killing, .ended: break
        }
        for worker in sortedWorkers {
            guard let deadline = worker.phase.deadline, deadline <= now else { continue }
            switch worker.phase {
            case .starting:
                log(.error, "\(worker.label) was not ready within \(options.start)", &actions)
            case .draining:
                log(.warning, "\(worker.label) did not finish within \(options.drain)", &actions)
            case .detached:
                log(.error, "\(worker.label) closed its control channel and did not end", &actions)
            case .spawning, .ready, .killed: break
            }
            kill(worker.id, &actions)
        }
        for slot in slots.indices {
            if let due = slots[slot].respawnAt, due <= now { spawn(slot, now, &actions) }
        }
    }

    // MARK: - Workers

    private mutating func spawn(_ slot: Int, _ now: MonotonicTime, _ actions: inout [SupervisorAction]) {
        slots[slot].respawnAt = nil
        lastID += 1
        let id = WorkerID(lastID)
        workers[id] = WorkerState(
            id: id, slot: slot, generation: generation, phase: .spawning, startedAt: now, lastHeard: now)
        actions.append(.spawn(id, slot: slot, generation: generation))
    }

    private mutating func spawned(
        _ id: WorkerID, _ pid: Int32, _ now: MonotonicTime, _ actions: inout [SupervisorAction]
    ) {
        guard workers[id]?.phase == .spawning else { return }
        workers[id]?.pid = pid
        workers[id]?.lastHeard = now
        workers[id]?.phase = .starting(deadline: now + options.start)
        switch phase {
        case .starting, .running: break
        case .draining: drain(id, now, &actions)
        case .killing, .ended: kill(id, &actions)
        }
    }

    private mutating func spawnFailed(
        _ id: WorkerID, _ error: SystemError, _ now: MonotonicTime, _ actions: inout [SupervisorAction]
    ) {
        guard let worker = workers.removeValue(forKey: id) else { return }
        actions.append(.forget(id))
        log(.error, "\(worker.label) could not be started: \(error)", &actions)
        ended(worker, status: nil, now, &actions)
    }

    private mutating func received(
        _ message: ControlMessage, from id: WorkerID, _ now: MonotonicTime, _ actions: inout [SupervisorAction]
    ) {
        guard let worker = workers[id] else { return }
        workers[id]?.lastHeard = now
        switch (message, worker.phase) {
        case (.ready, .starting):
            workers[id]?.phase = .ready(since: now)
            workers[id]?.readyAt = now
            // What it said it was busy with has succeeded.
            workers[id]?.failure = nil
            hasEverBeenReady = true
            failedBoots = 0
            log(.info, "\(worker.label) is ready", &actions)
            announceIfComplete(&actions)
        case (.heartbeat(let report), _): workers[id]?.report = report
        case (.failed(let reason), _): workers[id]?.failure = reason
        case (.retire(let reason), .ready):
            workers[id]?.retiring = reason
            log(.notice, "\(worker.label) is to be replaced: \(reason.name)", &actions)
        case (.retire, _): break
        case (.ready, _), (.drain, _): break  // Too late, or not a worker's to say.
        }
    }

    private mutating func announceIfComplete(_ actions: inout [SupervisorAction]) {
        guard phase == .starting else { return }
        let serving = Set(workers.values.filter { $0.isReady && $0.generation == generation }.map(\.slot))
        guard serving.count == slots.count else { return }
        phase = .running
        actions.append(.announceReady)
    }

    /// A worker that ends closes its channel an instant before the kernel reports it; one that lives on cannot be told to
    /// drain any more and has to go.
    private mutating func channelClosed(
        _ id: WorkerID, _ now: MonotonicTime, _ actions: inout [SupervisorAction]
    ) {
        switch workers[id]?.phase {
        case .starting, .ready: workers[id]?.phase = .detached(deadline: now + options.killGrace)
        case .spawning, .draining, .detached, .killed, nil: break
        }
    }

    private mutating func exited(
        _ pid: Int32, _ status: ProcessStatus, _ now: MonotonicTime, _ actions: inout [SupervisorAction]
    ) {
        guard let worker = workers.values.first(where: { $0.pid == pid }) else {
            log(.debug, "inherited process \(pid) ended: \(status)", &actions)
            return
        }
        workers[worker.id] = nil
        actions.append(.forget(worker.id))
        let reason = worker.failure.map { ": \($0)" } ?? ""
        switch worker.phase {
        case .draining where status.isSuccess || worker.readyAt == nil:
            log(.info, "\(worker.label) has finished", &actions)
        case .killed: log(.info, "\(worker.label) is gone: \(status)", &actions)
        default:
            let when = worker.readyAt == nil ? " before it was ready" : ""
            log(.error, "\(worker.label) ended\(when): \(status)\(reason)", &actions)
        }
        ended(worker, status: status, now, &actions)
    }

    /// A process is gone: decide what takes its place.
    private mutating func ended(
        _ worker: WorkerState, status: ProcessStatus?, _ now: MonotonicTime, _ actions: inout [SupervisorAction]
    ) {
        switch phase {
        case .draining where workers.isEmpty: return end(0, &actions)
        case .killing(_, let exitCode) where workers.isEmpty: return end(exitCode, &actions)
        case .draining, .killing, .ended: return
        case .starting, .running: break
        }
        // Another worker of the slot serves already (or will): this one was its predecessor.
        if workers.values.contains(where: { $0.slot == worker.slot }) { return }

        let backoff = Backoff(first: options.backoff, cap: options.backoffCap)
        let delay: Duration
        if let readyAt = worker.readyAt {
            if now - readyAt >= options.stableAfter { slots[worker.slot].failures = 0 }
            // The first loss is made good at once: nothing says yet that it will happen again.
            delay = backoff.delay(failures: slots[worker.slot].failures)
            slots[worker.slot].failures += 1
        } else {
            slots[worker.slot].failures += 1
            delay = backoff.delay(failures: slots[worker.slot].failures)
            if !hasEverBeenReady, let code = hopelessness(after: status) {
                log(.error, "no worker could start; giving up", &actions)
                killRest(now, exitCode: code, &actions)
                return
            }
        }
        if delay == .zero {
            spawn(worker.slot, now, &actions)
        } else {
            log(.warning, "starting worker \(worker.slot + 1) again in \(delay)", &actions)
            slots[worker.slot].respawnAt = now + delay
        }
    }

    /// The exit status to give up with, when no worker was ever ready: at once on a status that another try cannot change,
    /// else after enough tries.
    private mutating func hopelessness(after status: ProcessStatus?) -> Int32? {
        if case .exited(let code) = status, ExitCode.final.contains(code) { return code }
        failedBoots += 1
        guard failedBoots >= options.bootAttempts else { return nil }
        if case .exited(let code) = status, code != 0 { return code }
        return ExitCode.internalError
    }

    /// The pool for status documents.
    public var snapshot: PoolSnapshot {
        var snapshot = PoolSnapshot()
        snapshot.phase =
            switch phase {
            case .starting: .starting
            case .running: .running
            case .draining, .killing: .draining
            case .ended: .ended
            }
        snapshot.generation = generation
        snapshot.target = slots.count
        snapshot.workers = sortedWorkers.map(\.snapshot)
        return snapshot
    }

    func log(_ level: SupervisorLog.Level, _ message: String, _ actions: inout [SupervisorAction]) {
        actions.append(.log(SupervisorLog(level, message)))
    }

    var sortedWorkers: [WorkerState] { workers.values.sorted { $0.id < $1.id } }
}
