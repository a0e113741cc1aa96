#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// What tells one state of a file from another without reading it.
public struct FileIdentity: Sendable, Equatable {
    public let device: UInt64
    public let inode: UInt64
    /// Bytes.
    public let size: Int
    /// Nanoseconds since 1970.
    public let modified: Int
    /// Nanoseconds since 1970: also moves when a file's time was set back.
    public let changed: Int

    init(_ info: stat) {
        device = UInt64(info.st_dev)
        inode = UInt64(info.st_ino)
        size = Int(info.st_size)
        modified = Int(info.st_mtim.tv_sec) &* 1_000_000_000 &+ Int(info.st_mtim.tv_nsec)
        changed = Int(info.st_ctim.tv_sec) &* 1_000_000_000 &+ Int(info.st_ctim.tv_nsec)
    }

    /// The state of the file open as `descriptor`; nil when it cannot be asked.
    public init?(descriptor: Int32) {
        var info = stat()
        guard fstat(descriptor, &info) == 0 else { return nil }
        self.init(info)
    }
}

/// A regular file or directory that was opened for reading. Whoever has it closes ``descriptor``.
public struct OpenedFile: Sendable {
    public let descriptor: Int32
    public let isDirectory: Bool
    public let identity: FileIdentity

    init?(descriptor: Int32, _ info: stat) {
        switch info.st_mode & S_IFMT {
        case S_IFREG: isDirectory = false
        case S_IFDIR: isDirectory = true
        default: return nil
        }
        self.descriptor = descriptor
        identity = FileIdentity(info)
    }

    /// Closes the descriptor.
    public func close() {
        closeDescriptor(descriptor)
    }

    /// The bytes from `offset` on, up to `count` or the end of the file.
    public func read(at offset: Int, into buffer: UnsafeMutableRawBufferPointer) throws(ConfinedDirectory.Failure)
        -> Int
    {
        var done = 0
        while done < buffer.count, let base = buffer.baseAddress {
            let got = pread(descriptor, base + done, buffer.count - done, off_t(offset + done))
            if got < 0 {
                if errno == EINTR { continue }
                throw ConfinedDirectory.Failure(errno: errno)
            }
            if got == 0 { break }
            done += got
        }
        return done
    }

    /// The names in the directory and whether each is a directory itself, unordered, without `.` and `..`. Names that
    /// cannot be examined are left out.
    public func entries() throws(ConfinedDirectory.Failure) -> [(name: [UInt8], isDirectory: Bool)] {
        let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0 else { throw ConfinedDirectory.Failure(errno: errno) }
        guard let stream = fdopendir(copy) else {
            let failure = ConfinedDirectory.Failure(errno: errno)
            closeDescriptor(copy)
            throw failure
        }
        defer { closedir(stream) }
        var entries: [(name: [UInt8], isDirectory: Bool)] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if name == [0x2E] || name == [0x2E, 0x2E] { continue }
            var info = stat()
            guard fstatat(copy, name.map { CChar(bitPattern: $0) } + [0], &info, 0) == 0 else { continue }
            let kind = info.st_mode & S_IFMT
            guard kind == S_IFDIR || kind == S_IFREG else { continue }
            entries.append((name, kind == S_IFDIR))
        }
        return entries
    }
}

// `close` by a name that methods called `close` do not hide.
private func closeDescriptor(_ descriptor: Int32) { close(descriptor) }
