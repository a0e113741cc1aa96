#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Opens a path below a directory one component at a time, for kernels without openat2: the same rules as
/// RESOLVE_BENEATH, kept by never letting the kernel follow a link or a `..`.
struct ConfinedWalk {
    let root: Int32
    let links: ConfinedDirectory.Links

    /// Opens `name`, NUL-terminated and relative.
    func open(_ name: [CChar]) throws(ConfinedDirectory.Failure) -> Int32 {
        var pending = Self.components(name[...].dropLast())
        var directories: [Int32] = []
        defer { for directory in directories { close(directory) } }
        var linksLeft = 40
        while let component = pending.popLast() {
            let here = directories.last ?? root
            if component == [CChar(0x2E)] { continue }
            if component == [CChar(0x2E), CChar(0x2E)] {
                guard let left = directories.popLast() else { throw .forbidden }
                close(left)
                continue
            }
            let terminated = component + [0]
            let step = openat(here, terminated, ConfinedDirectory.opath | O_NOFOLLOW | O_CLOEXEC)
            guard step >= 0 else { throw ConfinedDirectory.Failure(errno: errno) }
            var info = stat()
            guard fstat(step, &info) == 0 else {
                close(step)
                throw ConfinedDirectory.Failure(errno: errno)
            }
            switch info.st_mode & S_IFMT {
            case S_IFLNK:
                let target = Self.target(step)
                close(step)
                linksLeft -= 1
                guard links == .withinRoot, linksLeft > 0, !target.isEmpty, target.first != CChar(0x2F) else {
                    throw .forbidden
                }
                pending += Self.components(target[...])
            case S_IFDIR:
                directories.append(step)
            case S_IFREG where pending.isEmpty:
                close(step)
                let file = openat(here, terminated, ConfinedDirectory.flags | O_NOFOLLOW)
                guard file >= 0 else { throw ConfinedDirectory.Failure(errno: errno) }
                return file
            default:
                close(step)
                throw pending.isEmpty ? .notAFile : .notFound
            }
        }
        let file = openat(directories.last ?? root, ".", ConfinedDirectory.flags | O_DIRECTORY)
        guard file >= 0 else { throw ConfinedDirectory.Failure(errno: errno) }
        return file
    }

    /// The components of a path, last first.
    private static func components(_ path: ArraySlice<CChar>) -> [[CChar]] {
        path.split(separator: CChar(0x2F)).reversed().map(Array.init)
    }

    private static func target(_ link: Int32) -> [CChar] {
        [CChar](unsafeUninitializedCapacity: Int(PATH_MAX)) { buffer, count in
            guard let base = buffer.baseAddress else { return }
            count = max(0, readlinkat(link, "", base, buffer.count))
        }
    }
}
