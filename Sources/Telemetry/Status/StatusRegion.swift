import Glibc
public import Platform

/// What one worker says about itself, in memory that its supervisor maps as well: it can be read while the worker is
/// stuck, stopped or gone.
///
/// Each loop writes its own part, without locks; the pool's part is written under the pool's lock. Readers never make a
/// writer wait.
public final class StatusRegion: Sendable {
    /// The memory, to be handed on.
    private let file: Descriptor
    let memory: SharedMemory
    let layout: StatusLayout
    public let loops: [LoopStatus]
    public let pool: PoolStatus
    /// What the code of sites counts.
    public let metrics: MetricTable

    /// The memory is not of this version's layout.
    public struct Mismatch: Error, Equatable, CustomStringConvertible {
        public var description: String { "the status memory is of another version" }
    }

    /// Makes memory for a worker with so many event loops.
    public convenience init(loopCount: Int) throws(SystemError) {
        let layout = StatusLayout(loopCount: max(1, loopCount))
        let file = try SharedMemory.makeDescriptor(name: "app-status", count: layout.size)
        self.init(try SharedMemory(mapping: file.rawValue), file, layout)
        word(1).set(UInt64(layout.loopCount))
        word(0).publish(StatusLayout.magic)
    }

    /// Maps the memory that another process made.
    public convenience init(descriptor: consuming Descriptor) throws {
        let memory = try SharedMemory(mapping: descriptor.rawValue)
        guard memory.count >= StatusLayout.headerWords * 8,
            StatusWord(memory.address, 0).acquired == StatusLayout.magic,
            let loopCount = Int(exactly: StatusWord(memory.address, 1).value), (1...4096).contains(loopCount),
            StatusLayout(loopCount: loopCount).size == memory.count
        else { throw Mismatch() }
        self.init(memory, descriptor, StatusLayout(loopCount: loopCount))
    }

    private init(_ memory: SharedMemory, _ file: consuming Descriptor, _ layout: StatusLayout) {
        self.memory = memory
        self.file = file
        self.layout = layout
        loops = (0..<layout.loopCount).map { LoopStatus(memory, at: layout.firstLoop + $0 * layout.loopWords) }
        pool = PoolStatus(memory, at: layout.pool)
        metrics = MetricTable(memory, at: layout.metrics)
    }

    /// One more descriptor of the memory, for a worker.
    public func duplicateDescriptor() throws(SystemError) -> Descriptor { try file.duplicate() }

    func word(_ index: Int) -> StatusWord { StatusWord(memory.address, index) }

    // MARK: What the worker says once

    /// The names of the routes, by their numbers; called once, before the first request.
    public func setRoutes(_ names: [String]) {
        let names = names.prefix(StatusLayout.namedRoutes)
        for (index, name) in names.enumerated() {
            StatusText.write(name, memory.address, layout.routeNames + index * StatusLayout.routeNameWords, words: 15)
        }
        word(8).publish(UInt64(names.count))
    }

    var routeNames: [String] {
        (0..<min(Int(clamping: word(8).acquired), StatusLayout.namedRoutes)).map {
            StatusText.read(memory.address, layout.routeNames + $0 * StatusLayout.routeNameWords, words: 15)
        }
    }

    /// Whether requests are welcome, as the worker sees it; false before it is ready and once it drains.
    public var isReady: Bool {
        get { word(9).acquired == 1 }
        set { word(9).publish(newValue ? 1 : 0) }
    }
}

/// Text in the status memory: its length in bytes, then its bytes.
enum StatusText {
    /// Writes as much of `text` as fits into so many words behind the length.
    static func write(_ text: String, _ memory: UnsafeMutableRawPointer, _ index: Int, words: Int) {
        let bytes = Array(text.utf8.prefix(words * 8))
        write(bytes, memory, index + 1)
        StatusWord(memory, index).set(UInt64(bytes.count))
    }

    /// Writes bytes alone, into whole words.
    static func write(_ bytes: [UInt8], _ memory: UnsafeMutableRawPointer, _ index: Int) {
        var bytes = bytes
        while bytes.count % 8 != 0 { bytes.append(0) }
        bytes.withUnsafeBytes { raw in
            for word in 0..<raw.count / 8 {
                StatusWord(memory, index + word).set(raw.loadUnaligned(fromByteOffset: word * 8, as: UInt64.self))
            }
        }
    }

    static func read(_ memory: UnsafeMutableRawPointer, _ index: Int, words: Int) -> String {
        let count = min(Int(clamping: StatusWord(memory, index).value), words * 8)
        return bytes(memory, index + 1, count: count)
    }

    static func bytes(_ memory: UnsafeMutableRawPointer, _ index: Int, count: Int) -> String {
        var bytes: [UInt8] = []
        for word in 0..<(count + 7) / 8 {
            withUnsafeBytes(of: StatusWord(memory, index + word).value) { bytes.append(contentsOf: $0) }
        }
        return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
}
