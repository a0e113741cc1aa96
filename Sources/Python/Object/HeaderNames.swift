import CPython
import Glibc

/// The header names a site has seen, with the Python object that each becomes, and the last value of each with its object:
/// one client sends the same fields again and again. Bounded, so that made-up names cost nothing but themselves.
///
/// Used inside the interpreter only, whose lock guards it; a build without one has a table for each thread.
final class HeaderNames {
    /// What a field is turned into.
    struct Entry {
        fileprivate var hash: UInt32 = 0
        fileprivate var name: UnsafeMutableRawBufferPointer?
        fileprivate var value: UnsafeMutableRawBufferPointer?
        fileprivate var valueCount = 0
        /// The object for the name; nil when the field is not to be shown.
        fileprivate(set) var key: OpaquePointer?
        /// The object for the last value.
        fileprivate(set) var item: OpaquePointer?
        /// The request this name was last seen in.
        var request: UInt64 = 0
    }

    private static let capacity = 512
    private static let limit = 256
    private static let longestValue = 256

    private let entries: UnsafeMutableBufferPointer<Entry>
    private var count = 0
    private let makeKey: ([UInt8]) -> OpaquePointer?

    /// `makeKey` is given a name in lower case and makes its object; nil hides the field.
    init(makeKey: @escaping ([UInt8]) -> OpaquePointer?) {
        self.makeKey = makeKey
        entries = .allocate(capacity: Self.capacity)
        entries.initialize(repeating: Entry())
    }

    deinit {
        for entry in entries {
            entry.name?.deallocate()
            entry.value?.deallocate()
        }
        entries.deallocate()
    }

    /// Calls `body` with the entry of the field `name`; one made for the occasion when the table is full.
    @inline(__always)
    func with<T>(_ name: UnsafeRawBufferPointer, _ body: (inout Entry) throws -> T) rethrows -> T {
        var hash: UInt32 = 2_166_136_261
        for byte in name { hash = (hash ^ UInt32(Self.lower(byte))) &* 16_777_619 }
        var index = Int(hash) & (Self.capacity - 1)
        while let known = entries[index].name {
            if entries[index].hash == hash, Self.isSame(known, name) { return try body(&entries[index]) }
            index = (index + 1) & (Self.capacity - 1)
        }
        let lowered = name.map(Self.lower)
        guard count < Self.limit else {
            var passing = Entry()
            passing.key = makeKey(lowered)
            defer {
                Py_DecRef(passing.key)
                Py_DecRef(passing.item)
                passing.value?.deallocate()
            }
            return try body(&passing)
        }
        count += 1
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, lowered.count), alignment: 1)
        copy.copyBytes(from: lowered)
        entries[index].hash = hash
        entries[index].name = UnsafeMutableRawBufferPointer(rebasing: copy[..<lowered.count])
        entries[index].key = makeKey(lowered)
        return try body(&entries[index])
    }

    /// The object for a value of this field: the last one when the bytes are the same, else what `make` makes of them.
    /// Borrowed from the entry until it is used again; nil with an exception set.
    @inline(__always)
    static func item(
        _ entry: inout Entry, _ value: UnsafeRawBufferPointer, _ make: (UnsafeRawBufferPointer) -> OpaquePointer?
    ) -> OpaquePointer? {
        if let item = entry.item, entry.valueCount == value.count, let base = entry.value?.baseAddress,
            value.baseAddress.map({ memcmp(base, $0, value.count) == 0 }) ?? true
        {
            return item
        }
        guard let item = make(value) else { return nil }
        Py_DecRef(entry.item)
        entry.item = item
        remember(&entry, value)
        return item
    }

    private static func remember(_ entry: inout Entry, _ value: UnsafeRawBufferPointer) {
        // A value too long to compare cheaply is never found again.
        guard value.count <= longestValue else {
            entry.valueCount = -1
            return
        }
        let room = entry.value ?? .allocate(byteCount: longestValue, alignment: 1)
        room.copyMemory(from: value)
        entry.value = room
        entry.valueCount = value.count
    }

    @inline(__always)
    private static func lower(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    @inline(__always)
    private static func isSame(_ known: UnsafeMutableRawBufferPointer, _ name: UnsafeRawBufferPointer) -> Bool {
        guard known.count == name.count else { return false }
        for index in 0..<name.count where known[index] != lower(name[index]) { return false }
        return true
    }
}
