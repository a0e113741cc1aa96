import Platform
import Supervisor

/// Whether a server in thread mode is used up (`workers.max-requests`, `max-age`, `max-memory`), looked at once a second.
/// (Whether a worker process is, its supervisor sees.)
struct Recycling {
    private static let interval = Duration.seconds(1)
    /// What has been asked for takes its time, and is asked for again should nothing come of it.
    private static let patience = Duration.seconds(30)

    private let limits: SupervisorOptions
    private let report: () -> WorkerReport
    /// What is left of each limit after `workers.jitter`, so that servers that were started together end one by one.
    private let share: Double
    private let begun = MonotonicTime.now()
    private(set) var nextLook = MonotonicTime.now() + interval

    /// Nil when nothing is ever used up.
    init?(_ limits: SupervisorOptions, report: @escaping () -> WorkerReport) {
        guard limits.maxRequests != nil || limits.maxAge != nil || limits.maxMemory != nil else { return nil }
        self.limits = limits
        self.report = report
        share = 1 - Double.random(in: 0...1) * Double(limits.jitter) / 100
    }

    /// Why the process should be replaced, when it is time to look.
    mutating func look(_ now: MonotonicTime) -> RetireReason? {
        guard now >= nextLook else { return nil }
        nextLook = now + Self.interval
        guard let reason = reason(now) else { return nil }
        nextLook = now + Self.patience
        return reason
    }

    private func reason(_ now: MonotonicTime) -> RetireReason? {
        let report = report()
        if exceeds(report.requests, limits.maxRequests) { return .maxRequests }
        if exceeds(report.residentBytes, limits.maxMemory) { return .maxMemory }
        let age = UInt64(clamping: (now - begun).wholeNanoseconds)
        return exceeds(age, limits.maxAge.map { UInt64(clamping: $0.wholeNanoseconds) }) ? .maxAge : nil
    }

    private func exceeds(_ value: UInt64, _ limit: UInt64?) -> Bool {
        limit.map { Double(value) >= Double($0) * share } ?? false
    }
}
