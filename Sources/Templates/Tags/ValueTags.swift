/// `{% cycle 'odd' 'even' as name silent %}`: the next value each time round.
final class CycleNode: TemplateNode {
    private let values: [TemplateExpression]
    private let variable: String?
    private let isSilent: Bool

    private init(_ values: [TemplateExpression], variable: String?, isSilent: Bool) {
        self.values = values
        self.variable = variable
        self.isSilent = isSilent
    }

    static func parse(_ tag: TagToken, _ parser: TemplateParser) throws(TemplateError) -> any TemplateNode {
        var words = tag.arguments
        guard !words.isEmpty else { throw tag.malformed(expected: "values, or the name of an earlier cycle") }
        if words.count == 1 {
            guard let named = parser.cycles[words[0]] else {
                throw tag.malformed(expected: "at least two values, or the name of an earlier cycle")
            }
            return CycleReference(named)
        }
        var isSilent = false
        if words.count > 3, words[words.count - 3] == "as" {
            guard words[words.count - 1] == "silent" else {
                throw tag.malformed(expected: "only 'silent' after the name of the cycle")
            }
            isSilent = true
            words.removeLast()
        }
        let variable = words.count > 2 ? TagArgumentList.takeVariable(&words) : nil
        var values: [TemplateExpression] = []
        for word in words { values.append(try parser.expression(word, in: tag)) }
        let node = CycleNode(values, variable: variable, isSilent: isSilent)
        if let variable { parser.cycles[variable] = node }
        parser.lastCycle = node
        return node
    }

    func render(into rendering: inout Rendering) throws(TemplateError) {
        let key = ObjectIdentifier(self)
        var position = 0
        if case .position(let next) = rendering.nodeState[key] { position = next }
        rendering.nodeState[key] = .position((position + 1) % values.count)
        let value = try values[position].evaluate(in: &rendering)
        if let variable { rendering.context.set(variable, value) }
        if !isSilent { rendering.write(value) }
    }
}

/// `{% cycle name %}`: moves a named cycle on.
final class CycleReference: TemplateNode {
    private let cycle: CycleNode
    init(_ cycle: CycleNode) { self.cycle = cycle }
    func render(into rendering: inout Rendering) throws(TemplateError) { try cycle.render(into: &rendering) }
}

/// `{% resetcycle name %}`
final class ResetCycleNode: TemplateNode {
    private let cycle: CycleNode

    init(_ tag: TagToken, _ parser: TemplateParser) throws(TemplateError) {
        guard tag.arguments.count <= 1 else { throw tag.malformed(expected: "at most the name of a cycle") }
        guard let cycle = tag.arguments.first.map({ parser.cycles[$0] }) ?? parser.lastCycle else {
            throw tag.malformed(expected: "a cycle before it")
        }
        self.cycle = cycle
    }

    func render(into rendering: inout Rendering) { rendering.nodeState[ObjectIdentifier(cycle)] = nil }
}

/// `{% now "j F Y" as name %}`
final class NowNode: TemplateNode {
    private let format: TemplateExpression
    private let variable: String?

    init(_ tag: TagToken, _ parser: TemplateParser) throws(TemplateError) {
        var words = tag.arguments
        variable = TagArgumentList.takeVariable(&words)
        guard words.count == 1 else { throw tag.malformed(expected: "one date format") }
        format = try parser.expression(words[0], in: tag)
    }

    func render(into rendering: inout Rendering) throws(TemplateError) {
        let format = try format.evaluate(in: &rendering).text
        let now = rendering.engine.settings.now()
        let text = DateFormat.date(now, format, timeZone: rendering.timeZone)
        if let variable {
            rendering.context.set(variable, .string(text))
        } else {
            rendering.write(html: text)
        }
    }
}

/// `{% widthratio value maximum width as name %}`
final class WidthRatioNode: TemplateNode {
    private let tag: TagToken
    private let operands: [TemplateExpression]
    private let variable: String?

    init(_ tag: TagToken, _ parser: TemplateParser) throws(TemplateError) {
        self.tag = tag
        var words = tag.arguments
        variable = words.count == 5 ? TagArgumentList.takeVariable(&words) : nil
        guard words.count == 3 else { throw tag.malformed(expected: "value, maximum and width") }
        var operands: [TemplateExpression] = []
        for word in words { operands.append(try parser.expression(word, in: tag)) }
        self.operands = operands
    }

    func render(into rendering: inout Rendering) throws(TemplateError) {
        let value = try operands[0].evaluate(in: &rendering)
        let maximum = try operands[1].evaluate(in: &rendering)
        let widthValue = try operands[2].evaluate(in: &rendering)
        guard let width = widthValue.integer else { throw tag.failure("the width '\(widthValue.text)' is no number") }
        var result = ""
        if let value = value.number, let maximum = maximum.number {
            let ratio = (value / maximum * Double(width)).rounded(.toNearestOrEven)
            result = maximum == 0 ? "0" : Int(exactly: ratio).map(String.init) ?? ""
        }
        try rendering.deliver(.safe(result), to: variable)
    }
}

/// `{% templatetag openblock %}`
enum TemplateTagTag {
    private static let texts = [
        "openblock": "{%", "closeblock": "%}", "openvariable": "{{", "closevariable": "}}", "openbrace": "{",
        "closebrace": "}", "opencomment": "{#", "closecomment": "#}",
    ]

    static func parse(_ tag: TagToken) throws(TemplateError) -> any TemplateNode {
        guard tag.arguments.count == 1, let text = texts[tag.arguments[0]] else {
            throw tag.malformed(expected: "one of " + texts.keys.sorted().joined(separator: ", "))
        }
        return TextNode(Array(text.utf8))
    }
}
