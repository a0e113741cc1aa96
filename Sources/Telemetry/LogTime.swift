import Glibc

/// A moment on the wall clock, for log lines.
public struct LogTime: Equatable, Sendable {
    /// Seconds since 1970, UTC.
    public var seconds: Int
    /// Milliseconds within the second.
    public var milliseconds: Int

    public init(seconds: Int, milliseconds: Int = 0) {
        self.seconds = seconds
        self.milliseconds = milliseconds
    }

    /// The present moment.
    public static func now() -> LogTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return LogTime(seconds: Int(time.tv_sec), milliseconds: Int(time.tv_nsec) / 1_000_000)
    }

    /// `2026-11-21T07:48:01.123Z` (RFC 3339).
    func appendRFC3339(to line: inout [UInt8]) {
        appendSeconds(to: &line)
        line.append(UInt8(ascii: "."))
        DecimalText.append(milliseconds, digits: 3, to: &line)
        line.append(UInt8(ascii: "Z"))
    }

    private func appendSeconds(to line: inout [UInt8]) {
        var time = time_t(seconds)
        var parts = tm()
        gmtime_r(&time, &parts)
        DecimalText.append(Int(parts.tm_year) + 1900, digits: 4, to: &line)
        line.append(UInt8(ascii: "-"))
        DecimalText.append(Int(parts.tm_mon) + 1, digits: 2, to: &line)
        line.append(UInt8(ascii: "-"))
        DecimalText.append(Int(parts.tm_mday), digits: 2, to: &line)
        line.append(UInt8(ascii: "T"))
        DecimalText.append(Int(parts.tm_hour), digits: 2, to: &line)
        line.append(UInt8(ascii: ":"))
        DecimalText.append(Int(parts.tm_min), digits: 2, to: &line)
        line.append(UInt8(ascii: ":"))
        DecimalText.append(Int(parts.tm_sec), digits: 2, to: &line)
    }

    /// `21/Nov/2026:08:48:01 +0100`, in the machine's time zone, as the common log format has it.
    func appendCommon(to line: inout [UInt8]) {
        var time = time_t(seconds)
        var parts = tm()
        localtime_r(&time, &parts)
        DecimalText.append(Int(parts.tm_mday), digits: 2, to: &line)
        line.append(UInt8(ascii: "/"))
        line.append(contentsOf: LogTime.months[Int(parts.tm_mon)].utf8)
        line.append(UInt8(ascii: "/"))
        DecimalText.append(Int(parts.tm_year) + 1900, digits: 4, to: &line)
        for part in [parts.tm_hour, parts.tm_min, parts.tm_sec] {
            line.append(UInt8(ascii: ":"))
            DecimalText.append(Int(part), digits: 2, to: &line)
        }
        line.append(UInt8(ascii: " "))
        let offset = Int(parts.tm_gmtoff) / 60
        line.append(offset < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
        DecimalText.append(abs(offset) / 60, digits: 2, to: &line)
        DecimalText.append(abs(offset) % 60, digits: 2, to: &line)
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
