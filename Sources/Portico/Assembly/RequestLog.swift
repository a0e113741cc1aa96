import Config
import HTTP
import Logging
import Server
import Telemetry

/// What one event loop writes of the requests it has answered: lines of the access log, and a warning for each slow one.
struct RequestLog {
    private let access: AccessLog?
    private let wanted: StatusFilter
    private let showsTraces: Bool
    /// Nanoseconds.
    private let slow: UInt64
    private let slot: Int
    private let logger: Logger

    /// `access` is this loop's; `slot` the worker's.
    init(_ settings: Settings.Log, access: AccessLog?, slot: Int, logger: Logger) {
        self.access = access
        wanted = StatusFilter(settings.statuses.map(\.codes))
        showsTraces = settings.format == .json
        slow = settings.slow.duration.map { UInt64(clamping: $0.nanoseconds) } ?? .max
        self.slot = slot
        self.logger = logger
    }

    /// Writes down what became of a request.
    func note(_ exchange: any FinishedExchange) {
        if exchange.responseNanoseconds >= slow { warn(exchange) }
        guard let access, wanted.contains(exchange.statusCode) else { return }
        let request = exchange.finishedRequest
        access.append(
            AccessRecord(
                time: .now(), remoteHost: exchange.connection.remoteHost,
                host: request?.authority.flatMap { request?.string($0) } ?? "", method: request?.method.name ?? "-",
                target: request.map { $0.string($0.target) } ?? "-", version: request?.version.name ?? "-",
                status: exchange.statusCode, bodyBytes: exchange.bodyBytes,
                referer: request?.fields["referer"] ?? "", userAgent: request?.fields["user-agent"] ?? "",
                microseconds: Int(exchange.nanoseconds / 1000), requestID: exchange.requestID,
                trace: showsTraces ? request.flatMap(Self.trace) : nil, worker: slot))
    }

    /// The trace a request says it belongs to. More than one `traceparent` is none (W3C Trace Context, §3.2).
    private static func trace(_ request: RequestHead) -> TraceContext? {
        let values = request.fields.values("traceparent")
        return values.count == 1 ? values.first.flatMap { TraceContext(parsing: $0.utf8) } : nil
    }

    /// Without the query, whose values are nobody else's business.
    private func warn(_ exchange: any FinishedExchange) {
        let request = exchange.finishedRequest
        logger.warning(
            "slow request",
            metadata: [
                "request-id": "\(exchange.requestID)", "method": "\(request?.method.name ?? "-")",
                "path": "\(request.map { $0.string($0.rawPath) } ?? "-")", "status": "\(exchange.statusCode)",
                "seconds": "\(Self.seconds(exchange.responseNanoseconds))",
                "queued": "\(Self.seconds(exchange.queueNanoseconds))", "worker": "\(slot + 1)",
            ])
    }

    /// With three decimals.
    private static func seconds(_ nanoseconds: UInt64) -> String {
        let milliseconds = nanoseconds / 1_000_000
        let rest = String(milliseconds % 1000)
        return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - rest.count) + rest
    }
}

extension Duration {
    /// As a whole number; what does not fit is cut off.
    fileprivate var nanoseconds: Int64 {
        let parts = components
        guard parts.seconds < 9_000_000_000 else { return .max }
        return parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000
    }
}
