import Templates
import Testing

/// No template, however malicious, brings the process down.
@Suite struct HostileTemplateTests {
    private let engine = TemplateEngine(
        loader: MemoryLoader([
            "deep.html": String(repeating: "{% if t %}", count: 60)
                + "{% include 'deep.html' %}" + String(repeating: "{% endif %}", count: 60)
        ]))

    private func kind(_ template: String) -> TemplateError.Kind? {
        do throws(TemplateError) {
            _ = try engine.render(try engine.compile(template), ["t": true])
            return nil
        } catch {
            return error.kind
        }
    }

    @Test func `nesting has a limit`() {
        #expect(kind(String(repeating: "{% if t %}", count: 100_000)) == .nestingTooDeep(limit: 64))
        #expect(
            kind("{% if " + String(repeating: "not ", count: 100_000) + "t %}{% endif %}") == .nestingTooDeep(limit: 64)
        )
        #expect(
            kind("{% if t" + String(repeating: " or t", count: 100_000) + " %}{% endif %}")
                == .nestingTooDeep(limit: 64))
    }

    @Test func `deep tags in deep includes fit on the stack`() {
        #expect(kind("{% include 'deep.html' %}") == .recursionTooDeep(limit: 64))
    }

    @Test(arguments: ["{", "{{", "{%", "{#", "{{'", "{%}", "%}{", "{{ x|", "\"", "{% url \"", "}}"])
    func `repeated fragments end in text or an error, in linear time`(fragment: String) {
        _ = kind(String(repeating: fragment, count: 50_000))
        _ = kind("{% if " + String(repeating: fragment, count: 5000) + " %}")
    }

    @Test func `any bytes compile or are refused`() {
        var generator = SplitMix(state: 42)
        let words = [
            "{%", "%}", "{{", "}}", " ", "if", "for", "x", "in", "|", ":", "'", "\"", "endif", "block", "add", "1",
            "\n",
            "extends", "{#", "#}", ".", "=", "as", "with", "\u{fffd}", "slice", "::", "-", "9223372036854775807",
            "date",
        ].map { Array($0.utf8) }
        for _ in 0..<3000 {
            var bytes: [UInt8] = []
            for _ in 0..<Int.random(in: 0..<30, using: &generator) {
                bytes += words.randomElement(using: &generator) ?? []
                if Int.random(in: 0..<20, using: &generator) == 0 {
                    bytes.append(.random(in: 0...255, using: &generator))
                }
            }
            let source = TemplateSource(origin: "random", bytes: bytes)
            if let template = try? engine.compile(source, name: "random") {
                _ = try? engine.render(template, ["x": [1, "a", .null], "t": true])
            }
        }
    }

    @Test(arguments: [
        "{{ n|add:n }}", "{{ m|add:m }}", "{{ m|divisibleby:-1 }}", "{{ nan|floatformat:2 }}", "{{ inf|floatformat }}",
        "{% widthratio inf nan n %}", "{% widthratio n 1 n %}", "{{ n|filesizeformat }}", "{{ m|filesizeformat }}",
        "{{ s|slice:'-9223372036854775808:9223372036854775807:-9223372036854775808' }}", "{{ old|timesince:new }}",
        "{{ old|date:'c r U W o z' }}", "{{ new|date:'c r U W o z' }}", "{{ m|get_digit:20 }}", "{{ m|intcomma }}",
        "{{ m|stringformat:'x' }}", "{{ inf|stringformat:'d' }}", "{{ nan|pluralize }}", "{{ s|truncatechars:m }}",
        "{{ n|floatformat:m }}", "{{ n|center:m }}", "{{ inf }}{{ nan }}{{ m }}{{ huge }}", "{{ inf|add:1 }}",
        "{{ l|slice:n }}", "{{ l|dictsort:'' }}", "{{ s|wordwrap:n }}", "{{ n|stringformat:'999999999999d' }}",
    ])
    func `numbers at their limits`(template: String) {
        let context: TemplateContext = [
            "n": .int(.max), "m": .int(.min), "nan": .double(.nan), "inf": .double(.infinity), "huge": 1e308,
            "s": "text", "l": [1, 2], "old": .date(TemplateDate(seconds: .min)),
            "new": .date(TemplateDate(seconds: .max, nanoseconds: 999_999_999)),
        ]
        if let compiled = try? engine.compile(template) { _ = try? engine.render(compiled, context) }
    }
}

private struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
