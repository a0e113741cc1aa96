#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Paths in order, for finding one, or the longest that a path starts with, without allocating.
///
/// Sorted by bytes; each path knows the longest other one it starts with. The longest prefix of a path is then its
/// predecessor in the order, or one of that one's ancestors.
struct PathIndex: Sendable {
    private var bytes: [UInt8] = []
    /// Where each path starts in `bytes`, with the end of the last.
    private var starts: [Int] = [0]
    private var parents: [Int] = []
    private var values: [Int] = []

    /// An index of `entries`, whose paths are all different.
    init(_ entries: [(path: [UInt8], value: Int)]) {
        let sorted = entries.sorted { $0.path.lexicographicallyPrecedes($1.path) }
        for (index, entry) in sorted.enumerated() {
            var parent = index - 1
            while parent >= 0, !entry.path.starts(with: sorted[parent].path) { parent = parents[parent] }
            parents.append(parent)
            bytes += entry.path
            starts.append(bytes.count)
            values.append(entry.value)
        }
    }

    var isEmpty: Bool { values.isEmpty }

    /// The value of `path` itself.
    func value(_ path: UnsafeRawBufferPointer) -> Int? {
        let last = predecessor(path)
        guard last >= 0, starts[last + 1] - starts[last] == path.count, isPrefix(last, of: path) else { return nil }
        return values[last]
    }

    /// The value of the longest path that `path` starts with.
    func longestPrefix(_ path: UnsafeRawBufferPointer) -> Int? {
        var index = predecessor(path)
        while index >= 0, !isPrefix(index, of: path) { index = parents[index] }
        return index >= 0 ? values[index] : nil
    }

    /// The last path that is not behind `path` in the order; -1 without one.
    private func predecessor(_ path: UnsafeRawBufferPointer) -> Int {
        var low = 0
        var high = values.count
        while low < high {
            let middle = (low + high) >> 1
            if isOrdered(middle, path) { low = middle + 1 } else { high = middle }
        }
        return low - 1
    }

    private func isOrdered(_ index: Int, _ path: UnsafeRawBufferPointer) -> Bool {
        let start = starts[index]
        let count = starts[index + 1] - start
        let order = compare(start, path, min(count, path.count))
        return order < 0 || (order == 0 && count <= path.count)
    }

    private func isPrefix(_ index: Int, of path: UnsafeRawBufferPointer) -> Bool {
        let count = starts[index + 1] - starts[index]
        return count <= path.count && compare(starts[index], path, count) == 0
    }

    private func compare(_ start: Int, _ path: UnsafeRawBufferPointer, _ count: Int) -> Int32 {
        guard count > 0, let other = path.baseAddress else { return 0 }
        return bytes.withUnsafeBytes { all in
            guard let base = all.baseAddress else { return 0 }
            return memcmp(base + start, other, count)
        }
    }
}
