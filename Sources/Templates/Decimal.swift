/// Decimal digits of a number, exactly as written: what rounding and display need, without binary surprises.
struct Decimal: Sendable {
    var isNegative: Bool
    /// Values 0 ... 9, at least one.
    var digits: [UInt8]
    /// The value is the digits times ten to this power.
    var exponent: Int

    /// Reads `-12.5e3`; nil for anything else.
    init?(_ text: String) {
        var digits: [UInt8] = []
        var exponent = 0
        var sawDot = false
        var rest = Array(text.utf8)[...]
        isNegative = rest.first == UInt8(ascii: "-")
        if isNegative || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        while let byte = rest.first {
            if (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) {
                digits.append(byte - UInt8(ascii: "0"))
                if sawDot { exponent -= 1 }
            } else if byte == UInt8(ascii: "."), !sawDot {
                sawDot = true
            } else {
                break
            }
            rest = rest.dropFirst()
        }
        guard !digits.isEmpty else { return nil }
        if let byte = rest.first {
            guard byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E"),
                let power = Int(String(decoding: rest.dropFirst(), as: UTF8.self)), power.magnitude <= 10_000
            else { return nil }
            exponent += power
        }
        self.digits = digits
        self.exponent = exponent
    }

    /// Digits after the point that are written.
    var places: Int { max(0, -exponent) }

    var isWhole: Bool {
        exponent >= 0 || digits.suffix(min(-exponent, digits.count)).allSatisfy { $0 == 0 }
    }

    /// The power of ten of the first digit.
    var magnitude: Int { digits.count + exponent }

    /// Rounded half away from zero to that many places after the point.
    func rounded(places: Int) -> Decimal {
        var result = self
        let surplus = -exponent - places
        if surplus <= 0 {
            result.digits += Array(repeating: 0, count: -surplus)
            result.exponent = -places
            return result
        }
        result.exponent = -places
        if surplus > digits.count {
            result.digits = [0]
            return result
        }
        let roundsUp = digits[digits.count - surplus] >= 5
        result.digits = Array(digits.dropLast(surplus))
        if result.digits.isEmpty { result.digits = [0] }
        if roundsUp {
            var index = result.digits.count - 1
            while index >= 0, result.digits[index] == 9 {
                result.digits[index] = 0
                index -= 1
            }
            if index >= 0 {
                result.digits[index] += 1
            } else {
                result.digits.insert(1, at: 0)
            }
        }
        return result
    }

    var isZero: Bool { digits.allSatisfy { $0 == 0 } }

    /// Without exponent: `-1234.50`, with the thousands grouped if wanted.
    func plain(grouped: Bool = false) -> String {
        var whole = digits
        if exponent > 0 { whole += Array(repeating: 0, count: exponent) }
        var fraction: [UInt8] = []
        if exponent < 0 {
            if -exponent > whole.count { whole = Array(repeating: 0, count: -exponent - whole.count) + whole }
            fraction = Array(whole.suffix(-exponent))
            whole = Array(whole.dropLast(-exponent))
        }
        whole = Array(whole.drop { $0 == 0 })
        if whole.isEmpty { whole = [0] }
        var text = isNegative ? "-" : ""
        for (index, digit) in whole.enumerated() {
            if grouped, index > 0, (whole.count - index) % 3 == 0 { text += "," }
            text += String(digit)
        }
        if !fraction.isEmpty { text += "." + fraction.map { String($0) }.joined() }
        return text
    }

    /// What `{{ number }}` shows: a double without exponent, except for the very large and the very small.
    static func display(_ number: Double) -> String {
        let text = number.description
        guard text.utf8.contains(UInt8(ascii: "e")), let decimal = Decimal(text), abs(decimal.magnitude) <= 200 else {
            return text
        }
        return decimal.plain()
    }

    /// Writes a whole number without making a `String` of it.
    static func append(_ number: Int, to output: inout [UInt8]) {
        if number < 0 { output.append(UInt8(ascii: "-")) }
        var divisor: UInt = 1
        while number.magnitude / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number.magnitude / divisor % 10))
            divisor /= 10
        }
    }
}
