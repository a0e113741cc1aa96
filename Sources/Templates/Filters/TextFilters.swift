/// Filters from text to text that do not care about HTML.
enum TextFilters {
    /// Padding and the like stop here: a template is not a way to ask for all memory.
    static let widthLimit = 1 << 20

    static let all: [FilterFunction] = [
        text("addslashes") { $0.escaping(["\\", "\"", "'"]) },
        text("capfirst") { capitalizedFirst($0) },
        text("lower") { $0.lowercased() },
        FilterFunction("upper") { value, _, _ in .string(value.text.uppercased()) },
        text("title") { title($0) },
        FilterFunction("slugify") { value, _, _ in value.rewrapped(slug(value.text)) },
        FilterFunction("wordcount") { value, _, _ in .int(words(value.text).count) },
        FilterFunction("cut", argument: .required) { value, argument, _ in
            let part = argument?.text ?? ""
            let text = value.text.replacing(utf8: part, with: "")
            return value.isSafe && part != ";" ? .safe(text) : .string(text)
        },
        FilterFunction("truncatechars", argument: .required, keepsSafety: true) { value, argument, _ in
            guard let length = try count(argument) else { return .string(value.text) }
            return .string(truncate(value.text, characters: length))
        },
        FilterFunction("truncatewords", argument: .required, keepsSafety: true) { value, argument, _ in
            guard let length = try count(argument) else { return .string(value.text) }
            let all = words(value.text)
            if length <= 0 { return .string("") }
            let kept = all.prefix(length).joined(separator: " ")
            return .string(all.count > length ? kept + " …" : kept)
        },
        padding("ljust") { _, missing in (0, missing) },
        padding("rjust") { _, missing in (missing, 0) },
        // As CPython centres: the odd blank goes to the left when the width is odd.
        padding("center") { width, missing in
            let left = missing / 2 + (missing & width & 1)
            return (left, missing - left)
        },
        FilterFunction("wordwrap", argument: .required, keepsSafety: true) { value, argument, _ in
            guard let width = argument?.integer, width > 0 else {
                throw TemplateFailure("the width is no number above 0")
            }
            return .string(wrap(value.text, width: width))
        },
        FilterFunction("stringformat", argument: .required, keepsSafety: true) { value, argument, _ in
            .string(try PercentFormat.format(value, argument?.text ?? ""))
        },
        FilterFunction("make_list") { value, _, _ in
            .list(value.text.unicodeScalars.map { .string(String($0)) })
        },
    ]

    private static func text(_ name: String, _ change: @escaping @Sendable (String) -> String) -> FilterFunction {
        FilterFunction(name, keepsSafety: true) { value, _, _ in .string(change(value.text)) }
    }

    /// A number of something; nil for text that is none, as Django lets that pass.
    static func count(_ argument: TemplateValue?) throws -> Int? {
        guard let argument else { return nil }
        if let number = argument.integer { return number }
        guard argument.isText else { throw TemplateFailure("'\(argument.text)' is no number") }
        return nil
    }

    private static func padding(_ name: String, _ split: @escaping @Sendable (Int, Int) -> (Int, Int)) -> FilterFunction
    {
        FilterFunction(name, argument: .required, keepsSafety: true) { value, argument, _ in
            guard let width = argument?.integer else { throw TemplateFailure("the width is no number") }
            guard width <= widthLimit else { throw TemplateFailure("the width is above \(widthLimit)") }
            let text = value.text
            let length = text.unicodeScalars.count
            guard width > length else { return .string(text) }
            let missing = width - length
            let (left, right) = split(width, missing)
            return .string(String(repeating: " ", count: left) + text + String(repeating: " ", count: right))
        }
    }

    static func capitalizedFirst(_ text: String) -> String {
        guard let first = text.unicodeScalars.first else { return text }
        var rest = text.unicodeScalars
        rest.removeFirst()
        return String(first).uppercased() + String(rest)
    }

    /// Python's `str.title()`, but not after an apostrophe or a digit: "it's 1st", not "It'S 1St".
    static func title(_ text: String) -> String {
        var result = ""
        var before: Unicode.Scalar?
        // Whether the character before the last one was written as a small letter a to z.
        var isSmallBefore = false
        var isSmallBeforeThat = false
        for scalar in text.unicodeScalars {
            let follows = before?.properties.isCased ?? false
            let titled = scalar.properties.titlecaseMapping
            let isCapital = titled.utf8.count == 1 && titled.utf8.allSatisfy { (65...90).contains($0) }
            let afterApostrophe = before == "'" && isSmallBeforeThat && isCapital
            let afterDigit = before?.properties.numericType == .decimal && isCapital
            let written = follows || afterApostrophe || afterDigit ? scalar.properties.lowercaseMapping : titled
            result += written
            isSmallBeforeThat = isSmallBefore
            isSmallBefore = written.utf8.count == 1 && written.utf8.allSatisfy { (97...122).contains($0) }
            before = scalar
        }
        return result
    }

    static func words(_ text: String) -> [Substring] {
        text.unicodeScalars.split { $0.properties.isWhitespace }.map { Substring($0) }
    }

    static func slug(_ text: String) -> String {
        var kept = ""
        for scalar in decomposed(text) where scalar.isASCII {
            switch scalar {
            case "a"..."z", "0"..."9", "_", "-": kept.unicodeScalars.append(scalar)
            case "A"..."Z": kept += scalar.properties.lowercaseMapping
            case " ", "\t", "\n", "\r", "\u{0b}", "\u{0c}", "\u{1c}", "\u{1d}", "\u{1e}", "\u{1f}":
                kept += " "
            default: break
            }
        }
        var result = ""
        for scalar in kept.trimmed.unicodeScalars {
            if scalar == " " || scalar == "-" {
                if !result.hasSuffix("-") { result += "-" }
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return String(result.unicodeScalars.drop { $0 == "-" || $0 == "_" }.trimmingEnd { $0 == "-" || $0 == "_" })
    }

    /// Letters with their accents apart, as far as Latin scripts need it.
    private static func decomposed(_ text: String) -> [Unicode.Scalar] {
        text.unicodeScalars.flatMap { LatinDecomposition.scalars(of: $0) }
    }

    /// At most so many characters, with "…" as the last one; accents that combine are not counted.
    static func truncate(_ text: String, characters length: Int) -> String {
        if length <= 0 { return "" }
        var count = 0
        var end: String.Index?
        let scalars = text.unicodeScalars
        for index in scalars.indices {
            guard scalars[index].properties.canonicalCombiningClass == .notReordered else { continue }
            count += 1
            if end == nil, count > length - 1 { end = index }
            if count > length { return String(text[..<(end ?? index)]) + "…" }
        }
        return text
    }

    private static func wrap(_ text: String, width: Int) -> String {
        var source = HTMLFilters.normalized(text)
        // As Python's splitlines, whose last line end ends a line and begins none.
        if source.hasSuffix("\n") { source.removeLast() }
        let lines = source.lines.map { line -> String in
            var rows: [String] = []
            var row = ""
            var length = 0
            for word in line.split(separator: " ", omittingEmptySubsequences: false) {
                let size = word.unicodeScalars.count
                if !rows.isEmpty || length > 0, length + 1 + size > width, length > 0 {
                    rows.append(row)
                    row = String(word)
                    length = size
                } else {
                    row += length > 0 ? " " + word : String(word)
                    length += size + (length > 0 ? 1 : 0)
                }
            }
            return (rows + [row]).joined(separator: "\n")
        }
        return lines.joined(separator: "\n")
    }
}

extension Substring.UnicodeScalarView {
    func trimmingEnd(_ matches: (Unicode.Scalar) -> Bool) -> Substring.UnicodeScalarView {
        var view = self
        while let last = view.last, matches(last) { view.removeLast() }
        return view
    }
}

extension String {
    /// Split at each line feed; a carriage return before one stays.
    var lines: [Substring] {
        unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { Substring($0) }
    }

    /// A backslash before each of these.
    func escaping(_ scalars: Set<Unicode.Scalar>) -> String {
        var result = String.UnicodeScalarView()
        for scalar in unicodeScalars {
            if scalars.contains(scalar) { result.append("\\") }
            result.append(scalar)
        }
        return String(result)
    }
}
