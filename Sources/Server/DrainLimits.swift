public import NIOCore

/// How long the connections of a server that ends may go on, each counted from the beginning of its drain.
public struct DrainLimits: Sendable {
    /// For requests to be answered; and, once a WebSocket or a stream was ended, for its application to put away what it
    /// has.
    public var requests: TimeAmount
    /// For WebSockets and event streams to go on, as other responses and uploads may that still move; then the
    /// application and the client are told. With zero they are told at once.
    public var linger: TimeAmount
    /// For a connection without a request to ask once more: that request is answered, and then the connection closes.
    public var silence: TimeAmount

    public init(requests: TimeAmount, linger: TimeAmount = .zero, silence: TimeAmount = .milliseconds(500)) {
        self.requests = requests
        self.linger = linger
        self.silence = silence
    }
}

/// ``DrainLimits`` of a drain that has begun, as times.
struct DrainTimes {
    private(set) var silence: TimeAmount
    /// When requests that are not answered are cut off.
    let requestsEnd: NIODeadline
    /// When whoever lingers is told to go.
    private(set) var lingerEnd: NIODeadline
    /// For applications to end, after that.
    private let ending: TimeAmount

    init(_ limits: DrainLimits, from begin: NIODeadline) {
        silence = limits.silence
        requestsEnd = begin + limits.requests
        lingerEnd = begin + limits.linger
        ending = limits.requests
    }

    /// When everything is cut off.
    var end: NIODeadline { max(lingerEnd + ending, requestsEnd) }

    /// Nobody lingers beyond `now`.
    mutating func endLinger(at now: NIODeadline) {
        lingerEnd = min(lingerEnd, now)
        silence = min(silence, DrainLimits(requests: ending).silence)
    }
}

/// Whether a response or an upload gets anywhere, as the sweeps of a drain see it.
struct StreamProgress {
    /// What has not moved for so long does not count as moving.
    private static let patience = TimeAmount.seconds(5)

    private var seen: Int
    private var movedAt: NIODeadline

    /// `moved` is what has gone in and out so far.
    init(_ moved: Int, at now: NIODeadline) {
        seen = moved
        movedAt = now
    }

    mutating func note(_ moved: Int, at now: NIODeadline) {
        guard moved != seen else { return }
        seen = moved
        movedAt = now
    }

    func isMoving(at now: NIODeadline) -> Bool { now - movedAt < Self.patience }
}
