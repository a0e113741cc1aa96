/// What a worker says about itself with each heartbeat. Counters count from its start.
public struct WorkerReport: Equatable, Sendable {
    /// Requests answered.
    public var requests: UInt64 = 0
    /// Requests being answered now.
    public var inFlight: UInt64 = 0
    /// Connections open now.
    public var connections: UInt64 = 0
    /// Responses with status 5xx.
    public var serverErrors: UInt64 = 0
    /// Requests refused because the queue in front of the threads was full.
    public var queueRejects: UInt64 = 0
    /// Bytes received.
    public var bytesIn: UInt64 = 0
    /// Bytes sent.
    public var bytesOut: UInt64 = 0
    /// Resident memory in bytes.
    public var residentBytes: UInt64 = 0
    /// How long requests wait before an application runs, in microseconds: for a thread, or for the event loop, whichever is
    /// more.
    public var queueMicroseconds: UInt64 = 0
    /// How busy the worker was since the last report, in thousandths: its processor time, or the share of its threads that run
    /// an application, whichever is more.
    public var busyPermille: UInt64 = 0

    public init() {}

    /// Names in messages and status documents, with where they live.
    static var fields: [(name: String, path: WritableKeyPath<WorkerReport, UInt64>)] {
        [
            ("requests", \.requests), ("in-flight", \.inFlight), ("connections", \.connections),
            ("server-errors", \.serverErrors), ("queue-rejects", \.queueRejects), ("bytes-in", \.bytesIn),
            ("bytes-out", \.bytesOut), ("resident", \.residentBytes), ("queue-time", \.queueMicroseconds),
            ("busy", \.busyPermille),
        ]
    }
}
