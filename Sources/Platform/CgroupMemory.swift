/// What of a limit on memory is in use, in bytes.
public struct MemoryUsage: Equatable, Sendable {
    public let used: Int
    public let limit: Int

    public init(used: Int, limit: Int) {
        self.used = used
        self.limit = limit
    }

    /// From 0 to 1, where the kernel ends somebody.
    public var share: Double { limit > 0 ? Double(used) / Double(limit) : 1 }
}

/// The limit on memory of the cgroup this process is in, or of an ancestor.
public struct CgroupMemory: Sendable {
    private let folders: CgroupFolders
    private let limited: [CgroupFolders.Folder]

    /// Nil without a limit. `root` is put before every path that is read (tests have a directory that looks like a machine).
    public init?(root: String = "") {
        let folders = CgroupFolders(controller: "memory", root: root)
        self.folders = folders
        limited = folders.all.filter { Self.limit(folders, $0) != nil }
        if limited.isEmpty { return nil }
    }

    /// The lowest of the limits; nil when the files have gone.
    public var limit: Int? { limited.compactMap { Self.limit(folders, $0) }.min() }

    /// The usage that is nearest its limit now; nil when the files have gone.
    ///
    /// Pages of files that nobody uses do not count: the kernel takes them back before it ends a process.
    public func usage() -> MemoryUsage? {
        limited.compactMap { folder -> MemoryUsage? in
            guard let limit = Self.limit(folders, folder),
                let current = Self.number(
                    folders.lines(folder.isV2 ? "memory.current" : "memory.usage_in_bytes", in: folder).first)
            else { return nil }
            let name = folder.isV2 ? "inactive_file " : "total_inactive_file "
            let line = folders.lines("memory.stat", in: folder).first { $0.hasPrefix(name) }
            let reclaimable = Self.number(line?.dropFirst(name.count)) ?? 0
            return MemoryUsage(used: max(0, current - reclaimable), limit: limit)
        }.max { $0.share < $1.share }
    }

    private static func limit(_ folders: CgroupFolders, _ folder: CgroupFolders.Folder) -> Int? {
        let file = folder.isV2 ? "memory.max" : "memory.limit_in_bytes"
        guard let limit = number(folders.lines(file, in: folder).first) else { return nil }
        // Version 1 has no word for "no limit", but a number that no machine has.
        return limit < 1 << 60 ? limit : nil
    }

    private static func number(_ text: (some StringProtocol)?) -> Int? {
        text?.split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) }
    }
}
