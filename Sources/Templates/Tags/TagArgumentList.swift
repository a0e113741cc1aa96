/// The arguments of tags that are called like functions: positional, `name=value`, and `as variable` at the end.
struct TagArgumentList: Sendable {
    let positional: [TemplateExpression]
    let keyword: [(name: String, value: TemplateExpression)]

    init(_ words: [String], _ tag: TagToken, _ parser: TemplateParser) throws(TemplateError) {
        var positional: [TemplateExpression] = []
        var keyword: [(name: String, value: TemplateExpression)] = []
        for word in words {
            if let pair = try Self.keyword(word, tag, parser) {
                keyword.append(pair)
            } else {
                positional.append(try parser.expression(word, in: tag))
            }
        }
        self.positional = positional
        self.keyword = keyword
    }

    /// `name=value`, or nil when the word is something else.
    static func keyword(_ word: String, _ tag: TagToken, _ parser: TemplateParser) throws(TemplateError)
        -> (name: String, value: TemplateExpression)?
    {
        guard let equals = word.firstIndex(of: "="), equals != word.startIndex else { return nil }
        let name = word[..<equals]
        guard name.unicodeScalars.allSatisfy({ $0 == "_" || $0.isWordCharacter }) else { return nil }
        return (String(name), try parser.expression(String(word[word.index(after: equals)...]), in: tag))
    }

    /// Takes `as variable` from the end.
    static func takeVariable(_ words: inout [String]) -> String? {
        guard words.count >= 2, words[words.count - 2] == "as" else { return nil }
        let name = words.removeLast()
        words.removeLast()
        return name
    }

    func evaluate(in rendering: inout Rendering) throws(TemplateError) -> TagArguments {
        var values: [TemplateValue] = []
        for expression in positional { values.append(try expression.evaluate(in: &rendering)) }
        var named: [String: TemplateValue] = [:]
        for (name, expression) in keyword { named[name] = try expression.evaluate(in: &rendering) }
        return TagArguments(positional: values, keyword: named)
    }
}

extension Rendering {
    /// Stores a tag's value under a name, or else writes it.
    mutating func deliver(_ value: TemplateValue, to variable: String?) throws(TemplateError) {
        if let variable {
            context.set(variable, value)
        } else {
            write(value)
        }
    }
}

/// A site's `SimpleTag`.
final class SimpleTagNode: TemplateNode {
    private let tag: SimpleTag
    private let token: TagToken
    private let arguments: TagArgumentList
    private let variable: String?

    init(_ tag: SimpleTag, _ token: TagToken, _ parser: TemplateParser) throws(TemplateError) {
        self.tag = tag
        self.token = token
        var words = token.arguments
        variable = TagArgumentList.takeVariable(&words)
        arguments = try TagArgumentList(words, token, parser)
    }

    func render(into rendering: inout Rendering) throws(TemplateError) {
        let values = try arguments.evaluate(in: &rendering)
        let value: TemplateValue
        do {
            value = try tag.call(values, rendering.context)
        } catch {
            throw (error as? TemplateError) ?? token.failure("\(error)")
        }
        try rendering.deliver(value, to: variable)
    }
}

/// A site's `InclusionTag`.
final class InclusionTagNode: TemplateNode {
    private let tag: InclusionTag
    private let token: TagToken
    private let arguments: TagArgumentList

    init(_ tag: InclusionTag, _ token: TagToken, _ parser: TemplateParser) throws(TemplateError) {
        self.tag = tag
        self.token = token
        arguments = try TagArgumentList(token.arguments, token, parser)
    }

    func render(into rendering: inout Rendering) throws(TemplateError) {
        let values = try arguments.evaluate(in: &rendering)
        let variables: TemplateMap
        do {
            variables = try tag.call(values, rendering.context)
        } catch {
            throw (error as? TemplateError) ?? token.failure("\(error)")
        }
        guard let template = try rendering.engine.find(tag.template) else {
            throw token.place.error(.templateNotFound([tag.template]))
        }
        try rendering.enter(at: token.place)
        try rendering.renderIsolated(template, variables.entries.lazy.map { ($0.key, $0.value) })
        rendering.leave()
    }
}
