import NIOCore

/// Whether the client takes what is sent to it.
struct OutputStall {
    private var pending = 0
    private var since: NIODeadline?

    mutating func noteActivity() { since = nil }

    /// How long nothing of the pending output has moved.
    mutating func age(pending now: Int, at time: NIODeadline) -> TimeAmount {
        defer { pending = now }
        guard now > 0, now == pending, let since else {
            since = time
            return .zero
        }
        return time - since
    }
}
