/// What a worker, or several together, have counted since their start.
public struct WorkerCounters: Equatable, Sendable {
    /// Requests answered or given up.
    public var requests: UInt64 = 0
    /// Of these by class of status: 1xx, 2xx, 3xx, 4xx, 5xx.
    public var informational: UInt64 = 0
    public var successful: UInt64 = 0
    public var redirected: UInt64 = 0
    public var clientErrors: UInt64 = 0
    public var serverErrors: UInt64 = 0
    /// Requests being answered now.
    public var inFlight: UInt64 = 0
    /// Connections accepted.
    public var connectionsAccepted: UInt64 = 0
    /// Connections open now.
    public var connectionsOpen: UInt64 = 0
    /// Bytes received from clients.
    public var bytesIn: UInt64 = 0
    /// Bytes sent to clients.
    public var bytesOut: UInt64 = 0
    /// Requests refused because the queue in front of the threads was full.
    public var queueRejects: UInt64 = 0
    /// Requests whose application had its time and had not answered.
    public var overdue: UInt64 = 0
    /// How often event loops were woken.
    public var turns: UInt64 = 0
    /// How long event loops were at work, in nanoseconds.
    public var busyNanoseconds: UInt64 = 0

    public init() {}

    /// Adds requests by class of status: without one, then 1xx to 5xx.
    mutating func add(statuses: [UInt64]) {
        informational &+= statuses[1]
        successful &+= statuses[2]
        redirected &+= statuses[3]
        clientErrors &+= statuses[4]
        serverErrors &+= statuses[5]
    }

    /// Adds another's counts.
    public mutating func merge(_ other: WorkerCounters) {
        requests &+= other.requests
        informational &+= other.informational
        successful &+= other.successful
        redirected &+= other.redirected
        clientErrors &+= other.clientErrors
        serverErrors &+= other.serverErrors
        inFlight &+= other.inFlight
        connectionsAccepted &+= other.connectionsAccepted
        connectionsOpen &+= other.connectionsOpen
        bytesIn &+= other.bytesIn
        bytesOut &+= other.bytesOut
        queueRejects &+= other.queueRejects
        overdue &+= other.overdue
        turns &+= other.turns
        busyNanoseconds &+= other.busyNanoseconds
    }

    /// The sum over several loops or workers.
    public static func total(of parts: some Sequence<WorkerCounters>) -> WorkerCounters {
        parts.reduce(into: WorkerCounters()) { $0.merge($1) }
    }
}
