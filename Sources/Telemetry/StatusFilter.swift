/// Which responses are of interest, by their status.
public struct StatusFilter: Sendable, Equatable {
    private var isWanted = [Bool](repeating: false, count: 600)

    /// Those whose status is in one of `ranges`.
    public init(_ ranges: [ClosedRange<Int>]) {
        for range in ranges {
            for code in range.clamped(to: 0...599) { isWanted[code] = true }
        }
    }

    /// A request without a response, whose client has left, counts as the client's fault: 499, as nginx has it.
    public func contains(_ status: Int) -> Bool {
        let code = status == 0 ? 499 : status
        return isWanted.indices.contains(code) ? isWanted[code] : true
    }
}
