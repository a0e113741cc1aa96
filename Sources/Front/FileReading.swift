import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Reads from a descriptor that something else owns.
enum FileReading {
    /// Up to `count` bytes from the front of `region`; empty when the file does not have them any more.
    static func read(_ region: FileRegion, count: Int) -> ByteBuffer {
        var bytes = ByteBuffer()
        bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { free in
            let target = UnsafeMutableRawBufferPointer(rebasing: free[..<count])
            return (try? region.fileHandle.withUnsafeFileDescriptor { read($0, region.readerIndex, target) }) ?? 0
        }
        return bytes
    }

    /// Up to `target.count` bytes from `offset` on; how many there were, 0 at the end and on errors.
    static func read(_ descriptor: CInt, _ offset: Int, _ target: UnsafeMutableRawBufferPointer) -> Int {
        while true {
            let count = pread(descriptor, target.baseAddress, target.count, off_t(offset))
            if count >= 0 { return count }
            guard errno == EINTR else { return 0 }
        }
    }
}
