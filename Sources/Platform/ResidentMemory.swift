import Glibc

/// How much memory a process really holds.
public enum ResidentMemory {
    /// Resident bytes of a process (nil: this one), from `/proc/PID/statm`; nil when there is no such process.
    public static func bytes(pid: Int32? = nil) -> Int? {
        let path = pid.map { "/proc/\($0)/statm" } ?? "/proc/self/statm"
        guard let content = try? Descriptor.contents(ofFile: path) else { return nil }
        let fields = content.split(separator: UInt8(ascii: " "))
        guard fields.count > 1, let pages = Int(String(decoding: fields[1], as: UTF8.self)) else { return nil }
        return pages * Int(getpagesize())
    }
}
