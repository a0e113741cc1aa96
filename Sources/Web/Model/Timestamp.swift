import FoundationEssentials

/// Moments as text that sorts by time: `2026-05-01 12:00:00.000000`, in UTC.
enum Timestamp {
    static func text(_ date: Date) -> String {
        let microseconds = Int((date.timeIntervalSince1970 * 1_000_000).rounded())
        let (seconds, fraction) = floorDivide(microseconds, 1_000_000)
        let (days, second) = floorDivide(seconds, 86_400)
        let (year, month, day) = civil(days)
        var text = "\(pad(year, 4))-\(pad(month, 2))-\(pad(day, 2)) "
        text += "\(pad(second / 3600, 2)):\(pad(second / 60 % 60, 2)):\(pad(second % 60, 2))"
        return fraction == 0 ? text : "\(text).\(pad(fraction, 6))"
    }

    /// Reads what ``text(_:)`` writes, and ISO 8601's `T` and `Z`; nil for anything else.
    static func date(_ text: String) -> Date? {
        var text = text
        return text.withUTF8 { bytes in
            guard bytes.count == 10 || bytes.count >= 19, bytes[4] == 0x2D, bytes[7] == 0x2D,
                let year = number(bytes, 0, 4), let month = number(bytes, 5, 2), let day = number(bytes, 8, 2),
                (1...12).contains(month), (1...31).contains(day)
            else { return nil }
            var seconds = Double(days(year, month, day)) * 86_400
            guard bytes.count > 10 else { return Date(timeIntervalSince1970: seconds) }
            guard bytes[10] == 0x20 || bytes[10] == 0x54, bytes[13] == 0x3A, bytes[16] == 0x3A,
                let hour = number(bytes, 11, 2), let minute = number(bytes, 14, 2), let second = number(bytes, 17, 2),
                hour < 24, minute < 60, second < 61
            else { return nil }
            seconds += Double(hour * 3600 + minute * 60 + second)
            var index = 19
            if index < bytes.count, bytes[index] == 0x2E {
                let start = index + 1
                index = start
                while index < bytes.count, bytes[index] &- 0x30 < 10 { index += 1 }
                guard index > start, index - start <= 9, let fraction = number(bytes, start, index - start) else {
                    return nil
                }
                seconds += Double(fraction) / (0..<(index - start)).reduce(1) { result, _ in result * 10 }
            }
            guard index == bytes.count || (index == bytes.count - 1 && bytes[index] == 0x5A) else { return nil }
            return Date(timeIntervalSince1970: seconds)
        }
    }

    private static func number(_ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ count: Int) -> Int? {
        var value = 0
        for index in start..<(start + count) {
            guard bytes[index] &- 0x30 < 10 else { return nil }
            value = value * 10 + Int(bytes[index] &- 0x30)
        }
        return value
    }

    private static func pad(_ value: Int, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }

    private static func floorDivide(_ value: Int, _ divisor: Int) -> (quotient: Int, remainder: Int) {
        let (quotient, remainder) = value.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }

    // The proleptic Gregorian calendar, counted in years that begin in March: leap days then come last.
    private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let shifted = month > 2 ? year : year - 1
        let (era, yearOfEra) = floorDivide(shifted, 400)
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func civil(_ days: Int) -> (year: Int, month: Int, day: Int) {
        let (era, dayOfEra) = floorDivide(days + 719_468, 146_097)
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (era * 400 + yearOfEra + (month > 2 ? 0 : 1), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }
}
