/// Reads `constant-or-variable|filter:argument|…` with Django's grammar: white space around `|`, none around `:`.
struct ExpressionParser {
    private let text: String
    private let scalars: [Unicode.Scalar]
    private let place: SourcePlace
    private let registry: TagRegistry
    private var position = 0

    init(_ text: String, place: SourcePlace, registry: TagRegistry) {
        self.text = text
        scalars = Array(text.unicodeScalars)
        self.place = place
        self.registry = registry
    }

    mutating func parse() throws(TemplateError) -> TemplateExpression {
        guard let base = try operand() else { throw malformed("a variable, a number or a quoted text") }
        var filters: [TemplateExpression.AppliedFilter] = []
        while position < scalars.count {
            skipSpace()
            guard peek == "|" else { throw malformed("'|' and a filter, or the end, before '\(rest)'") }
            position += 1
            skipSpace()
            let name = take { $0 == "_" || $0.isWordCharacter }
            guard !name.isEmpty else { throw malformed("the name of a filter after '|'") }
            guard let function = registry.filter(name) else {
                throw place.error(.unknownFilter(name, nearest: registry.nearestFilter(name)))
            }
            var argument: TemplateExpression.Base?
            if peek == ":" {
                position += 1
                argument = try operand()
                if argument == nil { throw malformed("an argument right after '\(name):'") }
            }
            switch (function.argument, argument) {
            case (.none, .some): throw malformed("no argument for filter '\(name)'")
            case (.required, nil): throw malformed("an argument for filter '\(name)'")
            default: break
            }
            filters.append(.init(name: name, function: function, argument: argument))
        }
        return TemplateExpression(base: base, filters: filters, place: place)
    }

    private mutating func operand() throws(TemplateError) -> TemplateExpression.Base? {
        // `_("text")` marks text for translation; the text is what it means here.
        if peek == "_", at(1) == "(", let quote = at(2), quote == "\"" || quote == "'" {
            position += 2
            guard let value = quoted(), peek == ")" else { throw malformed("')' after the quoted text") }
            position += 1
            return .constant(.safe(value))
        }
        if peek == "\"" || peek == "'" {
            guard let value = quoted() else { throw malformed("a closing quote") }
            return .constant(.safe(value))
        }
        let word = take { $0 == "." || $0 == "_" || $0.isWordCharacter }
        if !word.isEmpty { return try variable(word) }
        if peek == "+" || peek == "-" {
            let start = position
            position += 1
            let digits = take { $0 == "." || $0 == "e" || ("0"..."9").contains($0) }
            if let first = digits.unicodeScalars.first, first != "e", let number = Self.number(digits) {
                guard string(start, start + 1) == "-" else { return .constant(number) }
                switch number {
                case .int(let value): return .constant(.int(-value))
                case .double(let value): return .constant(.double(-value))
                default: break
                }
            }
            position = start
        }
        return nil
    }

    private func variable(_ word: String) throws(TemplateError) -> TemplateExpression.Base {
        if let number = Self.number(word) { return .constant(number) }
        switch word {
        case "True": return .constant(.bool(true))
        case "False": return .constant(.bool(false))
        case "None": return .constant(.null)
        default: break
        }
        if word.hasPrefix("_") || word.contains(utf8: "._") {
            throw malformed("names that do not begin with an underscore")
        }
        return .variable(VariablePath(word))
    }

    /// `12`, `1.5`, `1e3`; a number ends in no dot.
    private static func number(_ word: String) -> TemplateValue? {
        guard let first = word.unicodeScalars.first, first == "." || ("0"..."9").contains(first) else { return nil }
        guard word.unicodeScalars.allSatisfy({ $0 == "." || $0 == "e" || $0 == "E" || ("0"..."9").contains($0) }) else {
            return nil
        }
        if let value = Int(word) { return .int(value) }
        if word.hasSuffix(".") { return nil }
        return Double(word.hasPrefix(".") ? "0" + word : word).map { .double($0) }
    }

    /// Quoted text with `\\`, `\"` and `\'` resolved; nil without a closing quote.
    private mutating func quoted() -> String? {
        let quote = scalars[position]
        var index = position + 1
        var value = String.UnicodeScalarView()
        while index < scalars.count {
            let scalar = scalars[index]
            if scalar == quote {
                position = index + 1
                return String(value)
            }
            if scalar == "\\", index + 1 < scalars.count {
                let next = scalars[index + 1]
                if next != quote && next != "\\" { value.append(scalar) }
                value.append(next)
                index += 2
                continue
            }
            value.append(scalar)
            index += 1
        }
        return nil
    }

    private var peek: Unicode.Scalar? { at(0) }
    private var rest: String { string(position, scalars.count) }

    private func at(_ distance: Int) -> Unicode.Scalar? {
        position + distance < scalars.count ? scalars[position + distance] : nil
    }

    private mutating func skipSpace() {
        while let scalar = peek, scalar.properties.isWhitespace { position += 1 }
    }

    private mutating func take(while matches: (Unicode.Scalar) -> Bool) -> String {
        let start = position
        while let scalar = peek, matches(scalar) { position += 1 }
        return string(start, position)
    }

    private func string(_ start: Int, _ end: Int) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars[start..<end])
        return String(view)
    }

    private func malformed(_ expected: String) -> TemplateError {
        place.error(.malformedExpression(text, expected: expected))
    }
}

extension Unicode.Scalar {
    /// Letters and digits of any script (Python's `\w` without the underscore).
    var isWordCharacter: Bool {
        if isASCII { return ("0"..."9").contains(self) || ("a"..."z").contains(self) || ("A"..."Z").contains(self) }
        return properties.isAlphabetic || properties.numericType != nil
    }
}
