import Platform

/// How a supervisor comes to its end: signals, draining, killing.
extension SupervisorState {
    mutating func received(
        _ signal: Signal, _ now: MonotonicTime, _ actions: inout [SupervisorAction]
    ) {
        switch signal {
        case .terminate, .interrupt:
            switch phase {
            case .starting, .running: beginDrain(signal, now, &actions)
            case .draining, .killing:
                log(.warning, "\(signal) again: ending at once", &actions)
                killRest(now, exitCode: 0, &actions)
            case .ended: break
            }
        case .child: break  // The shell reaps and reports `exited`.
        default: log(.warning, "\(signal): not supported, nothing changed", &actions)
        }
    }

    private mutating func beginDrain(
        _ signal: Signal, _ now: MonotonicTime, _ actions: inout [SupervisorAction]
    ) {
        phase = .draining(deadline: now + options.drain + options.ending)
        log(.notice, "\(signal): finishing what is in flight, for at most \(options.drain)", &actions)
        for slot in slots.indices { slots[slot].respawnAt = nil }
        for worker in sortedWorkers { drain(worker.id, now, &actions) }
        actions.append(.closeListeners)
        if workers.isEmpty { end(0, &actions) }
    }

    mutating func drain(_ id: WorkerID, _ now: MonotonicTime, _ actions: inout [SupervisorAction]) {
        guard let worker = workers[id] else { return }
        switch worker.phase {
        case .starting, .ready:
            workers[id]?.phase = .draining(deadline: now + options.drain + options.ending)
            actions.append(.drain(id, .stop))
            // Before READY nothing is in flight, and a worker still loading its sites may not read the channel for long.
            if worker.readyAt == nil, let pid = worker.pid { actions.append(.kill(id, pid: pid, .terminate)) }
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
