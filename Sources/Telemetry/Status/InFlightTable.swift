import Platform
import Synchronization

/// The requests one event loop is answering now: when each began, what it is, and by which route.
///
/// Written by the loop alone. An entry is valid while its time is not zero; its version, which changes with every use, tells
/// a reader that what it read is of one request. Of the target only the path is kept: never the query, a field, or the body.
public final class InFlightTable: @unchecked Sendable {
    // Sendable: the words are atomic; the list of free entries is touched by the loop alone.

    private let memory: SharedMemory
    private let start: Int
    private let free: UnsafeMutablePointer<UInt16>
    private var freeCount = StatusLayout.inFlightCapacity
    private var highest = 0

    private static let textWords = 10
    /// Of a path, so many bytes are kept.
    public static let pathLimit = textWords * 8
    /// No entry: the table was full.
    public static let none: Int32 = -1

    private enum Word: Int { case version, began, facts, id, method, spare, text }

    init(_ memory: SharedMemory, at start: Int) {
        self.memory = memory
        self.start = start
        free = .allocate(capacity: StatusLayout.inFlightCapacity)
        // The entry that was freed last is used next: it is in the cache, and memory beyond the busiest moment stays
        // untouched.
        for index in 0..<StatusLayout.inFlightCapacity {
            free[index] = UInt16(StatusLayout.inFlightCapacity - 1 - index)
        }
    }

    deinit { free.deallocate() }

    @inline(__always)
    private func entry(_ index: Int) -> StatusWord {
        StatusWord(memory.address, start + index * StatusLayout.inFlightWords)
    }

    /// Lists a request. `method` is its name, packed by ``pack(_:)``; `path` has no query. The result is to be given to
    /// ``remove(_:)``.
    public func insert(
        began: UInt64, route: Int, id: UInt64, method: UInt64, path: UnsafeRawBufferPointer
    ) -> Int32 {
        guard freeCount > 0 else { return Self.none }
        freeCount -= 1
        let index = Int(free[freeCount])
        let entry = entry(index)
        if index > highest { highest = index }
        entry.set(entry.value &+ 1)
        atomicMemoryFence(ordering: .releasing)
        let count = min(path.count, Self.pathLimit)
        entry.advanced(by: Word.facts.rawValue).set(
            UInt64(truncatingIfNeeded: route) & 0xFFFF | UInt64(count) << 16
                | (path.count > Self.pathLimit ? 1 << 32 : 0))
        entry.advanced(by: Word.id.rawValue).set(id)
        entry.advanced(by: Word.method.rawValue).set(method)
        var offset = 0
        while offset + 8 <= count {
            entry.advanced(by: Word.text.rawValue + offset >> 3).set(
                path.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
            offset += 8
        }
        if offset < count {
            var rest: UInt64 = 0
            var shift: UInt64 = 0
            while offset < count {
                rest |= UInt64(path[offset]) << shift
                shift += 8
                offset += 1
            }
            entry.advanced(by: Word.text.rawValue + (count - 1) >> 3).set(rest.littleEndian)
        }
        entry.advanced(by: Word.began.rawValue).publish(began)
        return Int32(truncatingIfNeeded: index)
    }

    /// The request has ended.
    public func remove(_ index: Int32) {
        guard index >= 0 else { return }
        entry(Int(index)).advanced(by: Word.began.rawValue).publish(0)
        free[freeCount] = UInt16(truncatingIfNeeded: index)
        freeCount += 1
    }

    /// The first eight bytes of a method's name.
    public static func pack(_ method: String) -> UInt64 {
        method.utf8.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    }

    /// What is listed now. `names` are those of the routes.
    func snapshot(routeNames names: [String]) -> [InFlightRequest] {
        var requests: [InFlightRequest] = []
        for index in 0..<StatusLayout.inFlightCapacity {
            let entry = entry(index)
            let version = entry.acquired
            // Entries are taken into use in order: after one that never was there are none.
            guard version > 0 else { break }
            let began = entry.advanced(by: Word.began.rawValue).acquired
            guard began > 0 else { continue }
            let facts = entry.advanced(by: Word.facts.rawValue).value
            let count = min(Int(facts >> 16 & 0xFFFF), Self.pathLimit)
            let route = Int(facts & 0xFFFF)
            let method = entry.advanced(by: Word.method.rawValue).value
            let id = entry.advanced(by: Word.id.rawValue).value
            let path = StatusText.bytes(
                memory.address, start + index * StatusLayout.inFlightWords + Word.text.rawValue, count: count)
            atomicMemoryFence(ordering: .acquiring)
            guard entry.value == version else { continue }
            requests.append(
                InFlightRequest(
                    began: began, route: names.indices.contains(route) ? names[route] : RouteSnapshot.unmatched,
                    method: Self.unpack(method), path: path + (facts >> 32 & 1 == 1 ? "…" : ""), id: id))
        }
        return requests
    }

    private static func unpack(_ method: UInt64) -> String {
        withUnsafeBytes(of: method.littleEndian) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
