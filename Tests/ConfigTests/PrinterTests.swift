import Config
import TestSupport
import Testing

/// The effective configuration as YAML and JSON, and the reference.
@Suite struct PrinterTests {
    static let yaml = """
        base:
          listen: :0
          sites:
            polls: {swift: polls, database: db, settings: {a: 1, b: "1", c: "x: y", d: "ä\\n\\e", e: 'no', f: 1.5}}
        production:
          secret-key: ${secret:key}
          workers: {count: 2}
        """

    @Test func originsArePrinted() throws {
        let configuration = try load(Self.yaml, environment: ["KEY": "k", "APP_WORKERS__THREADS": "3"]).get()
        let lines = configuration.yaml(withOrigin: true).split(separator: "\n").map(String.init)
        let begin = [
            "listen:",
            "  - \":0\"                         # base app.yaml:2",
            "workers:",
            "  mode: process                  # default",
            "  count: 2                       # production app.yaml:7",
            "  threads: 3                     # environment $APP_WORKERS__THREADS",
            "sites:",
            "  polls:",
            "    swift: polls                 # base app.yaml:4",
            "    gateway: auto                # default",
            "    database: db                 # base app.yaml:4",
            "    settings:",
            "      a: 1                       # base app.yaml:4",
            "      b: \"1\"                     # base app.yaml:4",
            "      c: \"x: y\"                  # base app.yaml:4",
            "      d: \"ä\\n\\u001b\"             # base app.yaml:4",
            "      e: no                      # base app.yaml:4",
            "      f: 1.5                     # base app.yaml:4",
            "routes:",
            "  - path: /                      # default",
            "    site: polls                  # default",
            "    gzip: true                   # default",
        ]
        // In this order, with options between that are as they are by default.
        var rest = lines[...]
        for expected in begin {
            let index = try #require(rest.firstIndex(of: expected), "\(expected)")
            rest = rest[(index + 1)...]
        }
        #expect(lines.contains("secret-key: '****'               # production app.yaml:6, secret from $KEY"))
    }

    @Test func printedYAMLReadsBackTheSame() throws {
        let environment = ["APP_LOG__ACCESS": "- a: b #c", "APP_SERVER_HEADER": "5", "KEY": "k"]
        let first = try load(Self.yaml.replacing("${secret:key}", with: "k"), environment: environment).get()
        let indented = first.yaml().split(separator: "\n").map { "  \($0)\n" }.joined()
        let second = try load("base:\n" + indented).get()
        #expect(second.yaml() == first.yaml())
        #expect(second.settings.sites == first.settings.sites)
        #expect(second.settings.routes == first.settings.routes)
    }

    @Test func json() throws {
        let configuration = try load(Self.yaml, environment: ["KEY": "k"]).get()
        let json = configuration.json()
        expect(
            json,
            shows: [
                "\"listen\": [\n    \":0\"\n  ]", "\"count\": 2", "\"a\": 1,", "\"b\": \"1\"",
                "\"d\": \"ä\\n\\u001b\"", "\"f\": 1.5", "\"secret-key\": \"****\"", "\"debug\": false",
            ])
        let part = "\"count\": {\"value\": 2, \"layer\": \"production\", \"place\": \"app.yaml:7:20\"}"
        #expect(configuration.json(withOrigin: true).contains(part))
    }

    @Test func referenceHasEveryKey() throws {
        let reference = Configuration.reference()
        for key in [
            "listen", "workers.mode", "workers.count", "workers.threads", "gzip.enabled", "gzip.min-size", "gzip.level",
            "gzip.types", "limits.header-size", "limits.headers", "limits.target-size", "limits.body-size",
            "limits.body-memory", "limits.connections", "limits.queue", "limits.queue-time",
            "limits.memory", "limits.files-cache", "timeouts.header",
            "timeouts.body", "timeouts.write", "timeouts.keep-alive", "timeouts.request", "timeouts.grace",
            "timeouts.stuck", "timeouts.drain", "timeouts.linger", "timeouts.pre-drain", "timeouts.start",
            "websocket.max-size", "websocket.ping-interval",
            "websocket.ping-timeout",
            "websocket.compression", "log.format", "log.level", "log.access", "health.enabled", "health.live",
            "health.ready",
            "admin", "admin-token", "stats", "server-header", "debug", "secret-key", "allowed-hosts", "temp-directory",
            "sites.NAME.swift",
            "sites.NAME.python", "sites.NAME.gateway", "sites.NAME.database", "sites.NAME.directory",
            "sites.NAME.virtualenv", "sites.NAME.timeout", "sites.NAME.settings", "routes[].host", "routes[].path",
            "routes[].files",
            "routes[].site", "routes[].redirect", "routes[].respond", "routes[].deny", "routes[].status",
            "routes[].content-type", "routes[].cache", "routes[].index", "routes[].dot-files", "routes[].listing",
            "routes[].precompressed", "routes[].symlinks", "routes[].fallback", "routes[].headers.set",
            "routes[].headers.remove", "routes[].gzip", "routes[].timeout",
        ] {
            #expect(reference.contains("**`\(key)`**"), "\(key)")
        }
    }

    /// What is printed without a file is what the reference calls the defaults; a key that is declared and not decoded,
    /// or the other way round, would not load.
    @Test func everyPrintedKeyIsInTheReference() throws {
        let reference = Configuration.reference()
        func visit(_ node: ConfigTree, _ prefix: String) {
            for entry in node.entries {
                #expect(reference.contains("`\(prefix)\(entry.key)`") || reference.contains("## \(entry.key)\n"))
                if prefix.isEmpty, entry.key != "sites", entry.key != "routes" { visit(entry.value, "\(entry.key).") }
            }
        }
        visit(try load(nil).get().tree, "")
    }
}
