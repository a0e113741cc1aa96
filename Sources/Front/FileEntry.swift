import HTTP
import NIOCore
import Platform

/// A file as the cache of an event loop knows it.
final class FileEntry {
    /// The file set and the path it was asked for by.
    let set: Int
    let path: [UInt8]
    let hash: UInt64
    /// What it was on disk; nil for embedded files, which never change.
    let identity: FileIdentity?
    let precompressedIdentity: FileIdentity?
    let plain: Representation
    /// The `.gz` beside it, or what was made of it here.
    var compressed: Representation?
    /// Whether ``compressed`` may be made.
    let isCompressible: Bool
    /// When it was last compared with the disk.
    var checked: NIODeadline
    /// The cache's clock when it was last asked for.
    var used: UInt64 = 0

    init(
        set: Int, path: [UInt8], hash: UInt64, identity: FileIdentity?, precompressedIdentity: FileIdentity?,
        plain: Representation, compressed: Representation?, isCompressible: Bool, checked: NIODeadline
    ) {
        self.set = set
        self.path = path
        self.hash = hash
        self.identity = identity
        self.precompressedIdentity = precompressedIdentity
        self.plain = plain
        self.compressed = compressed
        self.isCompressible = isCompressible
        self.checked = checked
    }

    /// What it costs to keep, in bytes: what is in memory, and something for the rest.
    var cost: Int { Self.cost(plain) + (compressed.map(Self.cost) ?? 0) + path.count + 1024 }

    private static func cost(_ representation: Representation) -> Int {
        if case .memory = representation.body { representation.count } else { 0 }
    }

    var openFiles: Int { Self.isOpen(plain) + (compressed.map(Self.isOpen) ?? 0) }

    private static func isOpen(_ representation: Representation) -> Int {
        if case .file = representation.body { 1 } else { 0 }
    }
}
