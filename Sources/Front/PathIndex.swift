#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Paths in order, for finding one, or the longest that a path starts with, without allocating.
///
/// Sorted by bytes; each path knows the longest other one it starts with. The longest prefix of a path is then its
/// predecessor in the order, or one of that one's ancestors.
final class PathIndex: Sendable {
    private let bytes: [UInt8]
    /// Where each path starts in `bytes`, with the end of the last.
    private let starts: [Int]
    private let parents: [Int]
    private let values: [Int]
    /// Bit n: there is a path of n bytes (63: of 63 or more). Most paths asked for exactly are of no such length.
    private let lengths: UInt64

    /// An index of `entries`, whose paths are all different.
    init(_ entries: [(path: [UInt8], value: Int)]) {
        let sorted = entries.sorted { $0.path.lexicographicallyPrecedes($1.path) }
        var bytes: [UInt8] = []
        var starts = [0]
        var parents: [Int] = []
        for (index, entry) in sorted.enumerated() {
            var parent = index - 1
            while parent >= 0, !entry.path.starts(with: sorted[parent].path) { parent = parents[parent] }
            parents.append(parent)
            bytes += entry.path
            starts.append(bytes.count)
        }
        self.bytes = bytes
        self.starts = starts
        self.parents = parents
        values = sorted.map(\.value)
        lengths = sorted.reduce(0) { $0 | 1 << UInt64(min($1.path.count, 63)) }
    }

    var isEmpty: Bool { values.isEmpty }

    /// The value of `path` itself.
    func value(_ path: UnsafeRawBufferPointer) -> Int? {
        guard lengths & (1 << UInt64(min(path.count, 63))) != 0 else { return nil }
        return bytes.withUnsafeBytes { all in
            let last = predecessor(path, all)
            guard last >= 0, starts[last + 1] - starts[last] == path.count, isPrefix(last, of: path, all) else {
                return nil
            }
            return values[last]
        }
    }

    /// The value of the longest path that `path` starts with.
    func longestPrefix(_ path: UnsafeRawBufferPointer) -> Int? {
        bytes.withUnsafeBytes { all in
            var index = predecessor(path, all)
            while index >= 0, !isPrefix(index, of: path, all) { index = parents[index] }
            return index >= 0 ? values[index] : nil
        }
    }

    /// The last path that is not behind `path` in the order; -1 without one.
    private func predecessor(_ path: UnsafeRawBufferPointer, _ all: UnsafeRawBufferPointer) -> Int {
        var low = 0
        var high = values.count
        while low < high {
            let middle = (low + high) >> 1
            if isOrdered(middle, path, all) { low = middle + 1 } else { high = middle }
        }
        return low - 1
    }

    @inline(__always)
    private func isOrdered(_ index: Int, _ path: UnsafeRawBufferPointer, _ all: UnsafeRawBufferPointer) -> Bool {
        let start = starts[index]
        let count = starts[index + 1] - start
        let order = Self.compare(all, start, path, min(count, path.count))
        return order < 0 || (order == 0 && count <= path.count)
    }

    @inline(__always)
    private func isPrefix(_ index: Int, of path: UnsafeRawBufferPointer, _ all: UnsafeRawBufferPointer) -> Bool {
        let start = starts[index]
        let count = starts[index + 1] - start
        return count <= path.count && Self.compare(all, start, path, count) == 0
    }

    @inline(__always)
    private static func compare(
        _ all: UnsafeRawBufferPointer, _ start: Int, _ path: UnsafeRawBufferPointer, _ count: Int
    ) -> Int32 {
        guard count > 0, let base = all.baseAddress, let other = path.baseAddress else { return 0 }
        // Short paths differ in their first bytes, or are over with them.
        let first = Int32(all[start]) - Int32(path[0])
        if first != 0 || count == 1 { return first }
        return memcmp(base + start, other, count)
    }
}
