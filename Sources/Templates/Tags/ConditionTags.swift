/// `{% if %}…{% elif %}…{% else %}…{% endif %}`
final class IfNode: TemplateNode {
    private let branches: [(condition: Condition, body: NodeList)]
    private let otherwise: NodeList

    init(_ tag: TagToken, _ parser: TemplateParser) throws(TemplateError) {
        var branches: [(condition: Condition, body: NodeList)] = []
        var otherwise = NodeList.empty
        var condition = try ConditionParser.parse(tag, parser)
        while true {
            let (body, end) = try parser.parse(until: ["elif", "else", "endif"], opener: tag)
            branches.append((condition, body))
            if end.name == "elif" {
                condition = try ConditionParser.parse(end, parser)
                continue
            }
            if end.name == "else" {
                guard end.arguments.isEmpty else { throw end.malformed(expected: "nothing after 'else' (or 'elif')") }
                let (body, last) = try parser.parse(until: ["endif"], opener: tag)
                otherwise = body
                guard last.arguments.isEmpty else { throw last.malformed(expected: "nothing after 'endif'") }
            } else if !end.arguments.isEmpty {
                throw end.malformed(expected: "nothing after 'endif'")
            }
            break
        }
        self.branches = branches
        self.otherwise = otherwise
    }

    var children: [NodeList] { branches.map(\.body) + [otherwise] }

    func render(into rendering: inout Rendering) throws(TemplateError) {
        for branch in branches where try branch.condition.isTrue(in: &rendering) {
            return try branch.body.render(into: &rendering)
        }
        try otherwise.render(into: &rendering)
    }
}

/// `{% ifchanged value … %}…{% else %}…{% endifchanged %}`: only when the values, or without values the content, differ from
/// the last time round the loop.
final class IfChangedNode: TemplateNode {
    private let values: [TemplateExpression]
    private let body: NodeList
    private let otherwise: NodeList

    init(_ tag: TagToken, _ parser: TemplateParser) throws(TemplateError) {
        var values: [TemplateExpression] = []
        for argument in tag.arguments { values.append(try parser.expression(argument, in: tag)) }
        self.values = values
        let (body, end) = try parser.parse(until: ["else", "endifchanged"], opener: tag)
        self.body = body
        otherwise = end.name == "else" ? try parser.parse(until: ["endifchanged"], opener: tag).0 : .empty
    }

    var children: [NodeList] { [body, otherwise] }

    func render(into rendering: inout Rendering) throws(TemplateError) {
        let key = ObjectIdentifier(self)
        let last =
            rendering.loops.isEmpty ? rendering.nodeState[key] : rendering.loops[rendering.loops.count - 1].changed[key]
        if values.isEmpty {
            let page = try rendering.capture(body)
            if case .page(page) = last { return try otherwise.render(into: &rendering) }
            remember(.page(page), key, &rendering)
            rendering.output.append(contentsOf: page)
            return
        }
        var now: [TemplateValue] = []
        for value in values { now.append(try value.evaluateOrNull(in: &rendering)) }
        if case .values(let before) = last, TemplateValue.list(before).equals(.list(now)) {
            return try otherwise.render(into: &rendering)
        }
        remember(.values(now), key, &rendering)
        try body.render(into: &rendering)
    }

    private func remember(_ state: Rendering.NodeState, _ key: ObjectIdentifier, _ rendering: inout Rendering) {
        if rendering.loops.isEmpty {
            rendering.nodeState[key] = state
        } else {
            rendering.loops[rendering.loops.count - 1].changed[key] = state
        }
    }
}

/// `{% firstof a b "text" as name %}`: the first value that is true.
final class FirstOfNode: TemplateNode {
    private let values: [TemplateExpression]
    private let variable: String?

    init(_ tag: TagToken, _ parser: TemplateParser) throws(TemplateError) {
        var words = tag.arguments
        guard !words.isEmpty else { throw tag.malformed(expected: "at least one value") }
        variable = TagArgumentList.takeVariable(&words)
        var values: [TemplateExpression] = []
        for word in words { values.append(try parser.expression(word, in: tag)) }
        self.values = values
    }

    func render(into rendering: inout Rendering) throws(TemplateError) {
        var chosen = TemplateValue.safe("")
        for value in values {
            let candidate = try value.evaluateOrNull(in: &rendering)
            if candidate.isTruthy {
                chosen = candidate
                break
            }
        }
        try rendering.deliver(chosen, to: variable)
    }
}
