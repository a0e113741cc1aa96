import CPlatform

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A directory whose files are opened by paths from outside: nothing above or beside it is ever reached.
///
/// The kernel resolves the path (openat2 with RESOLVE_BENEATH); where it cannot, ``ConfinedWalk`` does it step by step.
/// Only regular files and directories come back. Not `Sendable`: one instance per event loop. This is the one place
/// where serving a file may wait for a disk.
public final class ConfinedDirectory {
    /// What symbolic links may do.
    public enum Links: Sendable, Equatable {
        /// A link anywhere in the path refuses it.
        case never
        /// Links are followed while they stay below the directory.
        case withinRoot
        /// Links lead wherever they lead.
        case anywhere
    }

    /// Why a file cannot be opened.
    public enum Failure: Error, Equatable {
        /// There is no such file (ENOENT, ENOTDIR, ENAMETOOLONG).
        case notFound
        /// Permissions, or a link that is not to be followed, refuse it (EACCES, EPERM, ELOOP, EXDEV).
        case forbidden
        /// It is neither a regular file nor a directory.
        case notAFile
        /// The process or the system has no descriptors or memory left (EMFILE, ENFILE, ENOMEM).
        case exhausted
        /// Anything else: the errno.
        case system(Int32)

        init(errno code: Int32) {
            self =
                switch code {
                case ENOENT, ENOTDIR, ENAMETOOLONG: .notFound
                case EACCES, EPERM, ELOOP, EXDEV: .forbidden
                case EMFILE, ENFILE, ENOMEM: .exhausted
                case ENXIO, ENODEV: .notAFile
                default: .system(code)
                }
        }
    }

    /// Where the directory is.
    public let path: String
    /// What symbolic links below it may do.
    public let links: Links
    private var descriptor: Int32 = -1
    private var identity: FileIdentity?
    private var kernelConfines = true

    /// The directory at `path`; nothing is opened yet.
    public init(path: String, links: Links = .withinRoot) {
        self.path = path
        self.links = links
    }

    /// As ``init(path:links:)``, without the kernel's help.
    init(path: String, links: Links, walks: Bool) {
        self.path = path
        self.links = links
        kernelConfines = !walks
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Opens the directory again if its path now leads somewhere else, as after a deployment that swaps a link.
    public func refresh() throws(Failure) {
        var info = stat()
        guard stat(path, &info) == 0 else { throw Failure(errno: errno) }
        let current = FileIdentity(info)
        if descriptor >= 0, identity?.device == current.device, identity?.inode == current.inode { return }
        let opened = openat(AT_FDCWD, path, Self.opath | O_DIRECTORY | O_CLOEXEC)
        guard opened >= 0 else { throw Failure(errno: errno) }
        if descriptor >= 0 { close(descriptor) }
        descriptor = opened
        identity = current
    }

    /// Opens what `relative` names, for reading. It must be relative: no leading slash. Empty is the directory itself.
    public func open(_ relative: some Sequence<UInt8>) throws(Failure) -> OpenedFile {
        if descriptor < 0 { try refresh() }
        var name = relative.map { CChar(bitPattern: $0) }
        guard name.first != CChar(0x2F), !name.contains(0) else { throw .notFound }
        if name.isEmpty { name = [CChar(0x2E)] }
        name.append(0)
        let opened = try openDescriptor(name)
        var info = stat()
        guard fstat(opened, &info) == 0 else {
            let failure = Failure(errno: errno)
            close(opened)
            throw failure
        }
        guard let file = OpenedFile(descriptor: opened, info) else {
            close(opened)
            throw .notAFile
        }
        return file
    }

    static let opath = Int32(PORTICO_O_PATH)
    // O_NONBLOCK: opening a FIFO returns at once instead of waiting for its writer; it is refused by its type then.
    static let flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY

    private func openDescriptor(_ name: [CChar]) throws(Failure) -> Int32 {
        guard links != .anywhere else {
            let opened = openat(descriptor, name, Self.flags)
            guard opened >= 0 else { throw Failure(errno: errno) }
            return opened
        }
        if kernelConfines {
            var resolve = UInt64(PORTICO_RESOLVE_BENEATH | PORTICO_RESOLVE_NO_MAGICLINKS)
            if links == .never { resolve |= UInt64(PORTICO_RESOLVE_NO_SYMLINKS) }
            for _ in 0..<16 {
                let opened = portico_openat2(descriptor, name, Self.flags, resolve)
                if opened >= 0 { return opened }
                switch errno {
                case EAGAIN, EINTR: continue  // a rename somewhere made the kernel unsure: ask again
                case EXDEV where links == .withinRoot: return try openAbsoluteLink(name)
                // Kernels before 5.6, and container profiles that do not know the call.
                case ENOSYS: kernelConfines = false
                case EPERM where !isReachable(name): throw .notFound
                case EPERM: kernelConfines = false
                default: throw Failure(errno: errno)
                }
                break
            }
        }
        return try ConfinedWalk(root: descriptor, links: links).open(name)
    }

    private func isReachable(_ name: [CChar]) -> Bool { faccessat(descriptor, name, F_OK, 0) == 0 }

    /// The kernel refuses every absolute link, also one that leads back below the directory. What was opened can tell
    /// where it is, and cannot change its mind afterwards.
    private func openAbsoluteLink(_ name: [CChar]) throws(Failure) -> Int32 {
        let probe = openat(descriptor, name, Self.opath | O_CLOEXEC)
        guard probe >= 0 else { throw Failure(errno: errno) }
        defer { close(probe) }
        guard let root = Self.location(descriptor), let target = Self.location(probe),
            target == root || target.starts(with: root + [CChar(0x2F)]) || root == [CChar(0x2F)]
        else { throw .forbidden }
        let opened = openat(AT_FDCWD, "/proc/self/fd/\(probe)", Self.flags)
        guard opened >= 0 else { throw Failure(errno: errno) }
        return opened
    }

    private static func location(_ descriptor: Int32) -> [CChar]? {
        let text = [CChar](unsafeUninitializedCapacity: Int(PATH_MAX)) { buffer, count in
            guard let base = buffer.baseAddress else { return }
            count = max(0, readlink("/proc/self/fd/\(descriptor)", base, buffer.count))
        }
        return text.isEmpty ? nil : text
    }
}
