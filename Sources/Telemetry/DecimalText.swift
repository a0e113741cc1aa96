/// Numbers as decimal digits, appended without making a string.
enum DecimalText {
    static func append(_ number: Int, to line: inout [UInt8]) {
        if number < 0 { line.append(UInt8(ascii: "-")) }
        append(number.magnitude, to: &line)
    }

    static func append(_ number: UInt, to line: inout [UInt8]) {
        if number < 10 { return line.append(UInt8(truncatingIfNeeded: 48 &+ number)) }
        append(number / 10, to: &line)
        line.append(UInt8(truncatingIfNeeded: 48 &+ number % 10))
    }

    /// With leading zeros to at least this many digits.
    static func append(_ number: Int, digits: Int, to line: inout [UInt8]) {
        var limit = 10
        var count = 1
        while number >= limit, count < 18 {
            limit *= 10
            count += 1
        }
        while count < digits {
            line.append(48)
            count += 1
        }
        append(number, to: &line)
    }

    /// Microseconds as seconds with six decimals: `0.000123`.
    static func appendSeconds(microseconds: Int, to line: inout [UInt8]) {
        let microseconds = max(0, microseconds)
        append(microseconds / 1_000_000, to: &line)
        line.append(UInt8(ascii: "."))
        append(microseconds % 1_000_000, digits: 6, to: &line)
    }
}
