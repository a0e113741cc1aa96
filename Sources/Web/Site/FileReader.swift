import Glibc
import NIOCore

/// Reads whole small files.
enum FileReader {
    /// The content of a regular file; nil when there is none that can be read.
    static func read(_ path: String) -> ByteBuffer? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        var buffer = ByteBufferAllocator().buffer(capacity: Int(status.st_size))
        while true {
            let count = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: 65536) { space in
                max(0, Glibc.read(descriptor, space.baseAddress, space.count))
            }
            if count == 0 { return buffer }
        }
    }
}
