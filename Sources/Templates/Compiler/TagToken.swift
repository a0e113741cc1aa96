/// A tag as it stands in a template: `{% name argument … %}`.
public struct TagToken: Sendable {
    public let name: String
    /// The words after the name; quoted text stays whole, with its quotes.
    public let arguments: [String]
    public let place: SourcePlace

    init(content: String, place: SourcePlace) {
        let words = Self.split(content)
        name = words.first ?? ""
        arguments = Array(words.dropFirst())
        self.place = place
    }

    /// An error at this tag that says what it should look like.
    public func malformed(expected: String) -> TemplateError {
        place.error(.malformedTag(name, expected: expected))
    }

    /// An error at this tag, for what goes wrong while rendering.
    public func failure(_ reason: String) -> TemplateError { place.error(.tagFailed(name, reason: reason)) }

    /// Splits at white space outside quotes; a quote that never closes is an ordinary character.
    static func split(_ content: String) -> [String] {
        let scalars = Array(content.unicodeScalars)
        var words: [String] = []
        var position = 0
        // A quote of this kind does not close any more: found once, remembered.
        var unclosed: Set<Unicode.Scalar> = []
        while position < scalars.count {
            if scalars[position].properties.isWhitespace {
                position += 1
                continue
            }
            let start = position
            while position < scalars.count, !scalars[position].properties.isWhitespace {
                let scalar = scalars[position]
                if scalar == "\"" || scalar == "'", !unclosed.contains(scalar) {
                    if let end = closingQuote(scalars, from: position) {
                        position = end
                    } else {
                        unclosed.insert(scalar)
                    }
                }
                position += 1
            }
            var word = String.UnicodeScalarView()
            word.append(contentsOf: scalars[start..<position])
            words.append(String(word))
        }
        return words
    }

    private static func closingQuote(_ scalars: [Unicode.Scalar], from start: Int) -> Int? {
        var index = start + 1
        while index < scalars.count {
            if scalars[index] == "\\" {
                index += 2
                continue
            }
            if scalars[index] == scalars[start] { return index }
            index += 1
        }
        return nil
    }
}
