import CPlatform
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

    /// Gives back the pages of code and constants that this process has touched so far. What is used again comes back from
    /// the page cache, sixteen pages at a time; what only starting up has needed does not.
    public static func releaseCode() { cplatform_release_code() }

    /// Gives the system what the allocator keeps for later.
    public static func giveBackUnused() { cplatform_trim_heap() }
}
