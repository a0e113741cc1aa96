/// `{% url 'polls:detail' question.id page=2 as link %}`
final class URLNode: TemplateNode {
    private let tag: TagToken
    private let route: TemplateExpression
    private let arguments: TagArgumentList
    private let variable: String?

    init(_ tag: TagToken, _ parser: TemplateParser) throws(TemplateError) {
        self.tag = tag
        guard let first = tag.arguments.first else { throw tag.malformed(expected: "the name of a URL") }
        route = try parser.expression(first, in: tag)
        var words = Array(tag.arguments.dropFirst())
        variable = TagArgumentList.takeVariable(&words)
        arguments = try TagArgumentList(words, tag, parser)
    }

    func render(into rendering: inout Rendering) throws(TemplateError) {
        let name = try route.evaluate(in: &rendering).text
        var positional: [TemplateValue] = []
        for expression in arguments.positional { positional.append(try expression.evaluate(in: &rendering)) }
        var keyword: [(name: String, value: TemplateValue)] = []
        for (key, expression) in arguments.keyword { keyword.append((key, try expression.evaluate(in: &rendering))) }
        let reference = URLReference(
            name: name, positional: positional, keyword: keyword, currentApp: rendering.context.currentApp)
        var url: String?
        var reason = "no route has this name and takes these arguments"
        do {
            url = try rendering.engine.urlResolver(reference)
        } catch {
            reason = "\(error)"
        }
        guard url != nil || variable != nil else { throw tag.place.error(.noReverseMatch(name, reason: reason)) }
        try rendering.deliver(.string(url ?? ""), to: variable)
    }
}

/// `{% static 'polls/style.css' as link %}`
final class StaticNode: TemplateNode {
    private let tag: TagToken
    private let path: TemplateExpression
    private let variable: String?

    init(_ tag: TagToken, _ parser: TemplateParser) throws(TemplateError) {
        self.tag = tag
        var words = tag.arguments
        variable = TagArgumentList.takeVariable(&words)
        guard words.count == 1 else { throw tag.malformed(expected: "one path") }
        path = try parser.expression(words[0], in: tag)
    }

    func render(into rendering: inout Rendering) throws(TemplateError) {
        let path = try path.evaluate(in: &rendering).text
        let url: String
        do {
            url = try rendering.engine.settings.staticResolver(path)
        } catch {
            throw tag.failure("\(error)")
        }
        try rendering.deliver(.string(url), to: variable)
    }
}

/// `{% csrf_token %}`: a hidden field with the context's token, when there is one.
final class CSRFTokenNode: TemplateNode {
    func render(into rendering: inout Rendering) {
        guard let token = rendering.context["csrf_token"], token.isTruthy else { return }
        let text = token.text
        if text == "NOTPROVIDED" { return }
        rendering.write(html: "<input type=\"hidden\" name=\"csrfmiddlewaretoken\" value=\"")
        HTMLEscape.append(text, to: &rendering.output)
        rendering.write(html: "\">")
    }
}
