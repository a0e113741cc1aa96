extension TemplateValue {
    /// Python's `str(value)`.
    public var text: String {
        switch self {
        case .null: "None"
        case .bool(let value): value ? "True" : "False"
        case .int(let value): String(value)
        case .double(let value): value.description
        case .string(let value), .safe(let value): value
        case .date(let value): DateFormat.iso(value)
        case .list, .map: representation
        case .object(let object): object.templateText
        }
    }

    /// Python's `repr(value)`: how a list shows its elements.
    var representation: String {
        switch self {
        case .string(let value), .safe(let value):
            return Self.quoted(value)
        case .list(let values):
            return "[" + values.map(\.representation).joined(separator: ", ") + "]"
        case .map(let map):
            let pairs = map.entries.map { Self.quoted($0.key) + ": " + $0.value.representation }
            return "{" + pairs.joined(separator: ", ") + "}"
        default:
            return text
        }
    }

    private static func quoted(_ text: String) -> String {
        let quote: Unicode.Scalar =
            text.unicodeScalars.contains("'") && !text.unicodeScalars.contains("\"") ? "\"" : "'"
        var result = String(quote)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case quote: result += "\\" + String(quote)
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + String(quote)
    }

    /// Python's `bool(value)`.
    public var isTruthy: Bool {
        switch self {
        case .null: false
        case .bool(let value): value
        case .int(let value): value != 0
        case .double(let value): value != 0
        case .string(let value), .safe(let value): !value.isEmpty
        case .date: true
        case .list(let values): !values.isEmpty
        case .map(let map): !map.isEmpty
        case .object(let object): object.templateTruth
        }
    }

    /// Python's `int(value)`: text must be a whole number, a double is cut. Nil when Python would raise.
    var integer: Int? {
        switch self {
        case .bool(let value): return value ? 1 : 0
        case .int(let value): return value
        case .double(let value): return Int(exactly: value.rounded(.towardZero))
        case .string(let text), .safe(let text): return Int(text.trimmed)
        default: return nil
        }
    }

    /// Python's `float(value)`.
    var number: Double? {
        switch self {
        case .bool(let value): return value ? 1 : 0
        case .int(let value): return Double(value)
        case .double(let value): return value
        case .string(let text), .safe(let text): return Double(text.trimmed)
        default: return nil
        }
    }

    /// What `for` walks over: elements, a map's keys, a text's characters. Nil when it is no collection.
    var elements: [TemplateValue]? {
        switch self {
        case .list(let values): values
        case .map(let map): map.keys.map { .string($0) }
        case .string(let text), .safe(let text): text.unicodeScalars.map { .string(String($0)) }
        case .object(let object): object.templateElements
        default: nil
        }
    }

    /// Python's `len(value)`.
    var length: Int? {
        switch self {
        case .list(let values): values.count
        case .map(let map): map.count
        case .string(let text), .safe(let text): text.unicodeScalars.count
        case .object(let object): object.templateElements?.count
        default: nil
        }
    }
}

extension String {
    /// Without white space at both ends.
    var trimmed: String { String(Substring(self).trimmed) }
}

extension Substring {
    var trimmed: Substring {
        let scalars = unicodeScalars
        guard let first = scalars.firstIndex(where: { !$0.properties.isWhitespace }),
            let last = scalars.lastIndex(where: { !$0.properties.isWhitespace })
        else { return Substring() }
        return Substring(scalars[first...last])
    }
}
