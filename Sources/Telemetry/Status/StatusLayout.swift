/// Where what lies in the status memory, in words of eight bytes. Both sides compute it from the numbers in the header.
///
/// header · route names · pool · loops (counters, queue time, routes, requests in flight) · metrics of user code
struct StatusLayout: Equatable, Sendable {
    /// "PORTICO" and the version of the layout: a process that finds another number leaves the memory alone.
    static let magic: UInt64 = 0x504F_5254_4943_4F01

    /// Rows for routes: those with numbers of their own, one for all beyond, and one for what matched none.
    static let routeCapacity = 256
    static let namedRoutes = routeCapacity - 2
    static let otherRoutes = routeCapacity - 2
    static let unmatched = routeCapacity - 1
    /// Requests of a loop that are listed while they are in flight; more are counted only.
    static let inFlightCapacity = 512
    static let metricWords = 32 * 1024

    static let headerWords = 64
    static let routeNameWords = 16
    static let poolWords = 16 + HistogramCells.words + 14
    static let loopCounterWords = 32
    static let routeWords = 8 + HistogramCells.words + 6
    static let inFlightWords = 16

    let loopCount: Int

    var routeNames: Int { Self.headerWords }
    var pool: Int { routeNames + Self.routeCapacity * Self.routeNameWords }
    var firstLoop: Int { Self.aligned(pool + Self.poolWords) }
    var loopWords: Int {
        Self.aligned(
            Self.loopCounterWords + HistogramCells.words + Self.routeCapacity * Self.routeWords
                + Self.inFlightCapacity * Self.inFlightWords)
    }
    var metrics: Int { firstLoop + loopCount * loopWords }
    /// Of everything, in bytes.
    var size: Int { (metrics + Self.metricWords) * 8 }

    /// On a page of its own, so that nothing of two loops shares a cache line.
    private static func aligned(_ words: Int) -> Int { (words + 511) / 512 * 512 }
}
