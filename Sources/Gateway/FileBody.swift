public import NIOCore

#if canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A response body out of an open file (PEP 3333, "Optional Platform-Specific File Handling"): when it is the body the
/// server gets, it goes out by `sendfile` with its `Content-Length`; wrapped by middleware it is read piece by piece.
public struct FileBody: WSGIBody {
    /// Why a file cannot be served: the system's error number.
    public struct Failure: Error, Equatable, CustomStringConvertible {
        public let errno: Int32

        public var description: String { String(cString: strerror(errno)) }
    }

    private static let readUnit = 64 * 1024

    private(set) var file: OpenFile?
    private(set) var offset: Int
    /// What is left to be sent, in bytes.
    public private(set) var count: Int
    private var whenClosed: (@Sendable () -> Void)?

    /// Opens the regular file at `path`. Throws when it cannot be opened, or is no regular file (`EISDIR`, `EINVAL`).
    public init(path: String) throws(Failure) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Failure(errno: Glibc.errno) }
        let file = OpenFile(descriptor)
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Failure(errno: Glibc.errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw Failure(errno: status.st_mode & S_IFMT == S_IFDIR ? EISDIR : EINVAL)
        }
        self.file = file
        offset = 0
        count = Int(status.st_size)
    }

    /// `count` bytes from `offset` of an open file, which is owned and closed from here on; `whenClosed` is called once the
    /// body is.
    public init(
        takingOwnershipOf descriptor: Int32, offset: Int = 0, count: Int,
        whenClosed: (@Sendable () -> Void)? = nil
    ) {
        file = OpenFile(descriptor)
        self.whenClosed = whenClosed
        self.offset = offset
        self.count = count
    }

    /// Another part of the same file.
    func part(_ offset: Int, _ count: Int) -> FileBody {
        var part = self
        part.offset = offset
        part.count = count
        return part
    }

    public mutating func next() throws -> ByteBuffer? {
        guard let file, count > 0 else { return nil }
        let bytes = try file.read(at: offset, count: min(count, Self.readUnit))
        guard bytes.readableBytes > 0 else { return nil }
        offset += bytes.readableBytes
        count -= bytes.readableBytes
        return bytes
    }

    public mutating func close() {
        file = nil
        whenClosed?()
        whenClosed = nil
    }
}

/// A file, closed when nobody needs it any more: the body of its response, or the connection that sends it.
final class OpenFile: Sendable {
    private let handle: NIOFileHandle
    private let descriptor: Int32

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: descriptor)
    }

    deinit {
        // Closing a file that was only read loses nothing, whatever it returns.
        _ = try? handle.close()
    }

    func region(_ offset: Int, _ count: Int) -> FileRegion {
        FileRegion(fileHandle: handle, readerIndex: offset, endIndex: offset + count)
    }

    func read(at offset: Int, count: Int) throws(SpoolFile.Failure) -> ByteBuffer {
        try File.read(descriptor, at: offset, count: count)
    }
}
