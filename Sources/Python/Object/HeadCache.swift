import CPython
import Glibc
import HTTP

/// Which objects a gateway's heads are made of, and what they come to.
protocol HeadKind {
    /// What the status is told apart by.
    associatedtype StatusKey: HeadStatusKey
    associatedtype Head
    /// The type of names and values.
    static var textType: OpaquePointer { get }
    /// The bytes of an object of exactly that type, valid as long as it lives; nil when it has none.
    static func bytes(_ text: OpaquePointer) -> UnsafeRawBufferPointer?
}

protocol HeadStatusKey: Equatable {
    /// To be kept, or no longer.
    func retain()
    func release()
}

extension Int: HeadStatusKey {
    func retain() {}
    func release() {}
}

/// The heads that an application gives again and again, with what they come to. Most are made of the same few values; many
/// of literals, and then status and pairs are the very same objects, which is seen by looking at their addresses.
///
/// Used inside the interpreter only, under its lock; a build without one does without.
final class HeadCache<Kind: HeadKind> {
    private struct Pair {
        /// A tuple of two immutable objects: owned.
        let object: OpaquePointer
        let name, value: Text
    }

    /// The bytes of an object that is owned elsewhere.
    private struct Text {
        let object: OpaquePointer
        let bytes: UnsafeRawBufferPointer
    }

    private struct Entry {
        /// Retained.
        let status: Kind.StatusKey
        /// Owned, and of a type that is looked at without counting references.
        let pairs: UnsafeMutableBufferPointer<Pair>
        let head: Kind.Head
    }

    private static var capacity: Int { 8 }
    private static var longest: Int { 16 }

    private let isUsed: Bool
    private var entries: [Entry] = []
    private var oldest = 0
    /// The fields of the last heads that were not found: those that come again are worth to be kept.
    private var missed: [Fields] = []
    private var oldestMissed = 0

    init(isUsed: Bool) { self.isUsed = isUsed }

    /// What is known of this `status` with these `headers`.
    @inline(__always)
    func find(_ status: Kind.StatusKey, _ headers: OpaquePointer) -> Kind.Head? {
        guard !entries.isEmpty, Py.isExactly(headers, PyList_Type()) else { return nil }
        let count = PyList_Size(headers)
        for index in entries.indices
        where entries[index].status == status && isSame(entries[index].pairs, headers, count) {
            return entries[index].head
        }
        return nil
    }

    private func isSame(_ pairs: UnsafeMutableBufferPointer<Pair>, _ headers: OpaquePointer, _ count: Int) -> Bool {
        guard pairs.count == count else { return false }
        for index in 0..<count {
            guard let object = PyList_GetItem(headers, index) else { return false }
            let pair = pairs[index]
            guard object == pair.object || isSame(pair, object) else { return false }
        }
        return true
    }

    private func isSame(_ pair: Pair, _ object: OpaquePointer) -> Bool {
        guard Py.isExactly(object, PyTuple_Type()), PyTuple_Size(object) == 2, let name = PyTuple_GetItem(object, 0),
            let value = PyTuple_GetItem(object, 1)
        else { return false }
        return isSame(pair.value, value) && isSame(pair.name, name)
    }

    private func isSame(_ text: Text, _ object: OpaquePointer) -> Bool {
        if text.object == object { return true }
        guard Py.isExactly(object, Kind.textType), let bytes = Kind.bytes(object), bytes.count == text.bytes.count,
            let start = bytes.baseAddress, let known = text.bytes.baseAddress
        else { return false }
        return memcmp(start, known, bytes.count) == 0
    }

    /// Remembers what was not found, and came to `head` with `fields`, once it has come twice.
    func note(_ status: Kind.StatusKey, _ headers: OpaquePointer, _ fields: Fields, _ head: Kind.Head) {
        guard isUsed, Py.isExactly(headers, PyList_Type()), 1...Self.longest ~= PyList_Size(headers) else { return }
        guard missed.contains(fields) else {
            guard missed.count == Self.capacity else { return missed.append(fields) }
            missed[oldestMissed] = fields
            oldestMissed = (oldestMissed + 1) % Self.capacity
            return
        }
        if let pairs = pairs(headers) { keep(Entry(status: status, pairs: pairs, head: head)) }
    }

    /// Nil when one of them could change, or is read in another way than by its bytes.
    private func pairs(_ headers: OpaquePointer) -> UnsafeMutableBufferPointer<Pair>? {
        var pairs: [Pair] = []
        for index in 0..<PyList_Size(headers) {
            guard let object = PyList_GetItem(headers, index), Py.isExactly(object, PyTuple_Type()),
                PyTuple_Size(object) == 2, let name = PyTuple_GetItem(object, 0).flatMap(text),
                let value = PyTuple_GetItem(object, 1).flatMap(text)
            else { return nil }
            pairs.append(Pair(object: object, name: name, value: value))
        }
        for pair in pairs { Py_IncRef(pair.object) }
        let kept = UnsafeMutableBufferPointer<Pair>.allocate(capacity: pairs.count)
        _ = kept.initialize(from: pairs)
        return kept
    }

    private func text(_ object: OpaquePointer) -> Text? {
        guard Py.isExactly(object, Kind.textType), let bytes = Kind.bytes(object) else { return nil }
        return Text(object: object, bytes: bytes)
    }

    /// In place of the oldest.
    private func keep(_ entry: Entry) {
        entry.status.retain()
        guard entries.count == Self.capacity else { return entries.append(entry) }
        let gone = entries[oldest]
        entries[oldest] = entry
        oldest = (oldest + 1) % Self.capacity
        gone.status.release()
        for pair in gone.pairs { Py_DecRef(pair.object) }
        gone.pairs.deallocate()
    }
}
