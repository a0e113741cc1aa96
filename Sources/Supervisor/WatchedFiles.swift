import Glibc
import Platform

/// Files whose change asks for a reload: touched, written, or replaced by another of the name, also by way of a link.
///
/// What the kernel reports only says when to look; what counts is whether the file is another one than before or has another
/// time. A change is told once the file has been left alone for a moment, so that nobody reads half of it.
public final class WatchedFiles {
    /// What tells one state of a file from another.
    private struct Mark: Equatable {
        let device: UInt64
        let inode: UInt64
        let size: Int64
        let seconds: Int
        let nanoseconds: Int

        init?(_ path: String) {
            var found = stat()
            guard stat(path, &found) == 0 else { return nil }
            device = UInt64(found.st_dev)
            inode = UInt64(found.st_ino)
            size = Int64(found.st_size)
            seconds = found.st_mtim.tv_sec
            nanoseconds = found.st_mtim.tv_nsec
        }
    }

    private struct Entry {
        let path: String
        var mark: Mark?
        /// When the change may be told.
        var settledAt: MonotonicTime?
    }

    static let settling = Duration.milliseconds(200)

    private let events: FileEvents
    private var entries: [Entry] = []
    private var watches: Set<FileEvents.Watch> = []

    public init() throws(SystemError) {
        events = try FileEvents()
    }

    /// Readable when it is worth looking.
    public var descriptor: Int32 { events.descriptor }

    /// When a change that was seen can be told.
    public var nextDeadline: MonotonicTime? { entries.compactMap(\.settledAt).min() }

    /// Watches these files from now on; what is known of those that were watched before is kept.
    public func watch(_ paths: [String]) throws(SystemError) {
        let known = Dictionary(entries.map { ($0.path, $0) }, uniquingKeysWith: { first, _ in first })
        var seen: Set<String> = []
        entries = paths.filter { seen.insert($0).inserted }
            .map { known[$0] ?? Entry(path: $0, mark: Mark($0), settledAt: nil) }
        try arm()
    }

    /// The files that changed and have come to rest.
    public func take(_ now: MonotonicTime) -> [String] {
        if !events.take().isEmpty {
            for index in entries.indices {
                let mark = Mark(entries[index].path)
                guard mark != entries[index].mark else { continue }
                entries[index].mark = mark
                // One that is gone is no touch; one that comes back is.
                entries[index].settledAt = mark == nil ? nil : now + Self.settling
            }
            // Directories may have come, gone, or been replaced.
            try? arm()
        }
        var settled: [String] = []
        for index in entries.indices {
            guard let due = entries[index].settledAt, due <= now else { continue }
            entries[index].settledAt = nil
            settled.append(entries[index].path)
        }
        return settled
    }

    /// Watches the directory of each file and of what it is a link to, or the nearest there is above.
    private func arm() throws(SystemError) {
        var wanted: Set<FileEvents.Watch> = []
        for entry in entries {
            for path in [entry.path, Self.resolved(entry.path)].compactMap(\.self) {
                var directory = Self.parent(of: path)
                while true {
                    do {
                        wanted.insert(try events.watch(directory))
                        break
                    } catch {
                        guard error.code == ENOENT || error.code == ENOTDIR || error.code == EACCES, directory != "/"
                        else { throw error }
                        directory = Self.parent(of: directory)
                    }
                }
            }
        }
        for unused in watches.subtracting(wanted) { events.forget(unused) }
        watches = wanted
    }

    private static func resolved(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private static func parent(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return "/" }
        return String(path[..<slash])
    }
}
