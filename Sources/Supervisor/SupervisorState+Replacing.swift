import Platform

/// Who takes whose place: what makes the pool as it should be, one possible step at a time.
extension SupervisorState {
    /// Does what has become possible.
    mutating func reconcile(_ now: MonotonicTime, _ actions: inout [SupervisorAction]) {
        guard phase == .starting || phase == .running else { return }
        fillEmptySlots(now, &actions)
        dismissPredecessors(now, &actions)
        finishRollout(now, &actions)
        announceIfComplete(&actions)
        dismissSurplus(now, &actions)
        beginPendingRollout(now, &actions)
        startReplacements(now, &actions)
        dropGenerations(&actions)
        handOverIfReplaced(&actions)
    }

    /// The workers of a slot that serve or will, the oldest first.
    func occupants(of slot: Int) -> [WorkerState] {
        workers.values.filter { $0.slot == slot && !$0.isLeaving }.sorted { $0.id < $1.id }
    }

    /// All of those, by slot.
    private var occupants: [Int: [WorkerState]] {
        Dictionary(grouping: workers.values.filter { !$0.isLeaving }, by: \.slot)
            .mapValues { $0.sorted { $0.id < $1.id } }
    }

    /// Whether the worker is of those that should be: of the right generation, and not to be replaced.
    private func isWanted(_ worker: WorkerState) -> Bool {
        worker.generation == generation && worker.retiring == nil
    }

    /// What a worker that got lost is started as again: not the new generation, as long as none of it has been ready.
    private var provenGeneration: Int {
        guard let rollout, rollout.stage == .replacing, !rollout.isProven else { return generation }
        return rollout.previous.generation
    }

    private mutating func fillEmptySlots(_ now: MonotonicTime, _ actions: inout [SupervisorAction]) {
        let occupants = occupants
        for slot in slots.indices where slots[slot].respawnAt == nil && occupants[slot] == nil {
            let reason = slots[slot].lossReason
            slots[slot].lossReason = nil
            spawn(slot, generation: provenGeneration, reason, now, &actions)
        }
    }

    private mutating func dismissPredecessors(_ now: MonotonicTime, _ actions: inout [SupervisorAction]) {
        for (slot, occupants) in occupants.sorted(by: { $0.key < $1.key }) where slots.indices.contains(slot) {
            guard occupants.count > 1, occupants.contains(where: { isWanted($0) && $0.isReady }) else { continue }
            slots[slot].replaceAt = nil
            for predecessor in occupants where !isWanted(predecessor) {
                drain(predecessor.id, .replace, now, &actions)
            }
        }
    }

    /// Workers of slots that are no more. While a new generation with fewer workers comes in, they go on until it is there.
    private mutating func dismissSurplus(_ now: MonotonicTime, _ actions: inout [SupervisorAction]) {
        guard rollout?.stage != .replacing else { return }
        for worker in sortedWorkers where worker.slot >= slots.count && !worker.isLeaving {
            drain(worker.id, .replace, now, &actions)
        }
    }

    /// A slot whose worker should be replaced, and none is on its way.
    private struct Candidate {
        let slot: Int
        let reason: RespawnReason
        let isStuck: Bool
        let isOfOldGeneration: Bool
    }

    private func candidate(_ slot: Int, _ occupants: [WorkerState], _ now: MonotonicTime) -> Candidate? {
        guard !occupants.contains(where: isWanted), slots[slot].replaceAt.map({ $0 <= now }) ?? true else { return nil }
        guard let last = occupants.last else {
            // Waiting to be started again: perhaps the new generation does better.
            guard let rollout, rollout.stage == .replacing else { return nil }
            return Candidate(
                slot: slot, reason: rollout.wish.kind.respawnReason, isStuck: false, isOfOldGeneration: true)
        }
        let retiring = occupants.lazy.compactMap(\.retiring).first
        let isOfOldGeneration = last.generation != generation
        return Candidate(
            slot: slot,
            reason: isOfOldGeneration
                ? rollout?.wish.kind.respawnReason ?? .reload : retiring.map(RespawnReason.init) ?? .crash,
            isStuck: retiring?.isStuck ?? false, isOfOldGeneration: isOfOldGeneration)
    }

    /// Starts successors: of the stuck first, and never more at once than may live beyond the pool's number. Workers that
    /// drain count as living, since it is memory that is bounded; those who replace the stuck need not wait for them.
    private mutating func startReplacements(_ now: MonotonicTime, _ actions: inout [SupervisorAction]) {
        let occupants = occupants
        var candidates = slots.indices.compactMap { candidate($0, occupants[$0] ?? [], now) }
        candidates = candidates.filter(\.isStuck) + candidates.filter { !$0.isStuck }
        let most = max(slots.count, rollout.map { max($0.target, $0.previous.workers) } ?? 0) + options.surge
        for candidate in candidates {
            let starting = workers.values.count { $0.isReplacement && !$0.isLeaving && $0.readyAt == nil }
            guard starting < options.surge else { return }
            guard candidate.isStuck || workers.count < most else { continue }
            // Capacity is lowered by nobody, memory raised by one: recycling has time.
            guard candidate.isStuck || candidate.isOfOldGeneration || starting == 0 else { continue }
            spawn(
                candidate.slot, generation: generation, isReplacement: true, candidate.reason, now, &actions)
        }
    }

    private mutating func announceIfComplete(_ actions: inout [SupervisorAction]) {
        guard phase == .starting, !slots.isEmpty else { return }
        let serving = Set(workers.values.filter { $0.isReady && !$0.isLeaving }.map(\.slot))
        guard slots.indices.allSatisfy(serving.contains) else { return }
        phase = .running
        actions.append(.announceReady)
    }
}
