import Glibc

/// What tells one state of a file from another without reading it.
struct FileSignature: Equatable, Sendable {
    let seconds: Int
    let nanoseconds: Int
    let size: Int
    let inode: UInt

    init(_ status: stat) {
        seconds = status.st_mtim.tv_sec
        nanoseconds = status.st_mtim.tv_nsec
        size = Int(status.st_size)
        inode = UInt(status.st_ino)
    }
}

/// An entry of a directory, as far as a watcher wants to know it. Links count as what they lead to, except that a link to
/// a directory is not followed: it may lead back.
enum DirectoryEntry: Equatable, Sendable {
    case file(FileSignature)
    case directory

    /// The entries of the directory at `path`; nil when it cannot be read.
    static func list(_ path: String) -> [String: DirectoryEntry]? {
        guard let stream = opendir(path) else { return nil }
        defer { closedir(stream) }
        var result: [String: DirectoryEntry] = [:]
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name == "." || name == ".." { continue }
            var status = stat()
            guard fstatat(dirfd(stream), name, &status, 0) == 0 else { continue }
            switch status.st_mode & S_IFMT {
            case S_IFREG: result[name] = .file(FileSignature(status))
            case S_IFDIR where Int32(entry.pointee.d_type) != Int32(DT_LNK): result[name] = .directory
            default: continue
            }
        }
        return result
    }
}
