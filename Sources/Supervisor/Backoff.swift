/// How long to wait before something that failed is tried again: doubling, up to a cap.
struct Backoff: Equatable, Sendable {
    let first: Duration
    let cap: Duration

    /// The pause after so many failures in a row (none after zero).
    func delay(failures: Int) -> Duration {
        guard failures > 0 else { return .zero }
        var delay = first
        for _ in 1..<failures {
            delay *= 2
            if delay >= cap { return cap }
        }
        return min(delay, cap)
    }
}
