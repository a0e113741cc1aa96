import CPlatform
import Glibc

/// A file without a name, for bytes too many to keep in memory: it vanishes with its last descriptor, also in a crash.
///
/// Reading and writing go by position and may be done from several threads.
public final class TemporaryFile: Sendable {
    private let file: Descriptor

    /// Opens one in the directory (default: `$TMPDIR`, else `/tmp`), which needs to be writable.
    public init(directory: String? = nil) throws(SystemError) {
        let directory = directory ?? getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        file = Descriptor(
            adopting: try SystemError.check(
                cplatform_open_unnamed(directory), "create a temporary file in \(directory)"))
    }

    /// The descriptor, for `sendfile` or `mmap`; valid while this object lives.
    public var descriptor: Int32 { file.rawValue }

    /// Writes all the bytes at the offset. Throws ENOSPC on a full disk.
    public func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(SystemError) {
        var written = 0
        while written < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[written...])
            let count = pwrite(file.rawValue, rest.baseAddress, rest.count, off_t(offset + written))
            if count >= 0 {
                written += count
            } else if errno != EINTR {
                throw SystemError(operation: "write a temporary file", code: errno)
            }
        }
    }

    /// Reads up to a buffer full from the offset.
    /// - Returns: how many bytes were read; 0 at the end of the file.
    public func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(SystemError) -> Int {
        while true {
            let count = pread(file.rawValue, buffer.baseAddress, buffer.count, off_t(offset))
            if count >= 0 { return count }
            if errno != EINTR { throw SystemError(operation: "read a temporary file", code: errno) }
        }
    }

    /// Cuts the file off, to use it again.
    public func truncate(to size: Int = 0) throws(SystemError) {
        _ = try SystemError.checkErrno(ftruncate(file.rawValue, off_t(size)), "truncate a temporary file")
    }
}
