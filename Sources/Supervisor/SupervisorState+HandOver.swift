import Platform

/// The state as it goes over to another program in the same process, which may be of a later version.
extension SupervisorState {
    /// What is under way at that moment is told as done: whoever reads this is it.
    var records: [Record] {
        var pool = Record("pool")
        pool.set("running", phase == .running ? 1 : 0)
        pool.set("generation", generation)
        pool.set("last-generation", lastGeneration)
        pool.set("last-id", lastID)
        pool.set("failed-boots", failedBoots)
        pool.set("reloads", reloads + 1)
        pool.set("failed-reloads", failedReloads)
        if let pendingWish {
            pool.set("pending", pendingWish.kind.name)
            pool.set("cause", pendingWish.cause)
        }
        pool.set("announcement", announcement)
        var counts = Record("respawns")
        for (reason, count) in respawns { counts.set(reason.rawValue, count) }
        return [pool, Record("options", encoding: options), counts] + slots.map(Self.record)
            + sortedWorkers.map { Record($0) }
    }

    private static func record(_ slot: Slot) -> Record {
        var record = Record("slot")
        record.set("failures", slot.failures)
        record.set("respawn-at", slot.respawnAt?.nanoseconds)
        record.set("replace-at", slot.replaceAt?.nanoseconds)
        record.set("loss", slot.lossReason?.rawValue)
        return record
    }

    /// Nil when something is missing without which the pool cannot be kept.
    init?(_ records: [Record]) {
        guard let pool = records.first(where: { $0.word == "pool" }),
            let options = records.first(where: { $0.word == "options" }).flatMap(SupervisorOptions.init),
            let generation = pool.integer("generation", as: Int.self),
            let lastGeneration = pool.integer("last-generation", as: Int.self),
            let lastID = pool.integer("last-id", as: Int.self)
        else { return nil }
        self.init(options: options)
        phase = pool["running"] == "1" ? .running : .starting
        hasEverBeenReady = true
        self.generation = generation
        self.lastGeneration = lastGeneration
        self.lastID = lastID
        knownGenerations = [generation]
        failedBoots = pool.integer("failed-boots") ?? 0
        reloads = pool.integer("reloads") ?? 0
        failedReloads = pool.integer("failed-reloads") ?? 0
        announcement = pool["announcement"]
        if let cause = pool["cause"] {
            let kind: Rollout.Kind = pool["pending"] == "upgrade" ? .upgrade(executable: nil) : .reload
            pendingWish = .init(kind: kind, cause: cause)
        }
        for record in records {
            switch record.word {
            case "respawns":
                for reason in RespawnReason.allCases { respawns[reason] = record.integer(reason.rawValue) }
            case "slot":
                slots.append(
                    Slot(
                        failures: record.integer("failures") ?? 0,
                        respawnAt: record.integer("respawn-at").map { .init(nanoseconds: $0) },
                        replaceAt: record.integer("replace-at").map { .init(nanoseconds: $0) },
                        lossReason: record["loss"].flatMap { .init(rawValue: $0) }))
            case "worker":
                guard let worker = WorkerState(record) else { return nil }
                workers[worker.id] = worker
            default: continue
            }
        }
    }
}

extension Record {
    fileprivate init(_ worker: WorkerState) {
        self.init("worker")
        set("id", worker.id.number)
        set("slot", worker.slot)
        set("generation", worker.generation)
        set("pid", worker.pid)
        set("started", worker.startedAt.nanoseconds)
        set("ready", worker.readyAt?.nanoseconds)
        set("heard", worker.lastHeard.nanoseconds)
        set("leaving", worker.isLeaving ? 1 : 0)
        set("replacement", worker.isReplacement ? 1 : 0)
        set("purpose", worker.purpose == .stop ? "stop" : "replace")
        set("retiring", worker.retiring?.name)
        set("retiring-detail", worker.retiring?.detail)
        set("failure", worker.failure)
        set("deadline", worker.phase.deadline?.nanoseconds)
        let phase =
            switch worker.phase {
            case .spawning, .starting: "starting"
            case .ready: "ready"
            case .draining: "draining"
            case .detached: "detached"
            case .killed: "killed"
            }
        set("phase", phase)
    }
}

extension WorkerState {
    fileprivate init?(_ record: Record) {
        guard let id = record.integer("id", as: Int.self), let slot = record.integer("slot", as: Int.self),
            let generation = record.integer("generation", as: Int.self),
            let pid = record.integer("pid", as: Int32.self),
            let started = record.integer("started", as: Int64.self), let heard = record.integer("heard", as: Int64.self)
        else { return nil }
        let ready = record.integer("ready", as: Int64.self).map { MonotonicTime(nanoseconds: $0) }
        let deadline = MonotonicTime(nanoseconds: record.integer("deadline") ?? heard)
        let phase: Phase
        switch record["phase"] {
        case "starting": phase = .starting(deadline: deadline)
        case "ready": phase = .ready(since: ready ?? MonotonicTime(nanoseconds: heard))
        case "draining": phase = .draining(deadline: deadline)
        case "detached": phase = .detached(deadline: deadline)
        case "killed": phase = .killed
        default: return nil
        }
        self.init(
            id: WorkerID(id), slot: slot, generation: generation, phase: phase,
            startedAt: MonotonicTime(nanoseconds: started), lastHeard: MonotonicTime(nanoseconds: heard))
        self.pid = pid
        readyAt = ready
        isLeaving = record["leaving"] == "1"
        isReplacement = record["replacement"] == "1"
        purpose = record["purpose"] == "stop" ? .stop : .replace
        failure = record["failure"]
        if let name = record["retiring"] {
            retiring = RetireReason(name: name[...], detail: record["retiring-detail"].map { $0[...] })
        }
    }
}
