/// A set of bytes.
struct ByteSet: Equatable {
    private var words = SIMD4<UInt64>()

    init() {}

    init(_ range: ClosedRange<UInt8>) { insert(range) }

    mutating func insert(_ range: ClosedRange<UInt8>) {
        for byte in range { words[Int(byte >> 6)] |= 1 << UInt64(byte & 63) }
    }

    func contains(_ byte: UInt8) -> Bool { words[Int(byte >> 6)] >> UInt64(byte & 63) & 1 == 1 }

    mutating func formUnion(_ other: ByteSet) { words |= other.words }

    /// The ASCII bytes that are not in this set.
    var asciiComplement: ByteSet {
        var result = ByteSet()
        for byte in UInt8(0)...127 where !contains(byte) { result.insert(byte...byte) }
        return result
    }
}

/// A regular expression as a tree.
indirect enum ExpressionNode {
    case empty
    case bytes(ByteSet)
    /// One character outside ASCII, as UTF-8 writes it.
    case wideCharacter
    case sequence([ExpressionNode])
    case choice([ExpressionNode])
    /// `max` nil is without end.
    case repetition(ExpressionNode, min: Int, max: Int?)
    case start
    case end
}

/// Reads the text of a ``PathExpression``.
struct ExpressionParser {
    private let characters: [Character]
    private var position = 0
    private var depth = 0
    private(set) var ignoresCase = false

    init(_ source: String) { characters = Array(source) }

    mutating func parse() throws(PathExpression.Invalid) -> ExpressionNode {
        if characters.starts(with: "(?i)") {
            ignoresCase = true
            position = 4
        }
        let tree = try choice()
        guard position == characters.count else { throw invalid("unmatched ')'") }
        return tree
    }

    private func invalid(_ message: String) -> PathExpression.Invalid {
        PathExpression.Invalid(offset: position, message: message)
    }

    private var next: Character? { position < characters.count ? characters[position] : nil }

    private mutating func take(_ character: Character) -> Bool {
        guard next == character else { return false }
        position += 1
        return true
    }

    private mutating func choice() throws(PathExpression.Invalid) -> ExpressionNode {
        depth += 1
        defer { depth -= 1 }
        guard depth < 100 else { throw invalid("groups nested too deep") }
        var branches = [try sequence()]
        while take("|") { branches.append(try sequence()) }
        return branches.count == 1 ? branches[0] : .choice(branches)
    }

    private mutating func sequence() throws(PathExpression.Invalid) -> ExpressionNode {
        var parts: [ExpressionNode] = []
        while let character = next, character != "|", character != ")" {
            var part = try atom()
            while let bounds = try quantifier() {
                if case .start = part { throw invalid("nothing to repeat") }
                part = .repetition(part, min: bounds.min, max: bounds.max)
            }
            parts.append(part)
        }
        return parts.count == 1 ? parts[0] : parts.isEmpty ? .empty : .sequence(parts)
    }

    private mutating func quantifier() throws(PathExpression.Invalid) -> (min: Int, max: Int?)? {
        let bounds: (Int, Int?)
        switch next {
        case "*": bounds = (0, nil)
        case "+": bounds = (1, nil)
        case "?": bounds = (0, 1)
        case "{":
            position += 1
            let low = number()
            var high: Int? = low
            if take(",") { high = number() }
            guard let low, next == "}", low <= 200, high ?? 0 <= 200, low <= high ?? low else {
                throw invalid("expected '{n}', '{n,}' or '{n,m}' up to 200")
            }
            bounds = (low, high)
        default: return nil
        }
        position += 1
        // Lazy and greedy find the same: only whether there is a match is asked.
        _ = take("?")
        if next == "+" { throw invalid("possessive repetition is not supported") }
        return bounds
    }

    private mutating func number() -> Int? {
        var value: Int?
        while let digit = next?.wholeNumberValue, next?.isASCII == true, value ?? 0 < 10_000 {
            value = (value ?? 0) * 10 + digit
            position += 1
        }
        return value
    }

    private mutating func atom() throws(PathExpression.Invalid) -> ExpressionNode {
        guard let character = next else { return .empty }
        position += 1
        switch character {
        case "^": return .start
        case "$": return .end
        case ".": return .choice([.bytes(ByteSet(0...127)), .wideCharacter])
        case "(":
            if take("?") {
                guard take(":") else { throw invalid("only plain groups and (?:...) are supported") }
            }
            let inner = try choice()
            guard take(")") else { throw invalid("missing ')'") }
            return inner
        case "[": return try bracket()
        case "\\": return try escape()
        case "*", "+", "?", "{":
            position -= 1
            throw invalid("nothing to repeat")
        default: return literal(character)
        }
    }

    private func literal(_ character: Character) -> ExpressionNode {
        let bytes = String(character).utf8.map { ExpressionNode.bytes(ByteSet($0...$0)) }
        return bytes.count == 1 ? bytes[0] : .sequence(bytes)
    }

    private mutating func escape() throws(PathExpression.Invalid) -> ExpressionNode {
        guard let character = next else { throw invalid("nothing follows '\\'") }
        if let (set, isNegated) = Self.shorthand(character) {
            position += 1
            return isNegated ? .choice([.bytes(set.asciiComplement), .wideCharacter]) : .bytes(set)
        }
        guard let byte = try escapedByte() else {
            position += 1
            return literal(character)
        }
        return .bytes(ByteSet(byte...byte))
    }

    /// An escape for one ASCII character; nil when the character stands for itself and is no ASCII.
    private mutating func escapedByte() throws(PathExpression.Invalid) -> UInt8? {
        guard let character = next else { throw invalid("nothing follows '\\'") }
        guard let byte = character.asciiValue else { return nil }
        guard !(character.isLetter || character.isNumber) else {
            throw invalid("'\\\(character)' is not supported")
        }
        position += 1
        return byte
    }

    private static func shorthand(_ character: Character) -> (ByteSet, isNegated: Bool)? {
        var set = ByteSet()
        switch character {
        case "d", "D": set.insert(0x30...0x39)
        case "w", "W":
            set.insert(0x30...0x39)
            set.insert(0x41...0x5A)
            set.insert(0x61...0x7A)
            set.insert(0x5F...0x5F)
        case "s", "S":
            set.insert(0x09...0x0D)
            set.insert(0x20...0x20)
        default: return nil
        }
        return (set, character.isUppercase)
    }

    private mutating func bracket() throws(PathExpression.Invalid) -> ExpressionNode {
        let isNegated = take("^")
        var set = ByteSet()
        var isFirst = true
        while true {
            guard let character = next else { throw invalid("missing ']'") }
            if character == "]", !isFirst { break }
            isFirst = false
            position += 1
            if character == "\\", let following = next, let (shorthand, negated) = Self.shorthand(following) {
                position += 1
                set.formUnion(negated ? shorthand.asciiComplement : shorthand)
                continue
            }
            guard let low = character == "\\" ? try escapedByte() : character.asciiValue else {
                throw invalid("classes hold ASCII characters only: write alternatives")
            }
            guard next == "-", position + 1 < characters.count, characters[position + 1] != "]" else {
                set.insert(low...low)
                continue
            }
            position += 1
            let end = characters[position]
            position += 1
            guard let high = end == "\\" ? try escapedByte() : end.asciiValue, high >= low else {
                throw invalid("invalid range in class")
            }
            set.insert(low...high)
        }
        position += 1
        return isNegated ? .choice([.bytes(set.asciiComplement), .wideCharacter]) : .bytes(set)
    }
}
