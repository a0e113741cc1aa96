import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The files an event loop served lately: small ones in memory, large ones open.
///
/// Bounded in bytes, entries and descriptors; the one used longest ago goes first. Only files that exist are kept, so
/// that nobody fills it with names. Confined to its event loop.
final class FileCache {
    private var buckets: [[FileEntry]]
    private var count = 0
    private var bytes = 0
    private var openFiles = 0
    private var clock: UInt64 = 0
    private let limits: FileCacheLimits

    init(_ limits: FileCacheLimits) {
        self.limits = limits
        var size = 16
        while size < limits.entries { size *= 2 }
        buckets = Array(repeating: [], count: min(size, 65_536))
    }

    /// The hash of a key: FNV-1a over words, as only what exists is stored nobody gains by collisions.
    static func hash(_ set: Int, _ path: UnsafeRawBufferPointer) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ UInt64(truncatingIfNeeded: set)
        var offset = 0
        while offset + 8 <= path.count {
            hash = (hash ^ path.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 29
            offset += 8
        }
        while offset < path.count {
            hash = (hash ^ UInt64(path[offset])) &* 0x0000_0100_0000_01B3
            offset += 1
        }
        return hash ^ (hash >> 32)
    }

    /// The entry for `path` of file set `set`.
    func entry(_ set: Int, _ path: UnsafeRawBufferPointer, hash: UInt64) -> FileEntry? {
        for entry in buckets[bucket(hash)] where entry.hash == hash && entry.set == set {
            let isSame = entry.path.withUnsafeBytes { own in
                guard own.count == path.count, let mine = own.baseAddress, let other = path.baseAddress else {
                    return own.count == path.count
                }
                return memcmp(mine, other, own.count) == 0
            }
            if isSame {
                clock &+= 1
                entry.used = clock
                return entry
            }
        }
        return nil
    }

    /// Keeps `entry`, if it fits at all.
    func insert(_ entry: FileEntry) {
        guard limits.entries > 0, entry.cost <= limits.bytes, entry.openFiles <= limits.openFiles else { return }
        clock &+= 1
        entry.used = clock
        buckets[bucket(entry.hash)].append(entry)
        count += 1
        bytes += entry.cost
        openFiles += entry.openFiles
        shrink(except: entry)
    }

    /// Drops `entry`.
    func remove(_ entry: FileEntry) {
        let index = bucket(entry.hash)
        guard let position = buckets[index].firstIndex(where: { $0 === entry }) else { return }
        buckets[index].remove(at: position)
        count -= 1
        bytes -= entry.cost
        openFiles -= entry.openFiles
    }

    /// Puts the compressed form into an entry that may be in the cache.
    func keep(_ compressed: Representation, in entry: FileEntry) {
        let isCached = buckets[bucket(entry.hash)].contains { $0 === entry }
        let before = entry.cost
        entry.compressed = compressed
        guard isCached else { return }
        bytes += entry.cost - before
        shrink(except: entry)
    }

    /// Closes every file kept open, when descriptors ran out. Whether there was one.
    func closeFiles() -> Bool {
        let open = buckets.joined().filter { $0.openFiles > 0 }
        open.forEach(remove)
        return !open.isEmpty
    }

    private func bucket(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (buckets.count - 1) }

    private func shrink(except newest: FileEntry) {
        while count > limits.entries || bytes > limits.bytes || openFiles > limits.openFiles {
            let needsFile = count <= limits.entries && bytes <= limits.bytes
            let candidates = buckets.joined().lazy.filter { $0 !== newest && (!needsFile || $0.openFiles > 0) }
            guard let oldest = candidates.min(by: { $0.used < $1.used }) else { return }
            remove(oldest)
        }
    }
}

/// How much each event loop keeps of the files it serves.
public struct FileCacheLimits: Sendable, Equatable {
    /// Files kept at most; 0 switches the cache off.
    public var entries: Int
    /// Bytes kept in memory at most, all files together.
    public var bytes: Int
    /// The largest file kept in memory, in bytes; larger ones are sent by the kernel (sendfile).
    public var fileSize: Int
    /// The largest file whose compressed form is made once and kept, in bytes. Making it holds up the event loop: about
    /// 25 ms a MiB. Larger files are compressed each time, in slices.
    public var compressedFileSize: Int
    /// Large files kept open at most.
    public var openFiles: Int
    /// How long a file is served before the disk is asked whether it changed.
    public var recheck: Duration

    /// Limits that suit a worker of some tens of MiB.
    public init(
        entries: Int = 1024, bytes: Int = 16 << 20, fileSize: Int = 64 << 10,
        compressedFileSize: Int = 256 << 10, openFiles: Int = 64,
        recheck: Duration = .seconds(1)
    ) {
        self.entries = entries
        self.bytes = bytes
        self.fileSize = fileSize
        self.compressedFileSize = compressedFileSize
        self.openFiles = openFiles
        self.recheck = recheck
    }
}
