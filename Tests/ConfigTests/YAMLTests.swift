import Config
import Testing

/// What YAML allows and a configuration file does not, each with its place.
@Suite struct YAMLTests {
    @Test(arguments: [
        ("", "app.yaml:1:1: the file is empty: write options under 'base:', or start without a file"),
        ("# nothing\n", "app.yaml:1:1: the file is empty: write options under 'base:', or start without a file"),
        ("---\n", "app.yaml:1:1: the file is empty: write options under 'base:', or start without a file"),
        ("- a\n", "app.yaml:1:1: expected a mapping with 'base:' and environments, got a list"),
        ("base:\n\tdebug: on\n", "app.yaml:2:1: a tab cannot indent: use spaces"),
        ("base: {}\n---\nbase: {}\n", "app.yaml:2:1: a second document begins here: a configuration file holds one"),
        ("base:\n  debug: on\n  debug: off\n", "app.yaml:3:3: debug: duplicate key, first written at 2:3"),
        ("base: {}\n'base': {}\n", "app.yaml:2:1: base: duplicate key, first written at 1:1"),
        ("base: !!binary x\n", "app.yaml:1:7: tags are not used here: remove 'tag:yaml.org,2002:binary'"),
        ("? [a]\n: b\n", "app.yaml:1:3: a key must be text, not a list or mapping"),
        ("a: &x b\n*x : c\n", "app.yaml:2:1: a key must be text, not an alias"),
        ("base: \u{1}\n", "app.yaml:1:7: control character U+01 is not allowed"),
        ("base: *x\n", "app.yaml:1:7: alias '*x' has no anchor '&x' before it"),
        ("base: &a [*a]\n", "app.yaml:1:11: alias '*a' has no anchor '&a' before it"),
        ("base: {<<: 5}\n", "app.yaml:1:8: '<<' merges a mapping or a list of mappings"),
        ("base: a: b\n", "app.yaml:1:8: mapping values are not allowed in this context"),
        (
            "base: {secret-key: ${secret:x}}\n",
            "app.yaml:1:21: did not find expected ',' or '}': inside { } and [ ], put quotes around '${…}'"
        ),
    ])
    func refused(_ yaml: String, _ message: String) {
        #expect(problems(yaml) == message)
    }

    @Test(
        arguments: [
            ([0x62, 0x3A, 0x20, 0xFF], "app.yaml:1:4: byte 0xFF is not UTF-8: save the file in UTF-8"),
            ([0x61, 0x0A, 0xC3, 0xA4, 0xC3, 0x28], "app.yaml:2:2: byte 0xC3 is not UTF-8: save the file in UTF-8"),
            ([0xFF, 0xFE, 0x62, 0x00], "app.yaml:1:1: byte 0xFF is not UTF-8: save the file in UTF-8"),
            ([0xED, 0xA0, 0x80], "app.yaml:1:1: byte 0xED is not UTF-8: save the file in UTF-8"),
            ([0xC0, 0xAF], "app.yaml:1:1: byte 0xC0 is not UTF-8: save the file in UTF-8"),
            ([0xF0, 0x9F, 0x98], "app.yaml:1:1: byte 0xF0 is not UTF-8: save the file in UTF-8"),
        ] as [([UInt8], String)])
    func notUTF8(_ bytes: [UInt8], _ message: String) {
        let sources = ConfigSources(workingDirectory: "/", fileContents: ("app.yaml", bytes))
        guard case .failure(let errors) = Configuration.load(sources) else {
            Issue.record("it was accepted")
            return
        }
        #expect(errors.description == message)
    }

    @Test func nestingIsBounded() {
        for (count, column) in [(33, 38), (10_000, 8)] {
            let deep = String(repeating: "[", count: count) + String(repeating: "]", count: count)
            #expect(problems("base: \(deep)") == "app.yaml:1:\(column): nested deeper than 32 levels")
        }
        let mappings = (0..<40).map { String(repeating: " ", count: $0) + "a:\n" }.joined()
        #expect(problems(mappings).hasSuffix("nested deeper than 32 levels"))
    }

    @Test func aliasBombIsRefused() {
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...9 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            bomb += "a\(level): &a\(level) [\(aliases)]\n"
        }
        #expect(problems(bomb) == "app.yaml:5:10: alias '*a3' makes more than 20000 values")
        let chain = "a0: &a0 [x]\n" + (1...40).map { "a\($0): &a\($0) [*a\($0 - 1)]\n" }.joined()
        #expect(problems(chain).hasSuffix("nested deeper than 32 levels"))
    }

    @Test func sizeIsBounded() {
        #expect(problems(String(repeating: "#", count: 1 << 20) + "\n") == "app.yaml:1:1: the file is larger than 1MiB")
        let many = "base:\n  allowed-hosts: [" + String(repeating: "a, ", count: 30_000) + "]\n"
        #expect(problems(many).contains("more than 20000 values"))
    }

    @Test func anchorsAndMergeKeysWork() throws {
        let yaml = """
            base:
              timeouts: {header: &short 5s, body: *short}
              sites:
                one: &site {swift: polls, gateway: wsgi}
                two:
                  <<: *site
                  gateway: asgi
              routes: [{path: /one/, site: one}, {path: /, site: two}]
            """
        let configuration = try load(yaml).get()
        #expect(configuration.settings.timeouts.body == .seconds(5))
        let two = try #require(configuration.settings.site(named: "two"))
        #expect(two.source == .swift("polls"))
        #expect(two.gateway == .asgi)
        // A merged value comes from where it is written.
        #expect(configuration.origin(of: "sites.two.swift").place == "app.yaml:4:24")
    }

    @Test(arguments: [("on", true), ("off", false), ("yes", true), ("No", false), ("TRUE", true), ("'on'", true)])
    func booleans(_ text: String, _ value: Bool) throws {
        #expect(try load("base: {debug: \(text)}").get().settings.debug == value)
    }

    @Test func wordsStayText() throws {
        let yaml = "base: {sites: {no: {swift: yes}}, routes: [{path: /, site: no}, {path: =/x, respond: off}]}"
        let settings = try load(yaml).get().settings
        #expect(settings.sites.first?.source == .swift("yes"))
        #expect(
            settings.routes.last?.action
                == .respond(text: "off", status: 200, contentType: "text/plain; charset=utf-8"))
    }

    @Test func byteOrderMarkAndWindowsLinesAreRead() throws {
        #expect(try load("\u{FEFF}base:\r\n  debug: on\r\n").get().settings.debug)
    }
}
