/// How many durations fell into each of ``DurationBuckets``, and their sum.
public struct DurationHistogram: Equatable, Sendable {
    /// Not cumulative; ``DurationBuckets/count`` of them.
    public var buckets = [UInt64](repeating: 0, count: DurationBuckets.count)
    /// Nanoseconds, all together.
    public var sum: UInt64 = 0

    public init() {}

    /// How many durations there were.
    public var count: UInt64 { buckets.reduce(0, &+) }

    public mutating func merge(_ other: DurationHistogram) {
        for index in buckets.indices { buckets[index] &+= other.buckets[index] }
        sum &+= other.sum
    }

    /// What came since `earlier`, an older state of the same histogram.
    public func since(_ earlier: DurationHistogram) -> DurationHistogram {
        var difference = DurationHistogram()
        for index in buckets.indices {
            difference.buckets[index] =
                buckets[index] >= earlier.buckets[index] ? buckets[index] - earlier.buckets[index] : 0
        }
        difference.sum = sum >= earlier.sum ? sum - earlier.sum : 0
        return difference
    }

    /// The duration that this share (0 to 1) of all did not exceed, in nanoseconds, interpolated within its bucket; nil
    /// without any.
    public func quantile(_ share: Double) -> Double? {
        let total = count
        guard total > 0 else { return nil }
        let rank = share * Double(total)
        var below = 0.0
        for (index, inside) in buckets.enumerated() where inside > 0 {
            if below + Double(inside) >= rank {
                let lower = index == 0 ? 0 : Double(DurationBuckets.bounds[index - 1])
                guard index < DurationBuckets.bounds.count else { return lower }
                let upper = Double(DurationBuckets.bounds[index])
                return lower + (upper - lower) * max(0, rank - below) / Double(inside)
            }
            below += Double(inside)
        }
        return nil
    }
}

/// A histogram in the status memory: the sum, then the buckets. One writer, or several that take turns under a lock.
struct HistogramCells: Sendable {
    static let words = 1 + DurationBuckets.count

    private let memory: StatusWord
    private let table = DurationBuckets.table

    init(_ memory: UnsafeMutableRawPointer, _ index: Int) { self.memory = StatusWord(memory, index) }

    @inline(__always)
    func record(_ nanoseconds: UInt64) {
        memory.add(nanoseconds)
        memory.advanced(by: 1 + table.index(nanoseconds)).add(1)
    }

    /// As ``record(_:)``, where several write at the same time.
    func recordShared(_ nanoseconds: UInt64) {
        memory.addShared(nanoseconds)
        memory.advanced(by: 1 + table.index(nanoseconds)).addShared(1)
    }

    /// Adds another histogram.
    func absorb(_ histogram: DurationHistogram) {
        memory.add(histogram.sum)
        for (index, count) in histogram.buckets.enumerated() where count > 0 {
            memory.advanced(by: 1 + index).add(count)
        }
    }

    var value: DurationHistogram {
        var histogram = DurationHistogram()
        for index in 0..<DurationBuckets.count { histogram.buckets[index] = memory.advanced(by: 1 + index).value }
        histogram.sum = memory.value
        return histogram
    }
}

extension StatusWord {
    @inline(__always)
    func advanced(by count: Int) -> StatusWord { StatusWord(UnsafeMutableRawPointer(address + count), 0) }
}
