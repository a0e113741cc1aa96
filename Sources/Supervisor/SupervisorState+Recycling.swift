import Platform

/// Workers that are to be replaced though they serve: used up, or stuck.
extension SupervisorState {
    /// Remembers that a worker is to be replaced. What is stuck counts more than what is used up.
    mutating func retire(_ id: WorkerID, _ reason: RetireReason, _ actions: inout [SupervisorAction]) {
        guard let worker = workers[id], worker.isReady, !worker.isLeaving else { return }
        guard worker.retiring == nil || (reason.isStuck && worker.retiring?.isStuck == false) else { return }
        workers[id]?.retiring = reason
        let detail = reason.detail.map { $0.isEmpty ? "" : ": \($0)" } ?? ""
        log(
            reason.isStuck ? .error : .notice, "\(worker.label) is to be replaced: \(reason.name)\(detail)", &actions)
    }

    mutating func received(_ report: WorkerReport, from id: WorkerID, _ actions: inout [SupervisorAction]) {
        workers[id]?.report = report
        if let limit = options.maxRequests, report.requests >= limit.lowered(by: jitter(of: id)) {
            retire(id, .maxRequests, &actions)
        }
        if let limit = options.maxMemory, report.residentBytes >= limit.lowered(by: jitter(of: id)) {
            retire(id, .maxMemory, &actions)
        }
    }

    mutating func observed(
        _ vitals: WorkerVitals, of id: WorkerID, _ now: MonotonicTime, _ actions: inout [SupervisorAction]
    ) {
        workers[id]?.vitals = vitals
        guard let since = vitals.busySince, let limit = options.stuck, since + limit <= now,
            elasticity.trustsVitalsFrom <= now
        else { return }
        retire(id, .loopStuck("an event loop has not come back for \((now - since).wholeSeconds)"), &actions)
    }

    /// When the passing of time alone makes a worker one to be replaced.
    func recyclingDeadline(_ worker: WorkerState) -> MonotonicTime? {
        [ageDeadline(worker), silenceDeadline(worker)].compactMap(\.self).min()
    }

    mutating func recycle(_ now: MonotonicTime, _ actions: inout [SupervisorAction]) {
        for worker in sortedWorkers {
            if let deadline = silenceDeadline(worker), deadline <= now {
                retire(worker.id, .loopStuck("no heartbeat for \((now - worker.lastHeard).wholeSeconds)"), &actions)
            }
            if let deadline = ageDeadline(worker), deadline <= now { retire(worker.id, .maxAge, &actions) }
        }
    }

    private func ageDeadline(_ worker: WorkerState) -> MonotonicTime? {
        guard let limit = options.maxAge, worker.isReady, worker.retiring == nil, let readyAt = worker.readyAt else {
            return nil
        }
        let nanoseconds = UInt64(max(0, limit.wholeNanoseconds)).lowered(by: jitter(of: worker.id))
        return readyAt + .nanoseconds(Int64(clamping: nanoseconds))
    }

    /// Only of workers that have sent a heartbeat: not every program does.
    private func silenceDeadline(_ worker: WorkerState) -> MonotonicTime? {
        guard let limit = options.stuck, worker.isReady, worker.report != nil, !(worker.retiring?.isStuck ?? false)
        else { return nil }
        return worker.lastHeard + limit
    }

    /// By how much the worker's own limits are lower, from 0 to `workers.jitter` percent: spread over the workers, and the same
    /// whenever it is asked for.
    private func jitter(of id: WorkerID) -> Double {
        // SplitMix64: consecutive numbers come out far apart.
        var bits = UInt64(bitPattern: Int64(id.number)) &* 0x9E37_79B9_7F4A_7C15
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        bits ^= bits >> 31
        return Double(bits >> 11) / Double(1 << 53) * Double(options.jitter) / 100
    }
}

extension UInt64 {
    /// This limit, a share of it lower, at least 1.
    fileprivate func lowered(by share: Double) -> UInt64 {
        self - UInt64(Double(self) * share) < 1 ? 1 : self - UInt64(Double(self) * share)
    }
}

extension Duration {
    /// `61 s`
    fileprivate var wholeSeconds: String { "\(components.seconds) s" }
}
