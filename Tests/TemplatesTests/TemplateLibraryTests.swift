import Synchronization
import Templates
import Testing

/// Tags and filters of a site, and what a context brings.
@Suite struct TemplateLibraryTests {
    /// `{% repeat 3 %}…{% endrepeat %}`
    private struct RepeatTag: BlockTag {
        let name = "repeat"

        final class Node: TemplateNode {
            let count: TemplateExpression
            let body: NodeList

            init(count: TemplateExpression, body: NodeList) {
                self.count = count
                self.body = body
            }

            var children: [NodeList] { [body] }

            func render(into rendering: inout Rendering) throws(TemplateError) {
                guard case .int(let count) = try count.evaluate(in: &rendering) else { return }
                for _ in 0..<max(0, count) { try body.render(into: &rendering) }
            }
        }

        func parse(_ tag: TagToken, _ parser: TemplateParser) throws(TemplateError) -> any TemplateNode {
            guard tag.arguments.count == 1 else { throw tag.malformed(expected: "a number") }
            let count = try parser.expression(tag.arguments[0], in: tag)
            return Node(count: count, body: try parser.parse(until: ["endrepeat"], opener: tag).0)
        }
    }

    private static let library = TagLibrary(
        "site",
        filters: [
            FilterFunction("shout") { value, _, _ in .string(value.text + "!<") },
            FilterFunction("quiet", keepsSafety: true) { value, _, _ in .string(value.text.lowercased()) },
            FilterFunction("fail") { _, _, _ in throw TemplateFailure("no reason") },
            FilterFunction("lower") { _, _, _ in "mine" },
        ],
        simpleTags: [
            SimpleTag("sum") { arguments, _ in
                .int(arguments.positional.reduce(0) { if case .int(let n) = $1 { $0 + n } else { $0 } })
            },
            SimpleTag("greet") { arguments, context in
                .string("<\(arguments.keyword["name"]?.text ?? context["user"]?.text ?? "?")>")
            },
        ],
        inclusionTags: [
            InclusionTag("stars", template: "stars.html") { arguments, _ in
                ["count": arguments.positional.first ?? 0]
            }
        ],
        blockTags: [RepeatTag()])

    private func page(_ template: String, _ context: TemplateContext = [:], invalid: String = "") -> String {
        var settings = TemplateSettings()
        settings.libraries = [Self.library]
        settings.stringIfInvalid = invalid
        settings.urlResolver = { reference in
            let keyword = reference.keyword.map { "\($0.name)=\($0.value.text)" }
            return
                "/\(reference.currentApp ?? "-")/\(reference.name)?\((reference.positional.map(\.text) + keyword).joined(separator: "&"))"
        }
        let engine = TemplateEngine(loader: MemoryLoader(["stars.html": "{{ count }}{{ user }}"]), settings: settings)
        do throws(TemplateError) {
            return String(decoding: try engine.render(try engine.compile(template), context), as: UTF8.self)
        } catch {
            return error.message
        }
    }

    @Test(arguments: [
        ("{% load site %}{{ user|shout }}", "Ann!&lt;"), ("{{ '<B>'|quiet }}", "<b>"), ("{{ user|lower }}", "mine"),
        ("{{ user|fail }}", "filter 'fail': no reason"), ("{% sum 1 2 n %}", "6"),
        ("{% sum 1 2 as x %}[{{ x }}]", "[3]"),
        ("{% greet %}", "&lt;Ann&gt;"), ("{% greet name='Bo' %}", "&lt;Bo&gt;"), ("{% stars 3 %}{{ user }}", "3Ann"),
        ("{% repeat n %}{{ user.0 }}{% endrepeat %}", "AAA"),
        ("{% repeat %}", "malformed tag 'repeat': expected a number"),
        ("{% repeat 1 %}", "'repeat' is never closed: expected 'endrepeat'"),
        ("{% load sum from site %}", ""), ("{% autoescape off %}{% greet %}{% endautoescape %}", "<Ann>"),
        ("{% url 'a' 1 x=2 %}", "/polls/a?1&amp;x=2"),
    ])
    func `own tags and filters`(template: String, expected: String) {
        var context: TemplateContext = ["user": "Ann", "n": 3]
        context.currentApp = "polls"
        #expect(page(template, context) == expected)
    }

    @Test func `a missing variable shows what the settings say`() {
        #expect(page("{{ x.y }}|{{ x|upper }}|{% if x %}{% endif %}", invalid: "[%s]") == "[x.y]|[x]|")
        #expect(page("{{ x }}{{ x|default:'d' }}") == "d")
    }

    @Test func `the CSRF token is made only where it is used`() {
        let calls = Calls()
        var context: TemplateContext = [:]
        context.csrfToken = {
            calls.add()
            return "a\"b"
        }
        #expect(page("no form", context) == "no form")
        #expect(calls.count == 0)
        #expect(
            page("{% csrf_token %}", context)
                == "<input type=\"hidden\" name=\"csrfmiddlewaretoken\" value=\"a&quot;b\">")
        #expect(calls.count == 1)
        #expect(page("{% csrf_token %}") == "")
    }

    @Test func `moments are shown in the context's time zone`() {
        var context: TemplateContext = ["d": .date(TemplateDate(year: 2024, month: 6, day: 30, hour: 23, minute: 30))]
        #expect(
            page("{{ d }}|{{ d|date:'c T O' }}", context)
                == "June 30, 2024, 11:30 p.m.|2024-06-30T23:30:00+00:00 UTC +0000")
        context.timeZone = TemplateTimeZone(name: "Europe/Paris") { _ in
            .init(seconds: 7200, abbreviation: "CEST", isDaylightSaving: true)
        }
        #expect(
            page("{{ d }}|{{ d|date:'c T O e I' }}", context)
                == "July 1, 2024, 1:30 a.m.|2024-07-01T01:30:00+02:00 CEST +0200 Europe/Paris 1")
    }

    @Test func `Swift values have their values in templates`() {
        let missing: String? = nil
        let context: TemplateContext = [
            "a": TemplateValue([1, 2]), "b": TemplateValue(["y": 1.5, "x": 2]), "c": TemplateValue(missing),
            "d": TemplateValue(Optional(true)),
        ]
        #expect(
            page("{{ a.1 }}{% for k, v in b.items %}{{ k }}{{ v }}{% endfor %}{{ c }}{{ d }}", context)
                == "2x2.0y1.5NoneTrue")
    }

    @Test func `large maps keep their order and find their keys`() {
        var map = TemplateMap((0..<100).map { ("k\($0)", .int($0)) })
        map["k50"] = nil
        map["k7"] = "seven"
        #expect(map.count == 99)
        #expect(map["k50"] == nil)
        #expect(page("{{ m.k7 }}{{ m.k99 }}{{ m.k50 }}", ["m": .map(map)]) == "seven99")
        #expect(map.keys.first == "k0" && map.keys.last == "k99")
    }

    @Test func `one engine serves many tasks`() async {
        let engine = TemplateEngine(
            loader: MemoryLoader(["a": "{% for i in l %}{% cycle 'x' 'y' %}{{ i }}{% endfor %}"]))
        let pages = await withTaskGroup(of: [UInt8].self) { group in
            for number in 0..<50 {
                group.addTask { (try? engine.render("a", ["l": .list([.int(number), 1])])) ?? [] }
            }
            return await group.reduce(into: Set<[UInt8]>()) { $0.insert($1) }
        }
        #expect(pages == Set((0..<50).map { Array("x\($0)y1".utf8) }))
    }
}

private final class Calls: Sendable {
    private let total = Mutex(0)
    func add() { total.withLock { $0 += 1 } }
    var count: Int { total.withLock { $0 } }
}
