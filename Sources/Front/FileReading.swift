#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Reads from a descriptor that something else owns.
enum FileReading {
    /// Up to `target.count` bytes from `offset` on; how many there were, 0 at the end and on errors.
    static func read(_ descriptor: CInt, _ offset: Int, _ target: UnsafeMutableRawBufferPointer) -> Int {
        while true {
            let count = pread(descriptor, target.baseAddress, target.count, off_t(offset))
            if count >= 0 { return count }
            guard errno == EINTR else { return 0 }
        }
    }
}
