/// The bounds of every histogram of durations: nine to a decade, from 10 µs to 100 s, so that a quantile is off by a
/// third at most, and the bounds people write into alerts (0.1, 0.25, 0.5, 1 s) are among them.
public enum DurationBuckets {
    private static let mantissas: [UInt64] = [100, 150, 200, 250, 300, 400, 500, 600, 750]

    /// Upper bounds in nanoseconds, inclusive, ascending. What is longer than the last goes into one more bucket.
    public static let bounds: [UInt64] = {
        var bounds: [UInt64] = []
        var decade: UInt64 = 100
        for _ in 0..<7 {
            bounds += mantissas.map { $0 * decade }
            decade *= 10
        }
        return bounds + [100 * decade]
    }()

    /// Buckets of a histogram: the bounds, and one for what is beyond.
    public static let count = 65

    /// Where `nanoseconds` belongs; by looking at few bounds only.
    static let table = Table()

    /// The bounds in memory of their own, with the first bound worth looking at for each number of bits.
    final class Table: @unchecked Sendable {
        // Sendable: filled once, then only read.
        private let bounds: UnsafeMutablePointer<UInt64>
        private let first: UnsafeMutablePointer<UInt8>

        init() {
            bounds = .allocate(capacity: DurationBuckets.count)
            first = .allocate(capacity: 65)
            for (index, bound) in DurationBuckets.bounds.enumerated() { bounds[index] = bound }
            bounds[DurationBuckets.count - 1] = .max
            for bits in 0...64 {
                let least: UInt64 = bits == 0 ? 0 : 1 << (bits - 1)
                first[bits] = UInt8(DurationBuckets.bounds.firstIndex { $0 >= least } ?? DurationBuckets.count - 1)
            }
        }

        @inline(__always)
        func index(_ nanoseconds: UInt64) -> Int {
            var index = Int(first[64 - nanoseconds.leadingZeroBitCount])
            while bounds[index] < nanoseconds { index += 1 }
            return index
        }
    }
}
