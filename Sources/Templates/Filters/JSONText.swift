/// A value as JSON, spaced and escaped as Python's `json.dumps` does.
enum JSONText {
    static func string(_ value: TemplateValue) -> String {
        switch value {
        case .null: return "null"
        case .bool(let flag): return flag ? "true" : "false"
        case .int(let number): return String(number)
        case .double(let number):
            if number.isNaN { return "NaN" }
            if number.isInfinite { return number < 0 ? "-Infinity" : "Infinity" }
            return number.description
        case .string(let text), .safe(let text): return quoted(text)
        case .date(let date):
            // Milliseconds, as ECMAScript has them.
            var rounded = date
            rounded.nanoseconds -= date.nanoseconds % 1_000_000
            let text = DateFormat.iso(rounded).replacing(utf8: "+00:00", with: "Z")
            let short = rounded.nanoseconds == 0 ? text : text.replacing(utf8: "000Z", with: "Z")
            return quoted(short.replacing(utf8: " ", with: "T"))
        case .list(let values): return "[" + values.map(string).joined(separator: ", ") + "]"
        case .map(let map):
            return "{" + map.entries.map { quoted($0.key) + ": " + string($0.value) }.joined(separator: ", ") + "}"
        case .object(let object):
            return object.templateElements.map { string(.list($0)) } ?? quoted(object.templateText)
        }
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for unit in text.utf16 {
            switch unit {
            case 0x22: result += "\\\""
            case 0x5c: result += "\\\\"
            case 0x0a: result += "\\n"
            case 0x0d: result += "\\r"
            case 0x09: result += "\\t"
            case 0x08: result += "\\b"
            case 0x0c: result += "\\f"
            case 0x20...0x7e: result.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
            default:
                let hex = String(unit, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            }
        }
        return result + "\""
    }
}
