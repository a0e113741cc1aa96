import Platform

/// How many workers there are: as told by signals and commands, or, in an elastic pool, as the load has it.
extension SupervisorState {
    /// How many there will be when everything under way has come to its end.
    var wantedCount: Int {
        guard let rollout, rollout.stage != .preparing else { return slots.count }
        return rollout.target
    }

    /// Changes the number of workers.
    mutating func scale(
        to count: Int, _ cause: String, _ actions: inout [SupervisorAction]
    ) -> SupervisorCommands.Outcome {
        guard phase == .starting || phase == .running else { return .refused("the server is stopping") }
        guard options.bounds.contains(count) else {
            let bounds = options.bounds
            let reason =
                bounds.count == 1
                ? "there is always \(bounds.lowerBound)"
                : "a number of workers from \(bounds.lowerBound) to \(bounds.upperBound) is allowed"
            log(.warning, "\(count) workers (\(cause)): refused, \(reason)", &actions)
            return .refused(reason)
        }
        guard count != wantedCount else { return .done }
        log(.notice, "\(count) workers instead of \(wantedCount) (\(cause))", &actions)
        elasticity.forget()
        guard rollout != nil, rollout?.stage != .preparing else {
            resize(to: count)
            return .done
        }
        // The new generation comes in with this number, and should it not, the old one goes on with it.
        rollout?.target = count
        rollout?.previous.workers = count
        if rollout?.isProven == true, slots.count < count { resize(to: count) }
        return .done
    }

    private mutating func resize(to count: Int) {
        while slots.count < count { slots.append(Slot()) }
        if slots.count > count { slots.removeLast(slots.count - count) }
    }

    /// Looks at the load of an elastic pool, once a second, and adds or takes away a worker at a time.
    mutating func sampleLoad(_ now: MonotonicTime, _ actions: inout [SupervisorAction]) {
        guard options.isElastic, elasticity.nextSample <= now else { return }
        elasticity.nextSample = now + Elasticity.interval
        let ready = workers.values.filter { $0.isReady && !$0.isLeaving }
        // What is being changed has to show its effect first.
        guard phase == .running, rollout == nil, !ready.isEmpty,
            ready.count == workers.count, ready.count == slots.count
        else { return elasticity.forget() }
        let queue = ready.map(\.queueTime).reduce(.zero, +) / ready.count
        let busy = ready.map { Double($0.report?.busyPermille ?? 0) / 1000 }.reduce(0, +)
        switch elasticity.verdict(queue: queue, busy: busy, workers: slots.count, calm: options.idle, now) {
        case .grow where slots.count < options.bounds.upperBound:
            _ = scale(to: slots.count + 1, "requests wait for \(queue.inMilliseconds)", &actions)
        case .shrink where slots.count > options.bounds.lowerBound:
            _ = scale(to: slots.count - 1, "idle", &actions)
        case .grow, .shrink, .stay: break
        }
    }
}

/// When an elastic pool grows and shrinks. The two conditions lie far apart, and have to hold for a while, so that a pool does
/// not swing.
struct Elasticity: Equatable, Sendable {
    enum Verdict: Equatable { case grow, shrink, stay }

    static let interval = Duration.seconds(1)
    /// Requests that wait this long, on average, need another worker…
    static let longQueue = Duration.milliseconds(50)
    /// …if they do for this long.
    static let patience = Duration.seconds(2)
    /// A worker is too many when nothing waits longer than this…
    static let shortQueue = Duration.milliseconds(5)
    /// …and the others would be busy for no more than this share of their time, for as long as the options say.
    static let idleShare = 0.5

    var nextSample = MonotonicTime(nanoseconds: 0)
    private var busySince: MonotonicTime?
    private var idleSince: MonotonicTime?
    /// What shared memory says is believed from then on.
    var trustsVitalsFrom = MonotonicTime(nanoseconds: 0)

    /// Begins to look anew.
    mutating func forget() {
        busySince = nil
        idleSince = nil
    }

    mutating func verdict(
        queue: Duration, busy: Double, workers: Int, calm: Duration, _ now: MonotonicTime
    ) -> Verdict {
        let needsMore = queue >= Self.longQueue
        let needsLess = queue <= Self.shortQueue && busy <= Double(workers - 1) * Self.idleShare
        busySince = needsMore ? busySince ?? now : nil
        idleSince = needsLess ? idleSince ?? now : nil
        if let busySince, now - busySince >= Self.patience { return .grow }
        if let idleSince, now - idleSince >= calm { return .shrink }
        return .stay
    }
}

extension WorkerState {
    /// How long requests wait in it.
    fileprivate var queueTime: Duration {
        max(vitals.queueTime ?? .zero, .microseconds(Int64(clamping: report?.queueMicroseconds ?? 0)))
    }
}

extension Duration {
    /// `61 ms`
    fileprivate var inMilliseconds: String { "\(wholeNanoseconds / 1_000_000) ms" }
}
