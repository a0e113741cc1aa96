/// Filters that make, escape or take apart HTML and its relatives.
enum HTMLFilters {
    static let all: [FilterFunction] = [
        FilterFunction("safe") { value, _, _ in .safe(value.text) },
        FilterFunction("escape") { value, _, _ in .safe(HTMLEscape.conditional(value)) },
        FilterFunction("force_escape") { value, _, _ in .safe(HTMLEscape.escaped(value.text)) },
        FilterFunction("safeseq") { value, _, _ in
            .list((value.elements ?? []).map { .safe($0.text) })
        },
        FilterFunction("escapeseq") { value, _, _ in
            .list((value.elements ?? []).map { .safe(HTMLEscape.conditional($0)) })
        },
        FilterFunction("striptags", keepsSafety: true) { value, _, _ in .string(stripTags(value.text)) },
        FilterFunction("linebreaks") { value, _, environment in
            let isEscaped = environment.autoescape && !value.isSafe
            let paragraphs = paragraphs(of: normalized(value.text)).map { paragraph in
                let text = isEscaped ? HTMLEscape.escaped(paragraph) : paragraph
                return "<p>" + text.replacing(utf8: "\n", with: "<br>") + "</p>"
            }
            return .safe(paragraphs.joined(separator: "\n\n"))
        },
        FilterFunction("linebreaksbr") { value, _, environment in
            let text = normalized(value.text)
            let escaped = environment.autoescape && !value.isSafe ? HTMLEscape.escaped(text) : text
            return .safe(escaped.replacing(utf8: "\n", with: "<br>"))
        },
        FilterFunction("linenumbers") { value, _, environment in
            let isEscaped = environment.autoescape && !value.isSafe
            let lines = value.text.lines
            let width = String(lines.count).count
            return .safe(
                lines.enumerated().map { index, line in
                    (index + 1).padded(width) + ". " + (isEscaped ? HTMLEscape.escaped(String(line)) : String(line))
                }.joined(separator: "\n"))
        },
        FilterFunction("escapejs") { value, _, _ in .safe(escapeJavaScript(value.text)) },
        FilterFunction("json_script", argument: .optional) { value, argument, _ in
            let json = JSONText.string(value)
                .replacing(utf8: "&", with: "\\u0026").replacing(utf8: "<", with: "\\u003C")
                .replacing(utf8: ">", with: "\\u003E")
            let id = argument.map { $0.isTruthy ? " id=\"" + HTMLEscape.conditional($0) + "\"" : "" } ?? ""
            return .safe("<script\(id) type=\"application/json\">\(json)</script>")
        },
        FilterFunction("urlencode", argument: .optional) { value, argument, _ in
            .string(percentEncode(value.text, keeping: argument?.text ?? "/"))
        },
        FilterFunction("iriencode", keepsSafety: true) { value, _, _ in
            .string(percentEncode(value.text, keeping: "/#%[]=:;$&()+,!?*@'~"))
        },
    ]

    static func normalized(_ text: String) -> String {
        text.replacing(utf8: "\r\n", with: "\n").replacing(utf8: "\r", with: "\n")
    }

    /// Text between two or more line ends.
    private static func paragraphs(of text: String) -> [String] {
        var result: [String] = []
        var current = String.UnicodeScalarView()
        var ends = 0
        for scalar in text.unicodeScalars {
            if scalar == "\n" {
                ends += 1
                continue
            }
            if ends >= 2 {
                result.append(String(current))
                current = String.UnicodeScalarView()
            } else if ends == 1 {
                current.append("\n")
            }
            ends = 0
            current.append(scalar)
        }
        if ends == 1 { current.append("\n") }
        result.append(String(current))
        if ends >= 2 { result.append("") }
        return result
    }

    private static func escapeJavaScript(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\", "'", "\"", ">", "<", "&", "=", "-", ";", "`", "\u{2028}", "\u{2029}", "\u{00}"..."\u{1f}":
                let hex = String(scalar.value, radix: 16, uppercase: true)
                result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    static func percentEncode(_ text: String, keeping extra: String) -> String {
        var result: [UInt8] = []
        let hex = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"),
                UInt8(ascii: "~"):
                result.append(byte)
            default:
                if byte < 0x80, extra.utf8.contains(byte) {
                    result.append(byte)
                } else {
                    result += [UInt8(ascii: "%"), hex[Int(byte >> 4)], hex[Int(byte & 15)]]
                }
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Takes tags, comments, declarations and processing instructions out, again and again until none is left, as one
    /// removal may put another together.
    static func stripTags(_ text: String) -> String {
        var text = text
        var rounds = 0
        while text.utf8.contains(UInt8(ascii: "<")), text.utf8.contains(UInt8(ascii: ">")), rounds < 50 {
            rounds += 1
            let stripped = stripOnce(text)
            if stripped.utf8.count == text.utf8.count { break }
            text = stripped
        }
        return text
    }

    private static func stripOnce(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            guard bytes[index] == UInt8(ascii: "<"), index + 1 < bytes.count else {
                result.append(bytes[index])
                index += 1
                continue
            }
            let rest = bytes[index...]
            var end: Int?
            if rest.starts(with: "<!--".utf8) {
                end = find("-->", in: bytes, from: index + 4) ?? bytes.count
            } else {
                let next = bytes[index + 1]
                let isTag =
                    next == UInt8(ascii: "/") || next == UInt8(ascii: "!") || next == UInt8(ascii: "?")
                    || Unicode.Scalar(next).properties.isASCIIHexDigit && next > UInt8(ascii: "9")
                    || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(next | 0x20)
                if isTag { end = endOfTag(bytes, from: index + 1) }
            }
            if let end {
                index = end
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// The byte after the tag's `>`, which does not count inside quotes after `=`.
    private static func endOfTag(_ bytes: [UInt8], from start: Int) -> Int? {
        var index = start
        var quote: UInt8?
        while index < bytes.count {
            let byte = bytes[index]
            if let open = quote {
                if byte == open { quote = nil }
            } else if byte == UInt8(ascii: ">") {
                return index + 1
            } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'"), bytes[index - 1] == UInt8(ascii: "=") {
                quote = byte
            }
            index += 1
        }
        return nil
    }

    private static func find(_ part: String, in bytes: [UInt8], from start: Int) -> Int? {
        let needle = Array(part.utf8)
        var index = start
        while index + needle.count <= bytes.count {
            if bytes[index..<index + needle.count].elementsEqual(needle) { return index + needle.count }
            index += 1
        }
        return nil
    }
}
