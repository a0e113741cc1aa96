import CPlatform

/// Bytes from the kernel's cryptographic random number generator (`getrandom`).
public enum RandomBytes {
    /// Fills the buffer. Fails only on kernels that forbid the call (ENOSYS, EPERM under seccomp).
    public static func fill(_ buffer: UnsafeMutableRawBufferPointer) throws(SystemError) {
        guard let start = buffer.baseAddress else { return }
        _ = try SystemError.check(cplatform_random(start, buffer.count), "getrandom")
    }

    /// `count` fresh bytes.
    public static func make(count: Int) throws(SystemError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let result = bytes.withUnsafeMutableBytes { buffer in
            buffer.baseAddress.map { cplatform_random($0, buffer.count) } ?? 0
        }
        _ = try SystemError.check(result, "getrandom")
        return bytes
    }
}
