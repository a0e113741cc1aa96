import HTTP
import NIOCore

#if canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// A temporary file without a name: it is gone when the last reference is, whatever becomes of the process.
final class SpoolFile: Sendable {
    /// Why a body cannot be kept or read.
    struct Failure: Error, Equatable, CustomStringConvertible {
        let errno: Int32

        var description: String { String(cString: strerror(errno)) }

        /// 507 for a full disk or an exhausted quota, 500 for everything else (a directory that is not there).
        var status: Status { errno == ENOSPC || errno == EDQUOT ? Status(507) : .internalServerError }
    }

    private let descriptor: Int32

    /// Makes a file in `directory` and takes its name away.
    init(in directory: String) throws(Failure) {
        var path = Array("\(directory)/body-XXXXXX".utf8CString)
        let descriptor = mkstemp(&path)
        guard descriptor >= 0 else { throw Failure(errno: errno) }
        self.descriptor = descriptor
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        guard unlink(path) == 0 else { throw Failure(errno: errno) }
    }

    /// A file that is open already.
    init(takingOwnershipOf descriptor: Int32) { self.descriptor = descriptor }

    deinit { close(descriptor) }

    /// Writes `bytes` at the end.
    func append(_ bytes: ByteBuffer) throws(Failure) {
        var offset = 0
        while offset < bytes.readableBytes {
            let written = bytes.withUnsafeReadableBytes { pointer in
                pointer.baseAddress.map { write(descriptor, $0 + offset, pointer.count - offset) } ?? 0
            }
            if written < 0 {
                guard errno == EINTR else { throw Failure(errno: errno) }
                continue
            }
            offset += written
        }
    }

    /// Up to `count` bytes from `offset`; fewer only at the end of the file.
    func read(at offset: Int, count: Int) throws(Failure) -> ByteBuffer {
        try File.read(descriptor, at: offset, count: count)
    }
}

/// Reading at an offset, which leaves the descriptor's own position alone.
enum File {
    static func read(_ descriptor: Int32, at offset: Int, count: Int) throws(SpoolFile.Failure) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.reserveCapacity(count)
        while bytes.readableBytes < count {
            let position = off_t(offset + bytes.readableBytes)
            let wanted = count - bytes.readableBytes
            var failure: Int32 = 0
            let got = bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) { target in
                let got = pread(descriptor, target.baseAddress, wanted, position)
                if got < 0 { failure = errno }
                return max(0, got)
            }
            if failure == EINTR { continue }
            guard failure == 0 else { throw SpoolFile.Failure(errno: failure) }
            if got == 0 { break }
        }
        return bytes
    }
}
