/// What `if` decides by: operands and operators as a tree.
indirect enum Condition: Sendable {
    case operand(TemplateExpression)
    case not(Condition)
    case binary(Operator, Condition, Condition)

    enum Operator: String, Sendable {
        case or
        case and
        case isIn = "in"
        case isNotIn = "not in"
        case isIdentical = "is"
        case isNotIdentical = "is not"
        case equal = "=="
        case notEqual = "!="
        case greater = ">"
        case greaterOrEqual = ">="
        case less = "<"
        case lessOrEqual = "<="

        var precedence: Int {
            switch self {
            case .or: 6
            case .and: 7
            case .isIn, .isNotIn: 9
            default: 10
            }
        }
    }

    func isTrue(in rendering: inout Rendering) throws(TemplateError) -> Bool {
        do throws(TemplateError) {
            return try value(in: &rendering).isTruthy
        } catch {
            // A missing variable as a filter's argument makes the condition false, as in Django.
            if case .missingVariable = error.kind { return false }
            throw error
        }
    }

    private func value(in rendering: inout Rendering) throws(TemplateError) -> TemplateValue {
        switch self {
        case .operand(let expression):
            return try expression.evaluateOrNull(in: &rendering)
        case .not(let condition):
            return .bool(!(try condition.value(in: &rendering).isTruthy))
        case .binary(.or, let left, let right):
            let first = try left.value(in: &rendering)
            return first.isTruthy ? first : try right.value(in: &rendering)
        case .binary(.and, let left, let right):
            let first = try left.value(in: &rendering)
            return first.isTruthy ? try right.value(in: &rendering) : first
        case .binary(let op, let left, let right):
            return .bool(Self.compare(op, try left.value(in: &rendering), try right.value(in: &rendering)))
        }
    }

    /// Values that cannot be compared compare as false.
    private static func compare(_ op: Operator, _ left: TemplateValue, _ right: TemplateValue) -> Bool {
        switch op {
        case .equal: left.equals(right)
        case .notEqual: !left.equals(right)
        case .less: left.isLess(than: right) ?? false
        case .greater: right.isLess(than: left) ?? false
        case .lessOrEqual: left.isLess(than: right).map { $0 || left.equals(right) } ?? false
        case .greaterOrEqual: right.isLess(than: left).map { $0 || left.equals(right) } ?? false
        case .isIn: right.contains(left) ?? false
        case .isNotIn: right.contains(left).map { !$0 } ?? false
        case .isIdentical: left.isIdentical(to: right)
        case .isNotIdentical: !left.isIdentical(to: right)
        case .or, .and: false
        }
    }
}

/// Reads a condition by operator precedence: `or`, `and`, `not`, `in`, then the comparisons; all from left to right.
struct ConditionParser {
    private let tag: TagToken
    private let parser: TemplateParser
    private var words: [String]
    private var position = 0
    /// Operators so far: the tree is at most that deep, and rendering recurses over it.
    private var size = 0

    private init(_ tag: TagToken, _ parser: TemplateParser) {
        self.tag = tag
        self.parser = parser
        words = []
        var index = 0
        while index < tag.arguments.count {
            let word = tag.arguments[index]
            let next = index + 1 < tag.arguments.count ? tag.arguments[index + 1] : ""
            if (word == "not" && next == "in") || (word == "is" && next == "not") {
                words.append(word + " " + next)
                index += 2
            } else {
                words.append(word)
                index += 1
            }
        }
    }

    static func parse(_ tag: TagToken, _ parser: TemplateParser) throws(TemplateError) -> Condition {
        var reader = ConditionParser(tag, parser)
        let condition = try reader.expression(0)
        if reader.position < reader.words.count {
            throw tag.malformed(expected: "an operator before '\(reader.words[reader.position])'")
        }
        return condition
    }

    private mutating func expression(_ precedence: Int) throws(TemplateError) -> Condition {
        var left = try prefix()
        while position < words.count, let op = Condition.Operator(rawValue: words[position]),
            op.precedence > precedence
        {
            position += 1
            try count()
            left = .binary(op, left, try expression(op.precedence))
        }
        return left
    }

    private mutating func prefix() throws(TemplateError) -> Condition {
        guard position < words.count else { throw tag.malformed(expected: "a value at the end of the condition") }
        let word = words[position]
        position += 1
        if word == "not" {
            try count()
            return .not(try expression(8))
        }
        if Condition.Operator(rawValue: word) != nil { throw tag.malformed(expected: "a value before '\(word)'") }
        return .operand(try parser.expression(word, in: tag))
    }

    private mutating func count() throws(TemplateError) {
        size += 1
        let limit = parser.engine.settings.nestingLimit
        if size > limit { throw tag.place.error(.nestingTooDeep(limit: limit)) }
    }
}
