import CPlatform
import Glibc

/// Bytes as a descriptor (`memfd_create`), to hand them to a child process without touching any file system.
public enum MemoryFile {
    /// A file in memory with this content, positioned at its start. The name only shows in `/proc`.
    public static func make(name: String, _ bytes: [UInt8]) throws(SystemError) -> Descriptor {
        let file = Descriptor(adopting: try SystemError.check(cplatform_memfd(name), "memfd_create"))
        let number = file.rawValue
        try bytes.withUnsafeBufferPointer { (buffer) throws(SystemError) in
            try Descriptor.writeAll(UnsafeRawBufferPointer(buffer), to: number)
        }
        lseek(file.rawValue, 0, Int32(SEEK_SET))
        return file
    }

    /// The whole content, whatever the current position (the position is shared by all processes that hold the file).
    public static func contents(of descriptor: borrowing Descriptor) throws(SystemError) -> [UInt8] {
        try contents(ofDescriptor: descriptor.rawValue)
    }

    /// The same, of a descriptor owned elsewhere.
    public static func contents(ofDescriptor descriptor: Int32) throws(SystemError) -> [UInt8] {
        var result: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16384)
        while true {
            let count = pread(descriptor, &chunk, chunk.count, off_t(result.count))
            if count == 0 { return result }
            if count > 0 {
                result += chunk[..<count]
            } else if errno != EINTR {
                throw SystemError(operation: "read", code: errno)
            }
        }
    }
}
