#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// A moment as HTTP writes it, in whole seconds (RFC 9110 §5.6.7).
public struct HTTPDate: Sendable, Hashable, Comparable {
    /// Seconds since 1970-01-01 00:00:00 UTC.
    public let seconds: Int

    /// The moment `seconds` after 1970-01-01 00:00:00 UTC.
    public init(seconds: Int) { self.seconds = seconds }

    /// The current second.
    public static var now: HTTPDate { HTTPDate(seconds: time(nil)) }

    /// Earlier is smaller.
    public static func < (a: HTTPDate, b: HTTPDate) -> Bool { a.seconds < b.seconds }

    /// IMF-fixdate, the only form that is sent: `Sun, 06 Nov 1994 08:49:37 GMT`.
    public var text: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(29)
        write(into: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends the 29 bytes of ``text``. Years outside 0...9999 are clamped to them.
    public func write(into bytes: inout [UInt8]) {
        let earliest = -62_167_219_200
        let latest = 253_402_300_799
        let clamped = min(max(seconds, earliest), latest)
        let days = clamped.floored(by: 86400)
        let second = clamped - days * 86400
        let civil = CivilDate(days: days)
        func two(_ value: Int) {
            bytes.append(UInt8(0x30 + value / 10 % 10))
            bytes.append(UInt8(0x30 + value % 10))
        }
        // 1970-01-01 was a Thursday.
        bytes += Self.weekdays[(days + 4) - (days + 4).floored(by: 7) * 7].utf8
        bytes += ", ".utf8
        two(civil.day)
        bytes.append(0x20)
        bytes += Self.months[civil.month - 1].utf8
        bytes.append(0x20)
        two(civil.year / 100)
        two(civil.year)
        bytes.append(0x20)
        two(second / 3600)
        bytes.append(0x3A)
        two(second / 60 % 60)
        bytes.append(0x3A)
        two(second % 60)
        bytes += " GMT".utf8
    }

    static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"]
    static let longWeekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
    static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
}

extension HTTPDate {
    /// The moment `text` names in one of the three forms a recipient must accept: IMF-fixdate, RFC 850's
    /// (`Sunday, 06-Nov-94 08:49:37 GMT`) and asctime's (`Sun Nov  6 08:49:37 1994`). Nil for anything else, which
    /// recipients ignore.
    public init?(parsing text: some StringProtocol) {
        self.init(parsing: text, now: .now)
    }

    /// As ``init(parsing:)``; `now` decides the century of RFC 850's two-digit years.
    init?(parsing text: some StringProtocol, now: HTTPDate) {
        var scanner = DateScanner(bytes: Array(text.utf8))
        guard let parts = scanner.date(now: now) else { return nil }
        guard (1...12).contains(parts.month), (1...CivilDate.daysIn(parts.month, parts.year)).contains(parts.day),
            parts.hour < 24, parts.minute < 60, parts.second <= 60
        else { return nil }
        let days = CivilDate(year: parts.year, month: parts.month, day: parts.day).days
        self.init(seconds: days * 86400 + parts.hour * 3600 + parts.minute * 60 + parts.second)
    }
}

/// The fields of a date as they were read.
private struct DateParts {
    var year = 0
    var month = 0
    var day = 0
    var hour = 0
    var minute = 0
    var second = 0
}

/// Reads HTTP's date forms from front to back.
private struct DateScanner {
    let bytes: [UInt8]
    var position = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func date(now: HTTPDate) -> DateParts? {
        var parts = DateParts()
        if let form = [HTTPDate.longWeekdays, HTTPDate.weekdays].first(where: { name($0) != nil }) {
            if literal(", ") {
                let isLong = form == HTTPDate.longWeekdays
                let separator = isLong ? "-" : " "
                guard let day = digits(2), literal(separator), let month = name(HTTPDate.months), literal(separator),
                    let year = digits(isLong ? 2 : 4), literal(" ")
                else { return nil }
                parts.day = day
                parts.month = month + 1
                parts.year = isLong ? Self.fullYear(year, now: now) : year
                guard time(&parts), literal(" GMT"), position == bytes.count else { return nil }
                return parts
            }
            guard form == HTTPDate.weekdays, literal(" "), let month = name(HTTPDate.months), literal(" "),
                let day = literal(" ") ? digits(1) : digits(2), literal(" "), time(&parts), literal(" "),
                let year = digits(4), position == bytes.count
            else { return nil }
            parts.day = day
            parts.month = month + 1
            parts.year = year
            return parts
        }
        return nil
    }

    /// A year that would be more than 50 years ahead is the latest one past with the same two digits (RFC 9110 §5.6.7).
    static func fullYear(_ twoDigits: Int, now: HTTPDate) -> Int {
        let current = CivilDate(days: now.seconds.floored(by: 86400)).year
        let year = current - current % 100 + twoDigits
        return year > current + 50 ? year - 100 : year
    }

    mutating func time(_ parts: inout DateParts) -> Bool {
        guard let hour = digits(2), literal(":"), let minute = digits(2), literal(":"), let second = digits(2) else {
            return false
        }
        parts.hour = hour
        parts.minute = minute
        parts.second = second
        return true
    }

    mutating func digits(_ count: Int) -> Int? {
        guard position + count <= bytes.count else { return nil }
        var value = 0
        for byte in bytes[position..<(position + count)] {
            guard byte &- 0x30 < 10 else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        position += count
        return value
    }

    mutating func literal(_ text: String) -> Bool {
        guard bytes[position...].starts(with: text.utf8) else { return false }
        position += text.utf8.count
        return true
    }

    mutating func name(_ names: [String]) -> Int? {
        guard let index = names.firstIndex(where: { bytes[position...].starts(with: $0.utf8) }) else { return nil }
        position += names[index].utf8.count
        return index
    }
}

/// A day of the proleptic Gregorian calendar, and its number counted from 1970-01-01.
struct CivilDate: Equatable {
    var year: Int
    var month: Int
    var day: Int

    init(year: Int, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// Days since 1970-01-01. Years are counted from March, so that the leap day is the last of its year.
    var days: Int {
        let y = month <= 2 ? year - 1 : year
        let era = y.floored(by: 400)
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    init(days: Int) {
        let shifted = days + 719_468
        let era = shifted.floored(by: 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    static func daysIn(_ month: Int, _ year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }
}

extension Int {
    /// Division that rounds down, also below zero.
    func floored(by divisor: Int) -> Int { self >= 0 ? self / divisor : -((divisor - 1 - self) / divisor) }
}
