import Platform

/// The supervisor as a value: events in, actions out, no clock, no process, no descriptor. (Those are in
/// ``SupervisorProcess``.)
///
/// The pool has slots; a slot holds the worker that serves for it and, during a replacement, also its predecessor or
/// successor. A slot whose worker ended gets a new one, after a pause that grows with the failures in a row. Events change what
/// is known and wanted; after each of them ``reconcile(_:_:)`` does what has become possible.
public struct SupervisorState: Sendable {
    /// The stations of a supervisor's life.
    public enum Phase: Equatable, Sendable {
        /// Not every slot has had a worker that was ready.
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
        /// When the replacement of its worker, which failed, is tried again.
        var replaceAt: MonotonicTime?
        /// Why its last worker is gone.
        var lossReason: RespawnReason?
    }

    /// Those of the generation that workers are started in.
    public internal(set) var options: SupervisorOptions
    public internal(set) var phase: Phase = .starting
    /// The generation that workers should be of.
    public internal(set) var generation = 1
    /// All processes there are, by id.
    public internal(set) var workers: [WorkerID: WorkerState] = [:]
    /// One for each worker there should be.
    var slots: [Slot] = []
    var lastID = 0
    var lastGeneration = 1
    /// Generations whose sockets are kept.
    var knownGenerations: Set<Int> = [1]
    var rollout: Rollout?
    /// What is wanted as soon as it is possible.
    var pendingWish: Rollout.Wish?
    /// Failed boots in a row while no worker was ready.
    var failedBoots = 0
    var hasEverBeenReady = false
    /// So many failed boots are enough before the first worker was ready; nil for as many as later.
    var firstAttempts: Int?
    /// When it begins to drain: it was told to stop, says that it is not ready, and still serves.
    var stopAt: MonotonicTime?
    var elasticity = Elasticity()
    var respawns: [RespawnReason: Int] = [:]
    var reloads = 0
    var failedReloads = 0
    var lastFailure: String?
    /// What every worker is told.
    var announcement: String?
    /// What the end says when all has been finished.
    var finalExitCode: Int32 = 0

    /// `beginning` is what was counted before, and the first generation's number.
    public init(options: SupervisorOptions, beginning: PoolSnapshot = PoolSnapshot()) {
        self.options = options
        generation = beginning.generation
        lastGeneration = generation
        knownGenerations = [generation]
        respawns = beginning.respawns
        reloads = beginning.reloads
        failedReloads = beginning.failedReloads
    }

    /// When `tick` is due at the latest; nil when only events can change anything.
    public var nextDeadline: MonotonicTime? {
        var deadlines = workers.values.compactMap(\.phase.deadline)
        switch phase {
        case .draining(let deadline), .killing(let deadline, _): deadlines.append(deadline)
        case .starting, .running:
            deadlines += slots.compactMap(\.respawnAt) + slots.compactMap(\.replaceAt)
            deadlines += workers.values.compactMap(recyclingDeadline)
            if options.isElastic { deadlines.append(elasticity.nextSample) }
            if let stopAt { deadlines.append(stopAt) }
        case .ended: break
        }
        return deadlines.min()
    }

    /// Takes in an event and answers what to do, in this order.
    public mutating func handle(_ event: SupervisorEvent, at now: MonotonicTime) -> [SupervisorAction] {
        if case .ended = phase { return [] }
        var actions: [SupervisorAction] = []
        switch event {
        case .start: slots = Array(repeating: Slot(), count: options.workers)
        case .tick: tick(now, &actions)
        case .overslept(let duration): overslept(duration, now, &actions)
        case .spawned(let id, let pid): spawned(id, pid, now, &actions)
        case .spawnFailed(let id, let error): spawnFailed(id, error, now, &actions)
        case .message(let id, let message): received(message, from: id, now, &actions)
        case .vitals(let id, let vitals): observed(vitals, of: id, now, &actions)
        case .channelClosed(let id): channelClosed(id, now)
        case .exited(let pid, let status): exited(pid, status, now, &actions)
        case .signal(let signal): received(signal, now, &actions)
        case .command(let number, let request): received(request, number, now, &actions)
        case .fileChanged(let path): wish(for: .init(kind: .reload, cause: "\(path) changed"), now, &actions)
        case .prepared(let generation, let options): prepared(generation, options, now, &actions)
        case .preparationFailed(let generation, let reason):
            if rollout?.generation == generation { abortRollout(reason, now, &actions) }
        case .handOverFailed(let reason): abortRollout(reason, now, &actions)
        case .giveUp(let reason): giveUp(reason, now, &actions)
        }
        reconcile(now, &actions)
        return actions
    }

    private mutating func received(
        _ signal: Signal, _ now: MonotonicTime, _ actions: inout [SupervisorAction]
    ) {
        switch signal {
        case .terminate, .interrupt: stop("\(signal)", now, &actions)
        case .hangUp: wish(for: .init(kind: .reload, cause: "\(signal)"), now, &actions)
        case .user2: wish(for: .init(kind: .upgrade(executable: nil), cause: "\(signal)"), now, &actions)
        case .moreWorkers: _ = scale(to: wantedCount + 1, "\(signal)", &actions)
        case .fewerWorkers: _ = scale(to: wantedCount - 1, "\(signal)", &actions)
        case .user1:
            log(.info, "\(signal): opening log files anew", &actions)
            for worker in sortedWorkers where worker.pid != nil { actions.append(.tell(worker.id, .reopenLogs)) }
        case .child: break  // The shell reaps and reports `exited`.
        default: log(.warning, "\(signal): not supported, nothing changed", &actions)
        }
    }

    private mutating func received(
        _ request: SupervisorCommands.Request, _ number: Int, _ now: MonotonicTime,
        _ actions: inout [SupervisorAction]
    ) {
        switch request {
        case .stop:
            if phase == .starting || phase == .running, stopAt == nil { stop("command", now, &actions) }
            actions.append(.answer(number, .done))
        case .tell(let text):
            for worker in sortedWorkers { actions.append(.tell(worker.id, .tell(text))) }
            actions.append(.answer(number, .done))
        case .announce(let text):
            announcement = text
            for worker in sortedWorkers { actions.append(.tell(worker.id, .tell(text))) }
            actions.append(.answer(number, .done))
        case .scale(let count):
            actions.append(.answer(number, scale(to: count, "command", &actions)))
        case .reload:
            wish(for: .init(kind: .reload, cause: "command", commands: [number]), now, &actions)
        case .upgrade(let executable):
            let kind = Rollout.Kind.upgrade(executable: executable)
            wish(for: .init(kind: kind, cause: "command", commands: [number]), now, &actions)
        }
    }

    // MARK: - Time

    private mutating func tick(_ now: MonotonicTime, _ actions: inout [SupervisorAction]) {
        switch phase {
        case .draining(let deadline) where deadline <= now: killRest(now, exitCode: finalExitCode, &actions)
        case .killing(let deadline, let exitCode) where deadline <= now: end(exitCode, &actions)
        case .starting, .running, .draining, .killing, .ended: break
        }
        for worker in sortedWorkers {
            guard let deadline = worker.phase.deadline, deadline <= now else { continue }
            var failure: String?
            switch worker.phase {
            case .starting:
                failure = "\(worker.label) was not ready within \(options.start)"
                log(.error, "\(worker.label) was not ready within \(options.start)", &actions)
            case .draining:
                let lost = worker.report?.inFlight ?? 0
                let what = lost == 0 ? "" : "; \(lost) requests were in flight in it when it last told"
                log(.warning, "\(worker.label) did not finish within its time\(what)", &actions)
            case .detached:
                log(.error, "\(worker.label) closed its control channel and did not end", &actions)
            case .spawning, .ready, .killed: break
            }
            kill(worker.id, &actions)
            if let failure, worker.generation == rollout?.generation {
                workers[worker.id]?.isLeaving = true
                abortRollout(failure, now, &actions)
            }
        }
        guard phase == .starting || phase == .running else { return }
        if let stopAt, stopAt <= now { return beginDrain("pre-drain", now, &actions) }
        for slot in slots.indices {
            if let due = slots[slot].respawnAt, due <= now { slots[slot].respawnAt = nil }
            if let due = slots[slot].replaceAt, due <= now { slots[slot].replaceAt = nil }
        }
        recycle(now, &actions)
        sampleLoad(now, &actions)
    }

    /// Everybody gets the time back in which nobody could have been heard.
    private mutating func overslept(
        _ duration: Duration, _ now: MonotonicTime, _ actions: inout [SupervisorAction]
    ) {
        log(.notice, "the supervisor did not run for \(duration): limits of time are extended by as much", &actions)
        for id in workers.keys { workers[id]?.postpone(by: duration) }
        // Where everything was frozen, what the workers' memory says is old until they have run again.
        elasticity.trustsVitalsFrom = now + .seconds(5)
        switch phase {
        case .draining(let deadline): phase = .draining(deadline: deadline + duration)
        case .killing, .starting, .running, .ended: break
        }
    }

    // MARK: - Workers

    mutating func spawn(
        _ slot: Int, generation: Int, isReplacement: Bool = false, _ reason: RespawnReason?, _ now: MonotonicTime,
        _ actions: inout [SupervisorAction]
    ) {
        slots[slot].respawnAt = nil
        if let reason { respawns[reason, default: 0] += 1 }
        lastID += 1
        let id = WorkerID(lastID)
        var worker = WorkerState(
            id: id, slot: slot, generation: generation, phase: .spawning, startedAt: now, lastHeard: now)
        worker.isReplacement = isReplacement
        workers[id] = worker
        actions.append(.spawn(id, slot: slot, generation: generation))
    }

    private mutating func spawned(
        _ id: WorkerID, _ pid: Int32, _ now: MonotonicTime, _ actions: inout [SupervisorAction]
    ) {
        guard let worker = workers[id], worker.phase == .spawning else { return }
        workers[id]?.pid = pid
        workers[id]?.lastHeard = now
        workers[id]?.phase = .starting(deadline: now + options.start)
        if let announcement { actions.append(.tell(id, .tell(announcement))) }
        switch phase {
        case .starting, .running, .draining: if worker.isLeaving { drain(id, worker.purpose, now, &actions) }
        case .killing, .ended: kill(id, &actions)
        }
    }

    private mutating func spawnFailed(
        _ id: WorkerID, _ error: SystemError, _ now: MonotonicTime, _ actions: inout [SupervisorAction]
    ) {
        guard var worker = workers.removeValue(forKey: id) else { return }
        actions.append(.forget(id))
        worker.failure = "\(error)"
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
            if stopAt != nil { actions.append(.tell(id, .unready)) }
            if rollout?.generation == worker.generation { proveRollout() }
        case (.heartbeat(let report), _): received(report, from: id, &actions)
        case (.failed(let reason), _): workers[id]?.failure = reason
        case (.retire(let reason), _): retire(id, reason, &actions)
        case (.tell(let text), _): actions.append(.told(text))
        case (.ready, _), (.drain, _), (.unready, _), (.reopenLogs, _):
            break  // Too late, or not a worker's to say.
        }
    }

    /// A worker that ends closes its channel an instant before the kernel reports it; one that lives on cannot be told to
    /// drain any more and has to go.
    private mutating func channelClosed(_ id: WorkerID, _ now: MonotonicTime) {
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

    /// The pool for status documents.
    public var snapshot: PoolSnapshot {
        var snapshot = PoolSnapshot()
        snapshot.phase =
            switch phase {
            case .starting where stopAt != nil, .running where stopAt != nil: .draining
            case .starting: .starting
            case .running: rollout == nil ? .running : .reloading
            case .draining, .killing: .draining
            case .ended: .ended
            }
        snapshot.generation = rollout?.previous.generation ?? generation
        snapshot.target = slots.count
        snapshot.workers = sortedWorkers.map(\.snapshot)
        snapshot.respawns = respawns
        snapshot.reloads = reloads
        snapshot.failedReloads = failedReloads
        snapshot.lastFailure = lastFailure
        return snapshot
    }

    func log(_ level: SupervisorLog.Level, _ message: String, _ actions: inout [SupervisorAction]) {
        actions.append(.log(SupervisorLog(level, message)))
    }

    var sortedWorkers: [WorkerState] { workers.values.sorted { $0.id < $1.id } }
}
