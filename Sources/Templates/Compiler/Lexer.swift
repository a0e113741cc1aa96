/// Cuts a template into text, variables and tags, in one pass over its bytes.
///
/// As in Django, a tag begins and ends on one line; what only looks like a tag is text.
struct Lexer {
    enum TokenKind { case text, variable, tag }

    struct Token {
        let kind: TokenKind
        /// For text the text, for others what is between the delimiters, without white space around it.
        let content: Range<Int>
        /// Where the token begins, with its delimiter.
        let offset: Int
    }

    private let bytes: [UInt8]
    private var tokens: [Token] = []
    private var textStart = 0
    /// Inside `verbatim`: the tag that ends it.
    private var verbatimEnd: [UInt8]?

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    static func tokens(of bytes: [UInt8]) -> [Token] {
        var lexer = Lexer(bytes)
        lexer.run()
        return lexer.tokens
    }

    private mutating func run() {
        var position = 0
        // Ends of tags looked for in vain on this line: `{{{{{{…` stays linear.
        var hopelessUntil = 0
        var hopeless: [UInt8] = []
        while position + 1 < bytes.count {
            guard bytes[position] == UInt8(ascii: "{"), let close = Self.closing(bytes[position + 1]) else {
                position += 1
                continue
            }
            if position >= hopelessUntil { hopeless = [] }
            if hopeless.contains(close) {
                position += 1
                continue
            }
            switch findEnd(close, from: position + 2) {
            case .found(let end):
                take(position, end: end, kind: bytes[position + 1])
                position = end + 2
            case .none(let lineEnd):
                hopeless.append(close)
                hopelessUntil = lineEnd
                position += 1
            }
        }
        flushText(upTo: bytes.count)
    }

    private enum End {
        case found(Int)
        case none(lineEnd: Int)
    }

    private static func closing(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "{"): UInt8(ascii: "}")
        case UInt8(ascii: "%"), UInt8(ascii: "#"): byte
        default: nil
        }
    }

    private func findEnd(_ close: UInt8, from start: Int) -> End {
        var index = start
        while index < bytes.count, bytes[index] != UInt8(ascii: "\n") {
            if bytes[index] == close, index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: "}") {
                return .found(index)
            }
            index += 1
        }
        return .none(lineEnd: index)
    }

    private mutating func take(_ start: Int, end: Int, kind: UInt8) {
        let content = trim(start + 2..<end)
        if let verbatimEnd {
            guard kind == UInt8(ascii: "%"), bytes[content].elementsEqual(verbatimEnd) else { return }
            self.verbatimEnd = nil
        } else if kind == UInt8(ascii: "%"), bytes[content].starts(with: "verbatim".utf8) {
            let rest = bytes[content].dropFirst(8)
            if rest.isEmpty || rest.first == UInt8(ascii: " ") {
                verbatimEnd = Array("end".utf8) + bytes[content]
            }
        }
        flushText(upTo: start)
        textStart = end + 2
        if kind == UInt8(ascii: "{") {
            tokens.append(Token(kind: .variable, content: content, offset: start))
        } else if kind == UInt8(ascii: "%") {
            tokens.append(Token(kind: .tag, content: content, offset: start))
        }
    }

    private mutating func flushText(upTo end: Int) {
        if textStart < end { tokens.append(Token(kind: .text, content: textStart..<end, offset: textStart)) }
        textStart = end
    }

    private func trim(_ range: Range<Int>) -> Range<Int> {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0d).contains(byte) }
        var lower = range.lowerBound
        var upper = range.upperBound
        while lower < upper, isSpace(bytes[lower]) { lower += 1 }
        while upper > lower, isSpace(bytes[upper - 1]) { upper -= 1 }
        return lower..<upper
    }
}
