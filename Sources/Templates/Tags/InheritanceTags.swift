/// `{% extends "base.html" %}`, or a variable that holds a name. Renders the parent with this template's blocks.
final class ExtendsNode: TemplateNode, TemplateReference {
    let reference: TemplateExpression

    private init(_ reference: TemplateExpression) { self.reference = reference }

    static func parse(_ tag: TagToken, _ parser: TemplateParser) throws(TemplateError) -> ExtendsNode {
        guard tag.arguments.count == 1 else { throw tag.malformed(expected: "one argument, the parent's name") }
        return ExtendsNode(try parser.expression(tag.arguments[0], in: tag))
    }

    func render(into rendering: inout Rendering) throws(TemplateError) {
        let parent = try rendering.template(reference, of: "extends")
        try rendering.enter(at: reference.place)
        rendering.chain.append(parent)
        try parent.renderBody(into: &rendering)
        rendering.leave()
    }
}

/// `{% block name %}…{% endblock name %}`
final class BlockNode: TemplateNode {
    let name: String
    let body: NodeList
    let place: SourcePlace

    init(_ tag: TagToken, _ parser: TemplateParser) throws(TemplateError) {
        guard tag.arguments.count == 1 else { throw tag.malformed(expected: "one name") }
        name = tag.arguments[0]
        place = tag.place
        guard parser.blockNames.insert(name).inserted else { throw tag.place.error(.duplicateBlock(name)) }
        let (body, end) = try parser.parse(until: ["endblock"], opener: tag)
        guard end.arguments.isEmpty || end.arguments == [name] else {
            throw end.malformed(expected: "'endblock' or 'endblock \(name)'")
        }
        self.body = body
    }

    var children: [NodeList] { [body] }

    func render(into rendering: inout Rendering) throws(TemplateError) {
        // Inside another definition of the same block, only those further up the chain are left.
        let active = rendering.activeBlocks.last { $0.node.name == name }
        if let (node, level) = rendering.definition(of: name, from: active.map { $0.level + 1 } ?? 0) {
            try rendering.render(node, level: level)
        } else {
            try rendering.render(self, level: rendering.chain.count)
        }
    }
}

extension Rendering {
    /// The block's most derived definition at or above a level of the chain.
    func definition(of name: String, from level: Int) -> (BlockNode, Int)? {
        var level = level
        while level < chain.count {
            if let node = chain[level].blocks[name] { return (node, level) }
            level += 1
        }
        return nil
    }

    mutating func render(_ block: BlockNode, level: Int) throws(TemplateError) {
        try enter(at: block.place)
        activeBlocks.append(ActiveBlock(node: block, level: level))
        let scope = context.pushScope()
        try block.body.render(into: &self)
        context.popScope(scope)
        activeBlocks.removeLast()
        leave()
    }

    /// `block.super` and `block.name`.
    mutating func blockMember(_ members: [VariablePath.Member], at place: SourcePlace) throws(TemplateError)
        -> TemplateValue?
    {
        guard members.count == 1, let active = activeBlocks.last else { return nil }
        switch members[0].name {
        case "name": return .string(active.node.name)
        case "super":
            guard chain.count > 1 else {
                throw place.error(.tagFailed("block", reason: "'block.super' in a template that extends nothing"))
            }
            guard let (node, level) = definition(of: active.node.name, from: active.level + 1) else { return .safe("") }
            let start = output.count
            try render(node, level: level)
            let text = String(decoding: output[start...], as: UTF8.self)
            output.removeSubrange(start...)
            return .safe(text)
        default: return nil
        }
    }

    /// The template an expression names.
    mutating func template(_ reference: TemplateExpression, of tag: String) throws(TemplateError) -> Template {
        let value = try reference.evaluate(in: &self)
        let names: [String]
        switch value {
        case .string(let name), .safe(let name): names = [name]
        case .list(let values): names = values.map(\.text)
        default: throw reference.place.error(.tagFailed(tag, reason: "'\(value.text)' is no template name"))
        }
        for name in names where !name.isEmpty {
            guard let template = try engine.find(name) else { continue }
            context.noteTemplate?(name)
            return template
        }
        throw reference.place.error(.templateNotFound(names))
    }
}

/// `{% include "part.html" with name=value only %}`
final class IncludeNode: TemplateNode, TemplateReference {
    let reference: TemplateExpression
    private let variables: [(name: String, value: TemplateExpression)]
    private let isIsolated: Bool

    init(_ tag: TagToken, _ parser: TemplateParser) throws(TemplateError) {
        guard let first = tag.arguments.first else { throw tag.malformed(expected: "the name of a template") }
        reference = try parser.expression(first, in: tag)
        var rest = tag.arguments.dropFirst()
        var isIsolated = false
        var variables: [(name: String, value: TemplateExpression)] = []
        while let word = rest.popFirst() {
            switch word {
            case "only" where !isIsolated: isIsolated = true
            case "with" where variables.isEmpty:
                while let next = rest.first, let pair = try TagArgumentList.keyword(next, tag, parser) {
                    variables.append(pair)
                    rest.removeFirst()
                }
                guard !variables.isEmpty else { throw tag.malformed(expected: "'name=value' after 'with'") }
            default: throw tag.malformed(expected: "'with name=value …' or 'only', not '\(word)'")
            }
        }
        self.isIsolated = isIsolated
        self.variables = variables
    }

    func render(into rendering: inout Rendering) throws(TemplateError) {
        let template = try rendering.template(reference, of: "include")
        var values: [TemplateValue] = []
        for variable in variables { values.append(try variable.value.evaluate(in: &rendering)) }
        try rendering.enter(at: reference.place)
        if isIsolated {
            try rendering.renderIsolated(template, zip(variables.map(\.name), values))
        } else {
            let scope = rendering.context.pushScope()
            for (variable, value) in zip(variables, values) { rendering.context.set(variable.name, value) }
            try template.render(into: &rendering)
            rendering.context.popScope(scope)
        }
        rendering.leave()
    }
}

extension Rendering {
    /// Renders a template that sees nothing but these variables.
    mutating func renderIsolated(
        _ template: Template, _ variables: some Sequence<(String, TemplateValue)>
    ) throws(TemplateError) {
        let outer = context
        let floor = loopFloor
        context = outer.emptied()
        loopFloor = loops.count
        for (name, value) in variables { context[name] = value }
        try template.render(into: &self)
        context = outer
        loopFloor = floor
    }
}
