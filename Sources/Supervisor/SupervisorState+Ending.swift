import Platform

/// How workers come to their end, and how the supervisor does.
extension SupervisorState {
    /// A process is gone: what it means for its place.
    mutating func ended(
        _ worker: WorkerState, status: ProcessStatus?, _ now: MonotonicTime, _ actions: inout [SupervisorAction]
    ) {
        switch phase {
        case .draining where workers.isEmpty: return end(finalExitCode, &actions)
        case .killing(_, let exitCode) where workers.isEmpty: return end(exitCode, &actions)
        case .draining, .killing, .ended: return
        case .starting, .running: break
        }
        // Somebody has its place, or nobody shall.
        guard !worker.isLeaving, slots.indices.contains(worker.slot) else { return }
        if worker.readyAt == nil {
            failedToStart(worker, status, now, &actions)
        } else {
            lost(worker, now, &actions)
        }
    }

    private var pauses: Backoff { Backoff(first: options.backoff, cap: options.backoffCap) }

    /// It served, and nobody had told it to end.
    private mutating func lost(_ worker: WorkerState, _ now: MonotonicTime, _ actions: inout [SupervisorAction]) {
        let slot = worker.slot
        if let readyAt = worker.readyAt, now - readyAt >= options.stableAfter { slots[slot].failures = 0 }
        // The first loss is made good at once: nothing says yet that it will happen again.
        let delay = pauses.delay(failures: slots[slot].failures)
        slots[slot].failures += 1
        slots[slot].lossReason = .crash
        // Its successor is on its way.
        guard occupants(of: slot).isEmpty, delay > .zero else { return }
        log(.warning, "starting worker \(slot + 1) again in \(delay)", &actions)
        slots[slot].respawnAt = now + delay
    }

    private mutating func failedToStart(
        _ worker: WorkerState, _ status: ProcessStatus?, _ now: MonotonicTime, _ actions: inout [SupervisorAction]
    ) {
        let slot = worker.slot
        if let rollout, rollout.generation == worker.generation {
            let end = status.map { "\($0)" } ?? "no process"
            let reason = worker.failure.map { ": \($0)" } ?? ""
            return abortRollout("worker \(slot + 1) did not start: \(end)\(reason)", now, &actions)
        }
        slots[slot].failures += 1
        if let code = hopelessness(after: status) {
            log(.error, "no worker could start; giving up", &actions)
            return killRest(now, exitCode: code, &actions)
        }
        let delay = pauses.delay(failures: slots[slot].failures)
        if occupants(of: slot).isEmpty {
            slots[slot].lossReason = .bootFailure
            slots[slot].respawnAt = now + delay
            log(.warning, "starting worker \(slot + 1) again in \(delay)", &actions)
        } else {
            slots[slot].replaceAt = now + delay
            log(.warning, "starting a successor of worker \(slot + 1) again in \(delay)", &actions)
        }
    }

    /// The exit status to give up with, when no worker serves: at once on a status that another try cannot change and if none
    /// was ever ready, else after enough tries.
    private mutating func hopelessness(after status: ProcessStatus?) -> Int32? {
        guard !workers.values.contains(where: \.isReady) else { return nil }
        if !hasEverBeenReady, case .exited(let code) = status, ExitCode.final.contains(code) { return code }
        failedBoots += 1
        guard failedBoots >= (hasEverBeenReady ? nil : firstAttempts) ?? options.bootAttempts else { return nil }
        if case .exited(let code) = status, code != 0 { return code }
        return ExitCode.internalError
    }

    // MARK: - The pool's

    mutating func stop(_ cause: String, _ now: MonotonicTime, _ actions: inout [SupervisorAction]) {
        switch phase {
        case .starting where stopAt != nil, .running where stopAt != nil:
            log(.warning, "\(cause) again: ending at once", &actions)
            killRest(now, exitCode: 0, &actions)
        case .running where options.preDrain > .zero:
            log(.notice, "\(cause): not ready any more; serving for another \(options.preDrain)", &actions)
            stopAt = now + options.preDrain
            for worker in sortedWorkers where worker.isReady { actions.append(.tell(worker.id, .unready)) }
        case .starting, .running: beginDrain(cause, now, &actions)
        case .draining, .killing:
            log(.warning, "\(cause) again: ending at once", &actions)
            killRest(now, exitCode: finalExitCode, &actions)
        case .ended: break
        }
    }

    mutating func giveUp(_ reason: String, _ now: MonotonicTime, _ actions: inout [SupervisorAction]) {
        switch phase {
        case .starting, .running:
            finalExitCode = ExitCode.internalError
            beginDrain(reason, now, &actions)
        case .draining, .killing, .ended: break
        }
    }

    mutating func beginDrain(
        _ cause: String, _ now: MonotonicTime, _ actions: inout [SupervisorAction]
    ) {
        phase = .draining(deadline: now + options.timeToDrain(for: .stop))
        log(.notice, "\(cause): finishing what is in flight, for at most \(options.drain)", &actions)
        endRollout(&actions)
        for slot in slots.indices { slots[slot].respawnAt = nil }
        for worker in sortedWorkers { drain(worker.id, .stop, now, &actions) }
        actions.append(.closeListeners)
        if workers.isEmpty { end(finalExitCode, &actions) }
    }

    /// Tells a worker to finish; one that has no process yet is told as soon as it has.
    mutating func drain(
        _ id: WorkerID, _ purpose: DrainPurpose, _ now: MonotonicTime, _ actions: inout [SupervisorAction]
    ) {
        guard let worker = workers[id] else { return }
        workers[id]?.isLeaving = true
        workers[id]?.purpose = purpose
        let deadline = now + options.timeToDrain(for: purpose)
        switch worker.phase {
        case .starting, .ready:
            workers[id]?.phase = .draining(deadline: deadline)
            actions.append(.drain(id, purpose))
            // Before READY nothing is in flight, and a worker still loading its sites may not read the channel for long.
            if worker.readyAt == nil, let pid = worker.pid { actions.append(.kill(id, pid: pid, .terminate)) }
        case .draining(let earlier) where purpose == .stop && worker.purpose == .replace:
            // Open streams may not outlast the server.
            workers[id]?.phase = .draining(deadline: min(earlier, deadline))
            actions.append(.drain(id, .stop))
        case .spawning, .draining, .detached, .killed: break
        }
    }

    mutating func kill(_ id: WorkerID, _ actions: inout [SupervisorAction]) {
        guard let pid = workers[id]?.pid else { return }
        workers[id]?.phase = .killed
        actions.append(.kill(id, pid: pid, .kill))
    }

    /// Kills what is left, and ends when it is gone.
    mutating func killRest(_ now: MonotonicTime, exitCode: Int32, _ actions: inout [SupervisorAction]) {
        endRollout(&actions)
        for slot in slots.indices { slots[slot].respawnAt = nil }
        let rest = sortedWorkers.filter { $0.phase != .killed }
        if !rest.isEmpty {
            let names = rest.map(\.label).joined(separator: ", ")
            log(.warning, "killing \(rest.count) of \(slots.count) workers: \(names)", &actions)
        }
        for worker in rest { kill(worker.id, &actions) }
        switch phase {
        case .starting, .running: actions.append(.closeListeners)
        case .draining, .killing, .ended: break
        }
        phase = .killing(deadline: now + options.killGrace, exitCode: exitCode)
        if workers.isEmpty { end(exitCode, &actions) }
    }

    mutating func end(_ exitCode: Int32, _ actions: inout [SupervisorAction]) {
        phase = .ended(exitCode: exitCode)
        actions.append(.exit(exitCode))
    }
}
