// Compiled together with Sources/Templates by Tests/Fuzz/run: compiles any bytes as a template, and renders what
// compiles.

private struct Thing: TemplateObject {
    let depth: Int

    func member(_ name: String) -> TemplateValue? {
        switch name {
        case "next": depth > 0 ? .object(Thing(depth: depth - 1)) : nil
        case "id": .int(depth)
        case "text": "a <b> & 'c'"
        default: nil
        }
    }
    var templateElements: [TemplateValue]? { depth == 2 ? [1, "x"] : nil }
}

private let engine: TemplateEngine = {
    var settings = TemplateSettings()
    settings.urlResolver = { $0.name.isEmpty ? nil : "/" + $0.name }
    settings.now = { TemplateDate(year: 2024, month: 2, day: 29, hour: 13, minute: 5) }
    let loader: MemoryLoader = [
        "a": "<{% block a %}A{% block b %}{{ x }}{% endblock %}{% endblock %}>",
        "b": "{% extends 'a' %}{% block b %}{{ block.super }}{% endblock %}",
        "c": "{% include name %}", "d": "{% extends name %}", "e": "{% for i in l %}{{ i }}{% cycle 1 2 %}{% endfor %}",
    ]
    return TemplateEngine(loader: loader, settings: settings)
}()

private let context: TemplateContext = {
    var context: TemplateContext = [
        "n": 3, "m": -9_223_372_036_854_775_808, "f": 1.5, "g": 1e300, "nan": .double(.nan), "inf": .double(.infinity),
        "t": true, "o": .null, "s": "wörd \u{301}one's <b>", "h": .safe("<i>&</i>"), "l": [3, 1, 2], "q": [],
        "p": [["a", 1], ["b", 2]], "k": ["a": 1, "b": [1, 2]], "x": .object(Thing(depth: 3)), "name": "c",
        "big": .string(String(repeating: "ab ", count: 40)),
    ]
    context["d"] = .date(TemplateDate(year: 2024, month: 1, day: 31, hour: 23, minute: 59, second: 59))
    context["e"] = .date(TemplateDate(seconds: .min))
    context["y"] = .date(.day(year: 1, month: 1, day: 1))
    return context
}()

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzTemplate(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    do throws(TemplateError) {
        let template = try engine.compile(TemplateSource(origin: "fuzz", bytes: bytes), name: "fuzz")
        _ = try engine.render(template, context)
    } catch {
        precondition(!error.description.isEmpty)
    }
    return 0
}
