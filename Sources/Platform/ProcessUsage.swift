import Glibc

/// What a process uses, from `/proc`.
public struct ProcessUsage: Equatable, Sendable {
    /// Bytes.
    public var resident: Int = 0
    public var virtual: Int = 0
    /// User and system time in seconds, of all threads.
    public var processorTime: Double = 0
    /// How long ago the process was made, in seconds; another program in it changes nothing.
    public var age: Double = 0

    /// Nil when there is no such process.
    public init?(pid: Int32) {
        guard let memory = try? Descriptor.contents(ofFile: "/proc/\(pid)/statm"),
            let times = try? Descriptor.contents(ofFile: "/proc/\(pid)/stat")
        else { return nil }
        let pages = Self.numbers(memory[...])
        guard pages.count > 1 else { return nil }
        virtual = pages[0] * Int(getpagesize())
        resident = pages[1] * Int(getpagesize())
        // The name, in parentheses, may hold anything; what follows it starts with the third field.
        if let end = times.lastIndex(of: UInt8(ascii: ")")) {
            let fields = times[times.index(after: end)...].split(separator: UInt8(ascii: " "))
            func ticks(_ field: Int) -> Double {
                guard fields.indices.contains(field) else { return 0 }
                return Double(String(decoding: fields[field], as: UTF8.self)) ?? 0
            }
            let perSecond = Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
            processorTime = (ticks(11) + ticks(12)) / perSecond
            var sinceBoot = timespec()
            clock_gettime(CLOCK_BOOTTIME, &sinceBoot)
            age = max(0, Double(sinceBoot.tv_sec) + Double(sinceBoot.tv_nsec) / 1e9 - ticks(19) / perSecond)
        }
    }

    private static func numbers(_ text: ArraySlice<UInt8>) -> [Int] {
        text.split(separator: UInt8(ascii: " ")).compactMap { Int(String(decoding: $0, as: UTF8.self)) }
    }
}
