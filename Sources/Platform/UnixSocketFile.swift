import Glibc

/// The file of a Unix socket that this process bound: which one it was, so that never another's is removed.
public struct UnixSocketFile: Sendable {
    public let path: String
    public let device: UInt64
    public let inode: UInt64
    private let owner: Int32

    /// One that this process bound when it ran another program.
    public init(path: String, device: UInt64, inode: UInt64) {
        self.path = path
        self.device = device
        self.inode = inode
        owner = getpid()
    }

    /// Remembers the file that was just bound; nil when it is gone already.
    init?(path: String) {
        guard let found = UnixSocketFile.status(path) else { return nil }
        self.path = path
        device = UInt64(found.st_dev)
        inode = UInt64(found.st_ino)
        owner = getpid()
    }

    func removeIfOurs() {
        guard owner == getpid(), let found = UnixSocketFile.status(path), UInt64(found.st_dev) == device,
            UInt64(found.st_ino) == inode
        else { return }
        unlink(path)
    }

    static func status(_ path: String) -> stat? {
        var found = stat()
        return lstat(path, &found) == 0 ? found : nil
    }

    static func isSocket(_ status: stat) -> Bool { status.st_mode & S_IFMT == S_IFSOCK }
}
