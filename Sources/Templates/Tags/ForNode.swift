/// `{% for name, … in values reversed %}…{% empty %}…{% endfor %}`
final class ForNode: TemplateNode {
    private let tag: TagToken
    private let names: [String]
    private let sequence: TemplateExpression
    private let isReversed: Bool
    private let body: NodeList
    private let empty: NodeList

    init(_ tag: TagToken, _ parser: TemplateParser) throws(TemplateError) {
        self.tag = tag
        var words = tag.arguments
        isReversed = words.count > 3 && words.last == "reversed"
        if isReversed { words.removeLast() }
        guard words.count >= 3, words[words.count - 2] == "in" else {
            throw tag.malformed(expected: "'name in values' or 'key, value in pairs'")
        }
        let list = words.dropLast(2).joined(separator: " ")
        names = list.split(separator: ",", omittingEmptySubsequences: false).map { String($0.trimmed) }
        for name in names where !Self.isName(name) {
            throw tag.malformed(expected: "variable names before 'in', not '\(name)'")
        }
        sequence = try parser.expression(words[words.count - 1], in: tag)
        let (body, end) = try parser.parse(until: ["empty", "endfor"], opener: tag)
        self.body = body
        empty = end.name == "empty" ? try parser.parse(until: ["endfor"], opener: tag).0 : .empty
    }

    var children: [NodeList] { [body, empty] }

    private static func isName(_ text: String) -> Bool {
        !text.isEmpty
            && text.unicodeScalars.allSatisfy { !" \"'|".unicodeScalars.contains($0) && !$0.properties.isWhitespace }
    }

    func render(into rendering: inout Rendering) throws(TemplateError) {
        let value = try sequence.evaluateOrNull(in: &rendering)
        var elements: [TemplateValue]
        if case .null = value {
            elements = []
        } else if let found = value.elements {
            elements = found
        } else {
            throw tag.failure("'\(value.text)' is no collection")
        }
        if elements.isEmpty { return try empty.render(into: &rendering) }
        if isReversed { elements.reverse() }
        let scope = rendering.context.pushScope()
        rendering.loops.append(Rendering.LoopState(index: 0, count: elements.count))
        let loop = rendering.loops.count - 1
        for (index, element) in elements.enumerated() {
            rendering.loops[loop].index = index
            if names.count == 1 {
                rendering.context.set(names[0], element)
            } else {
                try unpack(element, &rendering)
            }
            try body.render(into: &rendering)
        }
        rendering.loops.removeLast()
        rendering.context.popScope(scope)
    }

    private func unpack(_ element: TemplateValue, _ rendering: inout Rendering) throws(TemplateError) {
        let parts: [TemplateValue]
        switch element {
        case .int, .double, .bool, .null, .date: parts = [element]
        default: parts = element.elements ?? [element]
        }
        guard parts.count == names.count else {
            throw tag.failure("need \(names.count) values to unpack, got \(parts.count)")
        }
        for (name, part) in zip(names, parts) { rendering.context.set(name, part) }
    }
}

extension Rendering {
    /// `forloop`, or a member of it.
    func forloop(_ members: ArraySlice<VariablePath.Member>, level: Int? = nil) -> TemplateValue? {
        let level = level ?? loops.count - 1
        let loop = loops[level]
        guard let member = members.first else { return .map(loopMap(level)) }
        let hasParent = level > loopFloor
        let value: TemplateValue
        switch member.name {
        case "counter": value = .int(loop.index + 1)
        case "counter0": value = .int(loop.index)
        case "revcounter": value = .int(loop.count - loop.index)
        case "revcounter0": value = .int(loop.count - loop.index - 1)
        case "first": value = .bool(loop.index == 0)
        case "last": value = .bool(loop.index == loop.count - 1)
        case "parentloop":
            if hasParent { return forloop(members.dropFirst(), level: level - 1) }
            value = .map([:])
        default: return nil
        }
        return members.count == 1 ? value : nil
    }

    /// A snapshot, for `{% with outer=forloop %}`.
    private func loopMap(_ level: Int) -> TemplateMap {
        let loop = loops[level]
        return [
            "parentloop": .map(level > loopFloor ? loopMap(level - 1) : [:]),
            "counter0": .int(loop.index), "counter": .int(loop.index + 1),
            "revcounter": .int(loop.count - loop.index), "revcounter0": .int(loop.count - loop.index - 1),
            "first": .bool(loop.index == 0), "last": .bool(loop.index == loop.count - 1),
        ]
    }
}
