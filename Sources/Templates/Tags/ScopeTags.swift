/// `{% with name=value … %}` and the older `{% with value as name %}`.
final class WithNode: TemplateNode {
    private let variables: [(name: String, value: TemplateExpression)]
    private let body: NodeList

    init(_ tag: TagToken, _ parser: TemplateParser) throws(TemplateError) {
        var variables: [(name: String, value: TemplateExpression)] = []
        let words = tag.arguments
        if words.count == 3, words[1] == "as" {
            variables = [(words[2], try parser.expression(words[0], in: tag))]
        } else {
            for word in words {
                guard let pair = try TagArgumentList.keyword(word, tag, parser) else {
                    throw tag.malformed(expected: "'name=value', not '\(word)'")
                }
                variables.append(pair)
            }
        }
        guard !variables.isEmpty else { throw tag.malformed(expected: "'name=value' or 'value as name'") }
        self.variables = variables
        (body, _) = try parser.parse(until: ["endwith"], opener: tag)
    }

    var children: [NodeList] { [body] }

    func render(into rendering: inout Rendering) throws(TemplateError) {
        var values: [TemplateValue] = []
        for variable in variables { values.append(try variable.value.evaluate(in: &rendering)) }
        let scope = rendering.context.pushScope()
        for (variable, value) in zip(variables, values) { rendering.context.set(variable.name, value) }
        try body.render(into: &rendering)
        rendering.context.popScope(scope)
    }
}

/// `{% autoescape on %}…{% endautoescape %}`
final class AutoescapeNode: TemplateNode {
    private let isOn: Bool
    private let body: NodeList

    init(_ tag: TagToken, _ parser: TemplateParser) throws(TemplateError) {
        guard tag.arguments == ["on"] || tag.arguments == ["off"] else {
            throw tag.malformed(expected: "'on' or 'off'")
        }
        isOn = tag.arguments == ["on"]
        (body, _) = try parser.parse(until: ["endautoescape"], opener: tag)
    }

    var children: [NodeList] { [body] }

    func render(into rendering: inout Rendering) throws(TemplateError) {
        let outer = rendering.autoescape
        rendering.autoescape = isOn
        try body.render(into: &rendering)
        rendering.autoescape = outer
    }
}

/// `{% filter force_escape|lower %}…{% endfilter %}`
final class FilterNode: TemplateNode {
    private static let variable = "var"
    private let expression: TemplateExpression
    private let body: NodeList

    init(_ tag: TagToken, _ parser: TemplateParser) throws(TemplateError) {
        guard !tag.arguments.isEmpty else { throw tag.malformed(expected: "a filter") }
        expression = try parser.expression(Self.variable + "|" + tag.arguments.joined(separator: " "), in: tag)
        for filter in expression.filters where ["escape", "safe"].contains(filter.name) {
            throw tag.malformed(expected: "another filter than '\(filter.name)': use the 'autoescape' tag")
        }
        (body, _) = try parser.parse(until: ["endfilter"], opener: tag)
    }

    var children: [NodeList] { [body] }

    func render(into rendering: inout Rendering) throws(TemplateError) {
        let inside = String(decoding: try rendering.capture(body), as: UTF8.self)
        let scope = rendering.context.pushScope()
        rendering.context.set(Self.variable, .safe(inside))
        let value = try expression.evaluate(in: &rendering)
        rendering.context.popScope(scope)
        rendering.write(html: rendering.display(value))
    }
}

/// `{% spaceless %}…{% endspaceless %}`: no white space between tags.
final class SpacelessNode: TemplateNode {
    private let body: NodeList

    init(_ tag: TagToken, _ parser: TemplateParser) throws(TemplateError) {
        guard tag.arguments.isEmpty else { throw tag.malformed(expected: "no arguments") }
        (body, _) = try parser.parse(until: ["endspaceless"], opener: tag)
    }

    var children: [NodeList] { [body] }

    func render(into rendering: inout Rendering) throws(TemplateError) {
        let inside = String(decoding: try rendering.capture(body), as: UTF8.self).trimmed
        let scalars = Array(inside.unicodeScalars)
        var result = String.UnicodeScalarView()
        var index = 0
        while index < scalars.count {
            result.append(scalars[index])
            index += 1
            guard scalars[index - 1] == ">" else { continue }
            var next = index
            while next < scalars.count, scalars[next].properties.isWhitespace { next += 1 }
            if next < scalars.count, scalars[next] == "<" {
                index = next
            } else if next > index {
                result.append(contentsOf: scalars[index..<next])
                index = next
            }
        }
        rendering.write(html: String(result))
    }
}

/// `{% verbatim %}…{% endverbatim %}`: the lexer has made text of the inside already.
final class VerbatimNode: TemplateNode {
    private let body: NodeList

    init(_ tag: TagToken, _ parser: TemplateParser) throws(TemplateError) {
        (body, _) = try parser.parse(until: ["endverbatim"], opener: tag)
    }

    func render(into rendering: inout Rendering) throws(TemplateError) { try body.render(into: &rendering) }
}

/// `{% load library %}` and `{% load name from library %}`: everything is loaded already, so names are only checked.
enum LoadTag {
    static func check(_ tag: TagToken, _ parser: TemplateParser) throws(TemplateError) -> (any TemplateNode)? {
        let words = tag.arguments
        var libraries = words[...]
        if words.count >= 3, words[words.count - 2] == "from" {
            libraries = words.suffix(1)
            for name in words.dropLast(2) where !parser.registry.knows(tagOrFilter: name) {
                throw tag.place.error(.unknownTag(name, nearest: parser.registry.nearestTag(name)))
            }
        }
        for name in libraries where !parser.registry.knows(library: name) {
            throw tag.place.error(.unknownLibrary(name, nearest: parser.registry.nearestLibrary(name)))
        }
        return nil
    }
}
