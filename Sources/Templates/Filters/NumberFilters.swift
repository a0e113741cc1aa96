/// Filters over numbers.
enum NumberFilters {
    static let all: [FilterFunction] = [
        FilterFunction("add", argument: .required) { value, argument, _ in
            add(value, argument ?? .null)
        },
        FilterFunction("divisibleby", argument: .required) { value, argument, _ in
            guard let number = value.integer, let divisor = argument?.integer else {
                throw TemplateFailure("'\(value.text)' and '\(argument?.text ?? "")' are not whole numbers")
            }
            guard divisor != 0 else { throw TemplateFailure("nothing is divisible by 0") }
            return .bool(divisor == -1 || number % divisor == 0)
        },
        FilterFunction("floatformat", argument: .optional) { value, argument, _ in
            try floatFormat(value, argument)
        },
        FilterFunction("get_digit", argument: .required) { value, argument, _ in
            guard let number = value.integer, let position = argument?.integer, position >= 1 else { return value }
            let digits = Array(String(number).utf8)
            guard position <= digits.count else { return .int(0) }
            let digit = digits[digits.count - position]
            guard digit != UInt8(ascii: "-") else { throw TemplateFailure("'\(number)' has no digit \(position)") }
            return .int(Int(digit) - 48)
        },
        FilterFunction("intcomma", argument: .optional, keepsSafety: true) { value, _, _ in
            .string(groupedByThousands(value))
        },
        FilterFunction("filesizeformat", keepsSafety: true) { value, _, _ in .string(fileSize(value)) },
        FilterFunction("pluralize", argument: .optional) { value, argument, _ in
            pluralize(value, argument?.text ?? "s")
        },
    ]

    private static func add(_ left: TemplateValue, _ right: TemplateValue) -> TemplateValue {
        if let first = left.integer, let second = right.integer {
            let (sum, overflow) = first.addingReportingOverflow(second)
            return overflow ? .double(Double(first) + Double(second)) : .int(sum)
        }
        switch (left, right) {
        case (.safe(let first), .safe(let second)): return .safe(first + second)
        case (.string(let first), .string(let second)), (.safe(let first), .string(let second)),
            (.string(let first), .safe(let second)):
            return .string(first + second)
        case (.list(let first), .list(let second)): return .list(first + second)
        default:
            guard left.isNumber, right.isNumber, let first = left.number, let second = right.number else { return "" }
            return .double(first + second)
        }
    }

    private static func floatFormat(_ value: TemplateValue, _ argument: TemplateValue?) throws -> TemplateValue {
        var text = argument?.text ?? "-1"
        guard !text.isEmpty else { throw TemplateFailure("the number of places is empty") }
        if case .null? = argument { throw TemplateFailure("None is no number of places") }
        // The last letters may be "g" (group thousands) and "u" (no localisation, hence no groups either).
        var letters: Set<Character> = []
        while let last = text.last, last == "g" || last == "u", letters.insert(last).inserted { text.removeLast() }
        if text.isEmpty { text = "-1" }
        let isGrouped = letters == ["g"]
        let input: String
        switch value {
        case .double(let number): input = number.description
        default: input = value.isNumber ? String(value.integer ?? 0) : value.text.trimmed
        }
        guard Decimal(input) != nil || value.number != nil else { return "" }
        guard let places = Int(text) else { return .string(value.text) }
        guard let decimal = Decimal(input), abs(decimal.magnitude) <= 200, places.magnitude <= 200 else {
            guard let number = value.number, !number.isFinite else {
                return Decimal(input) == nil ? "" : .safe(input)
            }
            return .safe(input)
        }
        if decimal.isWhole, places < 0 {
            var whole = decimal.rounded(places: 0)
            if whole.isZero { whole.isNegative = false }
            return .safe(whole.plain(grouped: isGrouped))
        }
        var rounded = decimal.rounded(places: abs(places))
        if rounded.isZero { rounded.isNegative = false }
        return .safe(rounded.plain(grouped: isGrouped))
    }

    private static func groupedByThousands(_ value: TemplateValue) -> String {
        switch value {
        case .bool(let flag): return flag ? "1" : "0"
        case .double(let number):
            let text = Decimal.display(number)
            return Decimal(text)?.plain(grouped: true) ?? text
        default: break
        }
        let text = value.text
        let start = text.utf8.first == UInt8(ascii: "-") ? 1 : 0
        let digits = text.utf8.dropFirst(start).prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard !digits.isEmpty, Decimal(text) != nil, !text.utf8.contains(where: { $0 | 0x20 == UInt8(ascii: "e") })
        else {
            return text
        }
        var result = String(text.prefix(start))
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { result += "," }
            result.unicodeScalars.append(Unicode.Scalar(digit))
        }
        return result + String(decoding: text.utf8.dropFirst(start + digits.count), as: UTF8.self)
    }

    private static func fileSize(_ value: TemplateValue) -> String {
        guard let number = value.integer else { return "0\u{a0}bytes" }
        let bytes = number.magnitude
        let sign = number < 0 ? "-" : ""
        if bytes < 1024 { return "\(sign)\(bytes)\u{a0}byte\(bytes == 1 ? "" : "s")" }
        var size = Double(bytes) / 1024
        var unit = 0
        while size >= 1024, unit < 4 {
            size /= 1024
            unit += 1
        }
        let rounded = Decimal((size * 10).rounded(.toNearestOrEven).description)?.plain() ?? ""
        let tenths = Int(rounded.prefix { $0 != "." }) ?? 0
        return "\(sign)\(tenths / 10).\(tenths % 10)\u{a0}\(["KB", "MB", "GB", "TB", "PB"][unit])"
    }

    private static func pluralize(_ value: TemplateValue, _ suffixes: String) -> TemplateValue {
        let forms = suffixes.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard forms.count <= 2 else { return "" }
        let singular = forms.count == 2 ? forms[0] : ""
        let plural = forms.count == 2 ? forms[1] : forms[0]
        if let number = value.number { return .string(number == 1 ? singular : plural) }
        if let length = value.length, !(value.isText) { return .string(length == 1 ? singular : plural) }
        return ""
    }
}

extension TemplateValue {
    var isText: Bool {
        switch self {
        case .string, .safe: true
        default: false
        }
    }
}
