import HTTP
import Server
import Synchronization
import Telemetry

/// Counts and logs what happens on one event loop.
final class LoopObserver: ServerObserver {
    private let counters: LoopCounters
    private let accessLog: AccessLog?
    private let slot: Int

    init(counters: LoopCounters, accessLog: AccessLog?, slot: Int) {
        self.counters = counters
        self.accessLog = accessLog
        self.slot = slot
    }

    var wantsDurations: Bool { accessLog != nil }

    func connectionOpened() { counters.connectionAccepted() }

    func connectionClosed() { counters.connectionClosed() }

    func exchangeStarted() { counters.requestStarted() }

    func exchangeFinished(_ exchange: any FinishedExchange) {
        counters.requestFinished(status: exchange.statusCode)
        counters.sent(bytes: exchange.bodyBytes)
        guard let accessLog else { return }
        let request = exchange.finishedRequest
        let parts = exchange.duration.components
        accessLog.append(
            AccessRecord(
                time: .now(), remoteHost: exchange.connection.remoteHost,
                host: request?.authority.flatMap { request?.string($0) } ?? "", method: request?.method.name ?? "-",
                target: request.map { $0.string($0.target) } ?? "-", version: request?.version.name ?? "-",
                status: exchange.statusCode, bodyBytes: exchange.bodyBytes,
                referer: request?.fields["referer"] ?? "", userAgent: request?.fields["user-agent"] ?? "",
                microseconds: Int(parts.seconds * 1_000_000 + parts.attoseconds / 1_000_000_000_000),
                requestID: exchange.requestID, worker: slot))
    }
}

/// The counters of a process's loops.
final class LoopCounterList: Sendable {
    private let all = Mutex<[LoopCounters]>([])

    /// Counters for one more loop.
    func make() -> LoopCounters {
        let counters = LoopCounters()
        all.withLock { $0.append(counters) }
        return counters
    }

    var total: WorkerCounters { .total(of: all.withLock { $0.map(\.snapshot) }) }
}
