/// Django's date and time formats, in English.
enum DateFormat {
    static let months = [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
        "December",
    ]
    private static let associatedPress = [
        "Jan.", "Feb.", "March", "April", "May", "June", "July", "Aug.", "Sept.", "Oct.", "Nov.", "Dec.",
    ]
    static let weekdays = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    private static let named = [
        "DATE_FORMAT": "N j, Y", "DATETIME_FORMAT": "N j, Y, P", "TIME_FORMAT": "P", "SHORT_DATE_FORMAT": "m/d/Y",
        "SHORT_DATETIME_FORMAT": "m/d/Y P", "YEAR_MONTH_FORMAT": "F Y", "MONTH_DAY_FORMAT": "F j",
    ]

    /// A format, or the one that the name of a format stands for.
    private static func resolved(_ format: String) -> String {
        format.hasSuffix("_FORMAT") ? named[format] ?? format : format
    }

    /// What `{{ moment }}` shows.
    static func display(_ date: TemplateDate, timeZone: TemplateTimeZone) -> String {
        self.date(date, date.isDay ? "N j, Y" : "N j, Y, P", timeZone: timeZone)
    }

    /// Python's `str(moment)`.
    static func iso(_ date: TemplateDate) -> String {
        let civil = CivilDate(date)
        let day = "\(civil.year.padded(4))-\(civil.month.padded(2))-\(civil.day.padded(2))"
        if date.isDay { return day }
        let fraction = civil.microsecond == 0 ? "" : "." + civil.microsecond.padded(6)
        return "\(day) \(civil.hour.padded(2)):\(civil.minute.padded(2)):\(civil.second.padded(2))\(fraction)+00:00"
    }

    /// The moment in a format of Django's characters (or the name of one of its formats).
    static func date(_ date: TemplateDate, _ format: String, timeZone: TemplateTimeZone) -> String {
        let offset = timeZone.offset(date.seconds)
        let civil = CivilDate(date, offset: offset.seconds)
        var result = ""
        var isEscaped = false
        for scalar in resolved(format).unicodeScalars {
            if isEscaped {
                result.unicodeScalars.append(scalar)
                isEscaped = false
            } else if scalar == "\\" {
                isEscaped = true
            } else if !scalar.isASCII || scalar.value < 65 {
                result.unicodeScalars.append(scalar)
            } else if let text = field(scalar, civil, date, offset, timeZone) {
                result += text
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return isEscaped ? result + "\\" : result
    }

    /// The first character that asks for a time, which days do not have.
    static func timeCharacter(in format: String) -> String? { first(of: "aAefgGhHiOPsTuZ", in: format) }

    /// Whether a format asks for the day, which times do not have.
    static func usesDay(_ format: String) -> Bool { first(of: "bcdDEFIjlLmMnNorStUwWyYz", in: format) != nil }

    private static func first(of characters: String, in format: String) -> String? {
        var isEscaped = false
        for scalar in resolved(format).unicodeScalars {
            if !isEscaped, characters.unicodeScalars.contains(scalar) { return String(scalar) }
            isEscaped = !isEscaped && scalar == "\\"
        }
        return nil
    }

    private static func field(
        _ character: Unicode.Scalar, _ civil: CivilDate, _ date: TemplateDate, _ offset: TemplateTimeZone.Offset,
        _ timeZone: TemplateTimeZone
    ) -> String? {
        let hour12 = civil.hour % 12 == 0 ? 12 : civil.hour % 12
        switch character {
        case "a": return civil.hour > 11 ? "p.m." : "a.m."
        case "A": return civil.hour > 11 ? "PM" : "AM"
        case "b": return months[civil.month - 1].prefix(3).lowercased()
        case "c": return isoLocal(civil, date, offset)
        case "d": return civil.day.padded(2)
        case "D": return String(weekdays[civil.weekday].prefix(3))
        case "e": return date.isDay ? "" : timeZone.name
        case "E", "F": return months[civil.month - 1]
        case "f": return civil.minute == 0 ? String(hour12) : "\(hour12):\(civil.minute.padded(2))"
        case "g": return String(hour12)
        case "G": return String(civil.hour)
        case "h": return hour12.padded(2)
        case "H": return civil.hour.padded(2)
        case "i": return civil.minute.padded(2)
        case "I": return date.isDay ? "" : offset.isDaylightSaving ? "1" : "0"
        case "j": return String(civil.day)
        case "l": return weekdays[civil.weekday]
        case "L": return CivilDate.isLeap(civil.year) ? "True" : "False"
        case "m": return civil.month.padded(2)
        case "M": return String(months[civil.month - 1].prefix(3))
        case "n": return String(civil.month)
        case "N": return associatedPress[civil.month - 1]
        case "o": return String(isoWeek(civil).year)
        case "O": return date.isDay ? "" : zone(offset.seconds, separator: "")
        case "P":
            if civil.minute == 0, civil.hour == 0 { return "midnight" }
            if civil.minute == 0, civil.hour == 12 { return "noon" }
            let clock = civil.minute == 0 ? String(hour12) : "\(hour12):\(civil.minute.padded(2))"
            return clock + (civil.hour > 11 ? " p.m." : " a.m.")
        case "r":
            let day =
                "\(weekdays[civil.weekday].prefix(3)), \(civil.day.padded(2)) \(months[civil.month - 1].prefix(3))"
            let time = "\(civil.hour.padded(2)):\(civil.minute.padded(2)):\(civil.second.padded(2))"
            return "\(day) \(civil.year.padded(4)) \(time) \(zone(offset.seconds, separator: ""))"
        case "s": return civil.second.padded(2)
        case "S":
            if (11...13).contains(civil.day) { return "th" }
            return [1: "st", 2: "nd", 3: "rd"][civil.day % 10] ?? "th"
        case "t": return String(CivilDate.length(ofMonth: civil.month, year: civil.year))
        case "T": return date.isDay ? "" : offset.abbreviation
        case "u": return civil.microsecond.padded(6)
        case "U": return String(date.seconds)
        case "w": return String((civil.weekday + 1) % 7)
        case "W": return String(isoWeek(civil).week)
        case "y": return CivilDate.modulo(civil.year, 100).padded(2)
        case "Y": return civil.year.padded(4)
        case "z": return String(civil.yearDay)
        case "Z": return date.isDay ? "" : String(offset.seconds)
        default: return nil
        }
    }

    private static func isoLocal(_ civil: CivilDate, _ date: TemplateDate, _ offset: TemplateTimeZone.Offset) -> String
    {
        let day = "\(civil.year.padded(4))-\(civil.month.padded(2))-\(civil.day.padded(2))"
        if date.isDay { return day }
        let fraction = civil.microsecond == 0 ? "" : "." + civil.microsecond.padded(6)
        let time = "\(civil.hour.padded(2)):\(civil.minute.padded(2)):\(civil.second.padded(2))"
        return "\(day)T\(time)\(fraction)\(zone(offset.seconds, separator: ":"))"
    }

    private static func zone(_ seconds: Int, separator: String) -> String {
        let minutes = Int(seconds.magnitude / 60)
        return (seconds < 0 ? "-" : "+") + (minutes / 60).padded(2) + separator + (minutes % 60).padded(2)
    }

    /// ISO 8601: week 1 is the one with the year's first Thursday.
    private static func isoWeek(_ civil: CivilDate) -> (year: Int, week: Int) {
        let thursday = civil.yearDay - civil.weekday + 3
        let length = CivilDate.isLeap(civil.year) ? 366 : 365
        if thursday < 1 {
            let before = CivilDate.isLeap(civil.year - 1) ? 366 : 365
            return (civil.year - 1, (thursday + before - 1) / 7 + 1)
        }
        return thursday > length ? (civil.year + 1, 1) : (civil.year, (thursday - 1) / 7 + 1)
    }

    /// Django's `timesince`: the two largest adjacent units between two moments, such as "4 days, 6 hours".
    static func span(from start: TemplateDate, to end: TemplateDate) -> String {
        let from = CivilDate(start)
        let to = CivilDate(end)
        var months = (to.year - from.year) * 12 + to.month - from.month
        let fromSeconds = ((from.hour * 60 + from.minute) * 60 + from.second)
        let toSeconds = ((to.hour * 60 + to.minute) * 60 + to.second)
        if from.day > to.day || (from.day == to.day && fromSeconds > toSeconds) { months -= 1 }
        guard start < end, end.seconds > start.seconds else { return "0\u{a0}minutes" }
        let (years, restMonths) = (months / 12, months % 12)
        // The moment that many whole months after the start, from which the smaller units count.
        var pivot = start.seconds
        if months > 0 {
            let total = from.month - 1 + months
            let year = from.year + total / 12
            let month = total % 12 + 1
            let day = min(from.day, CivilDate.length(ofMonth: month, year: year))
            pivot = Int64(CivilDate.days(year: year, month: month, day: day)) * 86_400 + Int64(fromSeconds)
        }
        let rest = Int(end.seconds - pivot)
        let counts = [years, restMonths, rest / 604_800, rest / 86_400 % 7, rest / 3600 % 24, rest / 60 % 60]
        let units = ["year", "month", "week", "day", "hour", "minute"]
        guard let first = counts.firstIndex(where: { $0 > 0 }) else { return "0\u{a0}minutes" }
        var parts: [String] = []
        for index in first..<min(first + 2, counts.count) where counts[index] > 0 {
            parts.append("\(counts[index])\u{a0}\(units[index])\(counts[index] == 1 ? "" : "s")")
            if index == first, index + 1 < counts.count, counts[index + 1] == 0 { break }
        }
        return parts.joined(separator: ", ")
    }
}

extension Int {
    /// With leading zeros.
    func padded(_ width: Int) -> String {
        let digits = String(magnitude)
        let zeros = String(repeating: "0", count: Swift.max(0, width - digits.count))
        return (self < 0 ? "-" : "") + zeros + digits
    }
}
