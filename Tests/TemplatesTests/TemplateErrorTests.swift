import Templates
import Testing

/// Errors name the template, line and column, show the line, and say what was expected.
@Suite struct TemplateErrorTests {
    private let engine = TemplateEngine(
        loader: MemoryLoader([
            "self.html": "\n{% include 'self.html' %}", "ouroboros.html": "{% extends 'ouroboros.html' %}",
            "broken.html": "ok\n  {% fro x in y %}", "usesbroken.html": "{% include 'broken.html' %}",
        ]))

    private func error(_ template: String) -> TemplateError? {
        do throws(TemplateError) {
            _ = try engine.render(try engine.compile(template, name: "t.html"))
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        ("a\n  {% if x %}\nb", "t.html:2:3: 'if' is never closed: expected 'elif', 'else', 'endif'"),
        ("{% for x in y %}{% endif %}", "t.html:1:17: unexpected 'endif': expected 'empty' or 'endfor'"),
        ("é {% fro x in y %}", "t.html:1:3: unknown tag 'fro', did you mean 'for'?"),
        ("{% endfor %}", "t.html:1:1: 'endfor' closes nothing that is open here"),
        ("{{ x|lowr }}", "t.html:1:1: unknown filter 'lowr', did you mean 'lower'?"),
        ("{{ x|qqqqqqqq }}", "t.html:1:1: unknown filter 'qqqqqqqq'"),
        ("{% load statik %}", "t.html:1:1: unknown tag library 'statik', did you mean 'static'?"),
        ("{{ }}", "t.html:1:1: cannot read '{{ }}': expected a variable"),
        (
            "{{ x|default: 'a' }}",
            "t.html:1:1: cannot read 'x|default: 'a'': expected an argument right after 'default:'"
        ),
        ("{{ x y }}", "t.html:1:1: cannot read 'x y': expected '|' and a filter, or the end, before 'y'"),
        ("{{ 'x }}", "t.html:1:1: cannot read ''x': expected a closing quote"),
        ("{{ _x }}", "t.html:1:1: cannot read '_x': expected names that do not begin with an underscore"),
        (
            "{% block a %}{% endblock %}\n{% block a %}{% endblock %}",
            "t.html:2:1: block 'a' appears twice: a block's name is unique in its template"
        ),
        (
            "{{ x }}{% extends 'a' %}",
            "t.html:1:8: 'extends' must be the first tag of the template, and there can be only one"
        ),
        ("{% if x and %}{% endif %}", "t.html:1:1: malformed tag 'if': expected a value at the end of the condition"),
        ("{% if x y %}{% endif %}", "t.html:1:1: malformed tag 'if': expected an operator before 'y'"),
        (
            "{% for x on y %}{% endfor %}",
            "t.html:1:1: malformed tag 'for': expected 'name in values' or 'key, value in pairs'"
        ),
        ("{% include 'gone.html' %}", "t.html:1:1: no such template: 'gone.html'"),
        ("\n{% url 'x' %}", "t.html:2:1: no URL for 'x': this engine has no URL resolver"),
        ("{{ 1|divisibleby:0 }}", "t.html:1:1: filter 'divisibleby': nothing is divisible by 0"),
        ("{{ 1|ljust:99999999999 }}", "t.html:1:1: filter 'ljust': the width is above 1048576"),
        (
            "{{ 1|default_if_none:gone }}{{ ''|default:gone }}",
            "t.html:1:1: variable 'gone', given as an argument, does not exist"
        ),
        ("{% include 'self.html' %}", "self.html:2:1: templates include or extend one another more than 64 deep"),
        (
            "{% extends 'ouroboros.html' %}",
            "ouroboros.html:1:1: templates include or extend one another more than 64 deep"
        ),
        ("{% include 'usesbroken.html' %}", "broken.html:2:3: unknown tag 'fro', did you mean 'for'?"),
    ])
    func `the message`(template: String, message: String) {
        let description = error(template)?.description
        #expect(description?.split(separator: "\n").first.map(String.init) == message)
    }

    @Test func `the line is shown with a mark under the place`() {
        let shown = error("<p>\n\t<b>{{ x|lowr }}</b>\n</p>")?.description
        #expect(
            shown == """
                t.html:2:5: unknown filter 'lowr', did you mean 'lower'?
                    \t<b>{{ x|lowr }}</b>
                    \t   ^
                """)
    }

    @Test func `bytes that are no UTF-8 are reported with their place`() {
        let source = TemplateSource(origin: "t.html", bytes: Array("ab\nc".utf8) + [0xff, 0x20])
        #expect(throws: TemplateError.self) { try engine.compile(source, name: "t.html") }
        do throws(TemplateError) {
            _ = try engine.compile(source, name: "t.html")
        } catch {
            #expect(error.kind == .notUTF8)
            #expect((error.line, error.column) == (2, 2))
        }
    }

    @Test func `a template nobody has`() {
        #expect(throws: TemplateError.self) { try engine.render("gone.html") }
        do throws(TemplateError) {
            _ = try engine.render(firstOf: ["a.html", "b.html"])
        } catch {
            #expect(error.message == "no such template: 'a.html', 'b.html'")
        }
    }
}
