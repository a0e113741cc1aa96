import Platform

/// How a new generation of configuration, code or executable comes in.
extension SupervisorState {
    /// Somebody wants a new generation: at once, later, or never.
    mutating func wish(for wish: Rollout.Wish, _ now: MonotonicTime, _ actions: inout [SupervisorAction]) {
        let name = "\(wish.kind.name) (\(wish.cause))"
        switch phase {
        case .draining, .killing, .ended:
            log(.warning, "\(name): refused, the server is stopping", &actions)
            answer(wish.commands, .refused("the server is stopping"), &actions)
        case .starting, .running:
            if var pending = pendingWish {
                pending.kind = pending.kind.merged(with: wish.kind)
                pending.commands += wish.commands
                pendingWish = pending
                log(.debug, "\(name): one is waiting already", &actions)
                return
            }
            pendingWish = wish
            if rollout != nil {
                log(.notice, "\(name): one is under way, another will follow it", &actions)
            } else if !mayBeginRollout {
                log(.notice, "\(name): waits until the workers are ready", &actions)
            }
        }
    }

    /// Not while workers start for the first time, unless one has failed: then it may be the remedy.
    private var mayBeginRollout: Bool {
        rollout == nil && (phase == .running || (phase == .starting && slots.contains { $0.failures > 0 }))
    }

    mutating func beginPendingRollout(_ now: MonotonicTime, _ actions: inout [SupervisorAction]) {
        guard mayBeginRollout, let wish = pendingWish else { return }
        pendingWish = nil
        lastGeneration += 1
        log(.notice, "\(wish.kind.name) (\(wish.cause)): preparing generation \(lastGeneration)", &actions)
        rollout = Rollout(
            wish: wish, generation: lastGeneration,
            previous: .init(generation: generation, options: options, workers: slots.count))
        actions.append(.prepare(generation: lastGeneration, wish.kind))
    }

    mutating func prepared(
        _ generation: Int, _ options: SupervisorOptions, _ now: MonotonicTime, _ actions: inout [SupervisorAction]
    ) {
        guard var rollout, rollout.generation == generation, rollout.stage == .preparing else {
            actions.append(.dropGeneration(generation))
            return
        }
        rollout.stage = .replacing
        rollout.target = target(of: options, after: self.options)
        knownGenerations.insert(generation)
        rollout.previous.workers = slots.count
        self.rollout = rollout
        self.generation = generation
        self.options = options
        for slot in slots.indices { slots[slot].replaceAt = nil }
        // Successors of an older generation that are on their way come too late.
        for worker in sortedWorkers
        where worker.isReplacement && worker.readyAt == nil && occupants(of: worker.slot).count > 1 {
            drain(worker.id, .replace, now, &actions)
        }
    }

    /// How many workers new options bring: what was changed at run time stays, as long as the configuration says the same.
    private func target(of options: SupervisorOptions, after old: SupervisorOptions) -> Int {
        let count = options.workers == old.workers || options.isElastic ? slots.count : options.workers
        return min(max(count, options.bounds.lowerBound), options.bounds.upperBound)
    }

    /// A worker of the new generation is ready: from now on it is what lost workers are started as, and new slots are filled
    /// with.
    mutating func proveRollout() {
        guard let rollout else { return }
        self.rollout?.isProven = true
        while slots.count < rollout.target { slots.append(Slot()) }
    }

    mutating func finishRollout(_ now: MonotonicTime, _ actions: inout [SupervisorAction]) {
        guard let rollout, rollout.stage == .replacing, rollout.isProven else { return }
        let serving = Set(
            workers.values.filter { $0.isReady && !$0.isLeaving && $0.generation == generation }.map(\.slot))
        guard (0..<rollout.target).allSatisfy(serving.contains) else { return }
        if slots.count > rollout.target { slots.removeLast(slots.count - rollout.target) }
        if case .upgrade = rollout.wish.kind {
            self.rollout?.stage = .replaced
            return
        }
        self.rollout = nil
        reloads += 1
        lastFailure = nil
        log(
            .notice, "\(rollout.wish.kind.name) (\(rollout.wish.cause)): generation \(generation) serves", &actions)
        actions.append(.announceGeneration(generation))
        answer(rollout.wish.commands, .done, &actions)
    }

    /// The last thing to be done: whatever else there is to do at this moment is done by this program.
    mutating func handOverIfReplaced(_ actions: inout [SupervisorAction]) {
        guard let rollout, rollout.stage == .replaced else { return }
        self.rollout?.stage = .handingOver
        actions.append(.handOver(generation: generation, answering: rollout.wish.commands))
    }

    /// Goes back to what served before: starting workers of the new generation are ended, those that serve already are
    /// replaced in their turn.
    mutating func abortRollout(_ reason: String, _ now: MonotonicTime, _ actions: inout [SupervisorAction]) {
        guard let rollout else { return }
        self.rollout = nil
        failedReloads += 1
        lastFailure = reason
        log(
            .error,
            "\(rollout.wish.kind.name) (\(rollout.wish.cause)) failed, generation \(rollout.previous.generation) "
                + "goes on: \(reason)", &actions)
        answer(rollout.wish.commands, .failed(reason), &actions)
        guard rollout.stage != .preparing else { return }
        generation = rollout.previous.generation
        options = rollout.previous.options
        let count = rollout.previous.workers
        while slots.count < count { slots.append(Slot()) }
        if slots.count > count { slots.removeLast(slots.count - count) }
        for slot in slots.indices { slots[slot].replaceAt = nil }
        for worker in sortedWorkers where worker.generation == rollout.generation && worker.readyAt == nil {
            drain(worker.id, .replace, now, &actions)
        }
    }

    /// Generations that nobody accepts for any more.
    mutating func dropGenerations(_ actions: inout [SupervisorAction]) {
        guard knownGenerations.count > 1 else { return }
        var used: Set = [generation]
        if let rollout { used.formUnion([rollout.generation, rollout.previous.generation]) }
        for worker in workers.values where !worker.isLeaving { used.insert(worker.generation) }
        for unused in knownGenerations.subtracting(used).sorted() {
            knownGenerations.remove(unused)
            actions.append(.dropGeneration(unused))
        }
    }

    /// Nothing new comes in any more.
    mutating func endRollout(_ actions: inout [SupervisorAction]) {
        let commands = (rollout?.wish.commands ?? []) + (pendingWish?.commands ?? [])
        if rollout != nil || pendingWish != nil {
            log(.warning, "the server is stopping: no new generation is brought in any more", &actions)
        }
        rollout = nil
        pendingWish = nil
        answer(commands, .refused("the server is stopping"), &actions)
    }

    private func answer(
        _ commands: [Int], _ outcome: SupervisorCommands.Outcome, _ actions: inout [SupervisorAction]
    ) {
        for command in commands { actions.append(.answer(command, outcome)) }
    }
}
