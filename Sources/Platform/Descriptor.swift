import CPlatform
import Glibc

/// An open file descriptor with exactly one owner; it is closed when the owner lets go of it.
public struct Descriptor: ~Copyable, Sendable {
    /// The number, for system calls. It stays valid only as long as this value lives.
    public let rawValue: Int32

    /// Takes over an open descriptor.
    public init(adopting rawValue: Int32) {
        self.rawValue = rawValue
    }

    deinit {
        // Never retried on EINTR: on Linux the descriptor is gone by then, and the number may already be someone else's.
        _ = Glibc.close(rawValue)
    }

    /// Gives the number away without closing it.
    public consuming func release() -> Int32 {
        let number = rawValue
        discard self
        return number
    }

    /// A second descriptor for the same open file, close-on-exec.
    public borrowing func duplicate() throws(SystemError) -> Descriptor {
        Descriptor(adopting: try SystemError.check(cplatform_duplicate(rawValue), "dup \(rawValue)"))
    }

    /// Whether a program started from here would not inherit this descriptor.
    public borrowing func setCloseOnExec(_ isOn: Bool) throws(SystemError) {
        _ = try SystemError.check(cplatform_set_close_on_exec(rawValue, isOn ? 1 : 0), "fcntl \(rawValue)")
    }

    /// Keeps a descriptor that has no owner yet from programs started from here.
    public static func setCloseOnExec(_ number: Int32) throws(SystemError) {
        _ = try SystemError.check(cplatform_set_close_on_exec(number, 1), "fcntl \(number)")
    }

    /// Whether reads and writes answer EAGAIN instead of waiting. Shared with every descriptor of the same open file.
    public borrowing func setNonBlocking(_ isOn: Bool) throws(SystemError) {
        _ = try SystemError.check(cplatform_set_non_blocking(rawValue, isOn ? 1 : 0), "fcntl \(rawValue)")
    }

    /// Writes all bytes, waiting as long as it takes.
    public borrowing func writeAll(_ bytes: UnsafeRawBufferPointer) throws(SystemError) {
        try Descriptor.writeAll(bytes, to: rawValue)
    }

    /// Writes all bytes to a descriptor owned elsewhere, waiting as long as it takes, also when it is non-blocking.
    public static func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) throws(SystemError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let written = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if written >= 0 {
                rest = rest.dropFirst(written)
            } else if errno == EAGAIN {
                var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                _ = poll(&waiting, 1, -1)
            } else if errno != EINTR {
                throw SystemError(operation: "write", code: errno)
            }
        }
    }

    /// Everything from the current position to the end of the file.
    public borrowing func readToEnd() throws(SystemError) -> [UInt8] {
        try Descriptor.readToEnd(of: rawValue)
    }

    static func readToEnd(of descriptor: Int32) throws(SystemError) -> [UInt8] {
        var result: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16384)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count == 0 { return result }
            if count > 0 {
                result += chunk[..<count]
            } else if errno != EINTR {
                throw SystemError(operation: "read", code: errno)
            }
        }
    }

    /// The whole content of a small file, such as those in /proc and /sys.
    public static func contents(ofFile path: String) throws(SystemError) -> [UInt8] {
        let file = Descriptor(adopting: try SystemError.check(cplatform_open_read(path), "open \(path)"))
        return try file.readToEnd()
    }

    /// Opens a file for appending, created with `mode` (0o644) when absent.
    public static func appending(to path: String, mode: UInt32 = 0o644) throws(SystemError) -> Descriptor {
        Descriptor(adopting: try SystemError.check(cplatform_open_append(path, mode), "open \(path)"))
    }

    /// Opens a file that may be executed, to start it later, whatever is at the path by then.
    public static func executable(_ path: String) throws(SystemError) -> Descriptor {
        Descriptor(adopting: try SystemError.check(cplatform_open_executable(path), "open \(path)"))
    }

    /// Opens `/dev/null` for every one of the descriptors 0, 1 and 2 that is closed, so that no socket ends up as the
    /// standard output of the process. To be called first in a server's life.
    public static func ensureStandardDescriptors() {
        while true {
            let opened = open("/dev/null", O_RDWR)
            guard (0...2).contains(opened) else {
                if opened > 2 { _ = Glibc.close(opened) }
                return
            }
        }
    }
}
