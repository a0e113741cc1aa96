import Templates

/// The variables of the conformance table: those of `Conformance/generate.py`.
enum ConformanceContext {
    struct Question: TemplateObject {
        func member(_ name: String) -> TemplateValue? {
            switch name {
            case "pk": 1
            case "question_text": "What's up <doc>?"
            case "tags": ["x", "y"]
            case "__str__": "Q&A"
            default: nil
            }
        }
    }

    static let now = TemplateDate(
        seconds: TemplateDate(year: 2024, month: 2, day: 29, hour: 13, minute: 5, second: 9).seconds,
        nanoseconds: 123_456_000)

    static let values: TemplateContext = {
        var context: TemplateContext = [
            "n": 3, "one": 1, "zero": 0, "neg": -7, "big": 1_234_567_890, "f": 34.23234, "half": 2.5, "f0": 34.0,
            "fexp": 1e20, "tiny": 1e-7, "t": true, "none": .null, "s": "hello world",
            "html": "<b>\"Tom\" & 'Jerry'</b>", "safe": .safe("<i>x & y</i>"), "empty": "",
            "words": "Joel is a slug", "digits": "42", "title": "they're bill's friends from the UK 3rd o'neill",
            "list": [1, 2, 3], "strs": ["a", "<b>", "c'"], "mixed": [1, 2.5, "x", .null, true, ["y"]], "elist": [],
        ]
        context.merge([
            "pairs": [["a", 1], ["b", 2]], "d": ["name": "Ann", "age": 30, "tags": ["x", "y"]],
            "people": [
                ["name": "Cy", "age": 30], ["name": "Al", "age": 20], ["name": "Bo", "age": 30],
            ],
            "q": .object(Question()), "questions": [.object(Question()), .object(Question())], "date": .date(now),
            "midnight": .date(TemplateDate(year: 2023, month: 9, day: 1)),
            "noon": .date(TemplateDate(year: 2021, month: 1, day: 3, hour: 12)),
            "day": .date(.day(year: 2024, month: 12, day: 30)),
            "earlier": .date(TemplateDate(year: 2022, month: 12, day: 25, hour: 3)),
        ])
        context.merge([
            "lines": "one\r\ntwo <\n\nthree\n\n\nfour", "address": "/a b/?q=ü&x=1", "unicode": "Ünïcödé straße – ok",
            "js": "</script>'\"\\\n\u{2028}-;",
            "tagged": "<p class='a>b'>Hi <!-- c > --><b>there</b> 1 < 2 &amp; x</p>",
            "parent": "base.html", "cell": [["a", [["b"]]], "c"], "tree": ["A", ["B", ["C"], "D<"], "E"],
        ])
        context.csrfToken = { "t&k" }
        return context
    }()

    static let engine: TemplateEngine = {
        var settings = TemplateSettings()
        settings.now = { now }
        settings.urlResolver = resolve
        return TemplateEngine(loader: MemoryLoader(ConformanceTable.templates), settings: settings)
    }()

    /// The three routes of generate.py.
    @Sendable private static func resolve(_ reference: URLReference) -> String? {
        let arguments = reference.positional + reference.keyword.map(\.value)
        switch reference.name {
        case "index": return arguments.isEmpty ? "/polls/" : nil
        case "detail":
            guard arguments.count == 1, case .int(let id) = arguments[0] else { return nil }
            guard reference.keyword.allSatisfy({ $0.name == "id" }) else { return nil }
            return "/polls/\(id)/"
        case "find":
            guard arguments.count == 1 else { return nil }
            let quoted = arguments[0].text.utf8.map { byte -> String in
                let isPlain = (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                // Django keeps these in a path (RFC 3986 §3.3).
                let isKept = "-._~!$&'()*+,;=:@".utf8.contains(byte)
                return isPlain || isKept
                    ? String(UnicodeScalar(byte)) : "%" + String(byte, radix: 16, uppercase: true)
            }
            return arguments[0].text.contains("/") ? nil : "/find/\(quoted.joined())/"
        default: return nil
        }
    }

    /// What our engine makes of a template of the table; nil when it refuses.
    static func page(_ template: String) -> String? {
        guard let compiled = try? engine.compile(template) else { return nil }
        return (try? engine.render(compiled, values)).map { String(decoding: $0, as: UTF8.self) }
    }
}
