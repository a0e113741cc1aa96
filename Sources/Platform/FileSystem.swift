import CPlatform
import Glibc

/// What kind of file system something is on.
public enum FileSystem: Equatable, Sendable {
    /// On a disk of this machine, as far as can be told.
    case local
    /// On another machine, by its name: `NFS`.
    case network(String)
    /// In memory: gone with the machine.
    case memory
    /// The upper layer of a container: gone with the container.
    case overlay

    /// That of a path; of its nearest directory that exists when it does not. Nil when that cannot be found out.
    public static func kind(of path: String) -> FileSystem? {
        var path = path
        while true {
            let magic = cplatform_file_system(path)
            if magic >= 0 { return FileSystem(magic: UInt32(truncatingIfNeeded: magic)) }
            guard magic == -Int64(ENOENT), path != "/", let slash = path.lastIndex(of: "/") else { return nil }
            path = slash == path.startIndex ? "/" : String(path[..<slash])
        }
    }

    /// By the number that statfs(2) gives.
    init(magic: UInt32) {
        self =
            switch magic {
            case 0x6969: .network("NFS")
            case 0xFF53_4D42, 0xFE53_4D42, 0x517B: .network("SMB")
            case 0x6573_5546: .network("FUSE")
            case 0x0102_1997: .network("9p")
            case 0x00C3_6400: .network("Ceph")
            case 0x0BD0_0BD0: .network("Lustre")
            case 0x0116_1970: .network("GFS2")
            case 0x7461_636F: .network("OCFS2")
            case 0x5346_414F: .network("AFS")
            case 0x4750_4653: .network("GPFS")
            case 0x0102_1994, 0x8584_58F6: .memory
            case 0x794C_7630: .overlay
            default: .local
            }
    }

    /// Whether the file system of a path is mounted so that nothing can be written to it.
    public static func isReadOnly(_ path: String) -> Bool {
        var found = statvfs()
        return statvfs(path, &found) == 0 && found.f_flag & UInt(ST_RDONLY) != 0
    }
}
