import Glibc

/// A moment (or, with `isDay`, a calendar day) as templates see it.
public struct TemplateDate: Sendable, Hashable, Comparable {
    /// Seconds since 1970-01-01T00:00:00Z.
    public var seconds: Int64
    /// 0 ..< 1 000 000 000, added to `seconds`.
    public var nanoseconds: Int32
    /// A day without a time (Python's `date`): shown without time and never moved between time zones.
    public var isDay: Bool

    public init(seconds: Int64, nanoseconds: Int32 = 0, isDay: Bool = false) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
        self.isDay = isDay
    }

    /// From seconds since 1970 with a fraction; a number that no calendar holds becomes 1970.
    public init(secondsSince1970 value: Double) {
        let whole = value.rounded(.down)
        let fits = Int64(exactly: whole).map { $0.magnitude <= Self.limit.magnitude } ?? false
        seconds = fits ? Int64(whole) : 0
        nanoseconds = fits ? Int32(min(max((value - whole) * 1e9, 0), 999_999_999)) : 0
        isDay = false
    }

    /// A moment by its UTC calendar; parts outside their range are moved to its nearest end.
    public init(year: Int, month: Int, day: Int, hour: Int = 0, minute: Int = 0, second: Int = 0) {
        func bounded(_ part: Int, _ range: ClosedRange<Int>) -> Int {
            min(max(part, range.lowerBound), range.upperBound)
        }
        let days = CivilDate.days(
            year: bounded(year, -200_000...200_000), month: bounded(month, 1...12), day: bounded(day, 1...31))
        let clock = bounded(hour, 0...23) * 3600 + bounded(minute, 0...59) * 60 + bounded(second, 0...59)
        self.init(seconds: Int64(days * 86_400 + clock))
    }

    /// A calendar day.
    public static func day(year: Int, month: Int, day: Int) -> TemplateDate {
        var date = TemplateDate(year: year, month: month, day: day)
        date.isDay = true
        return date
    }

    /// The present moment, by the system's clock.
    public static var now: TemplateDate {
        var clock = timespec()
        clock_gettime(CLOCK_REALTIME, &clock)
        return TemplateDate(seconds: Int64(clock.tv_sec), nanoseconds: Int32(clock.tv_nsec))
    }

    /// Years −290 000 to 290 000, roughly: beyond, calendar arithmetic is kept from overflowing.
    static let limit: Int64 = 9_000_000_000_000

    public static func < (left: TemplateDate, right: TemplateDate) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }
}

/// How moments are shown: an offset from UTC, which may depend on the moment (daylight saving).
public struct TemplateTimeZone: Sendable {
    /// What applies at one moment.
    public struct Offset: Sendable {
        /// Seconds east of UTC.
        public var seconds: Int
        /// `UTC`, `CEST`, …
        public var abbreviation: String
        public var isDaylightSaving: Bool

        public init(seconds: Int, abbreviation: String, isDaylightSaving: Bool = false) {
            self.seconds = seconds
            self.abbreviation = abbreviation
            self.isDaylightSaving = isDaylightSaving
        }
    }

    /// `Europe/Paris`, as `{% now "e" %}` shows it.
    public var name: String
    /// The offset at a moment given in seconds since 1970.
    public var offset: @Sendable (_ seconds: Int64) -> Offset

    public init(name: String, offset: @escaping @Sendable (_ seconds: Int64) -> Offset) {
        self.name = name
        self.offset = offset
    }

    /// The same offset always.
    public init(name: String, secondsFromUTC: Int) {
        self.init(name: name) { _ in Offset(seconds: secondsFromUTC, abbreviation: name) }
    }

    public static let utc = TemplateTimeZone(name: "UTC", secondsFromUTC: 0)
}

/// The proleptic Gregorian calendar.
struct CivilDate: Equatable {
    var year: Int
    var month: Int
    var day: Int
    var hour: Int
    var minute: Int
    var second: Int
    var microsecond: Int
    /// 0 = Monday, as Python counts.
    var weekday: Int
    /// 1 ... 366.
    var yearDay: Int

    init(_ date: TemplateDate, offset: Int = 0) {
        let bounded = min(max(date.seconds, -TemplateDate.limit), TemplateDate.limit)
        let local = Int(bounded) + (date.isDay ? 0 : offset)
        let days = Self.floorDivide(local, 86_400)
        let rest = local - days * 86_400
        (year, month, day) = Self.civil(days: days)
        hour = rest / 3600
        minute = rest / 60 % 60
        second = rest % 60
        microsecond = Int(date.nanoseconds) / 1000
        weekday = Self.modulo(days + 3, 7)
        yearDay = days - Self.days(year: year, month: 1, day: 1) + 1
    }

    static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    static func length(ofMonth month: Int, year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// Days since 1970-01-01, counting years from March so that the leap day comes last.
    static func days(year: Int, month: Int, day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = floorDivide(shifted, 400)
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func civil(days: Int) -> (Int, Int, Int) {
        let shifted = days + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    static func floorDivide(_ value: Int, _ divisor: Int) -> Int {
        let quotient = value / divisor
        return value % divisor < 0 ? quotient - 1 : quotient
    }

    static func modulo(_ value: Int, _ divisor: Int) -> Int {
        let rest = value % divisor
        return rest < 0 ? rest + divisor : rest
    }
}
