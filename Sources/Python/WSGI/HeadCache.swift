import CPython
import Gateway

/// The heads that an application gives again and again. Most are made of literals: then status and pairs are the same
/// objects each time, which cannot change, and what they come to is known by looking at their addresses.
///
/// Used inside the interpreter only, under its lock; a build without one does without.
final class HeadCache {
    private struct Entry {
        let status: OpaquePointer
        let pairs: [OpaquePointer]
        let head: WSGIResponseHead
    }

    private static let capacity = 8
    private static let longest = 16

    private var entries: [Entry] = []
    private var next = 0
    /// The first pair of the last head that was not found: one that comes twice is worth to be kept. Not a reference.
    private var candidate: OpaquePointer?
    private let isUsed: Bool

    init(isUsed: Bool) { self.isUsed = isUsed }

    /// Status and headers of `start_response`, checked; nil with an exception set.
    func head(_ status: OpaquePointer, _ headers: OpaquePointer) -> WSGIResponseHead? {
        guard isUsed, Py.isExactly(headers, PyList_Type()) else { return WSGIHead.head(status, headers) }
        let count = PyList_Size(headers)
        for entry in entries where entry.status == status && isSame(entry.pairs, headers, count) { return entry.head }
        guard let head = WSGIHead.head(status, headers) else { return nil }
        guard count > 0, count <= Self.longest, let first = PyList_GetItem(headers, 0) else { return head }
        if first == candidate { keep(Entry(status: status, pairs: pairs(headers, count), head: head)) }
        candidate = first
        return head
    }

    private func isSame(_ pairs: [OpaquePointer], _ headers: OpaquePointer, _ count: Int) -> Bool {
        guard pairs.count == count else { return false }
        for index in 0..<count where PyList_GetItem(headers, index) != pairs[index] { return false }
        return true
    }

    private func pairs(_ headers: OpaquePointer, _ count: Int) -> [OpaquePointer] {
        (0..<count).compactMap { PyList_GetItem(headers, $0) }
    }

    /// Remembers `entry`, whose objects live on in it, in place of the oldest.
    private func keep(_ entry: Entry) {
        for object in [entry.status] + entry.pairs { Py_IncRef(object) }
        guard entries.count == Self.capacity else { return entries.append(entry) }
        let oldest = entries[next]
        entries[next] = entry
        next = (next + 1) % Self.capacity
        for object in [oldest.status] + oldest.pairs { Py_DecRef(object) }
    }
}
