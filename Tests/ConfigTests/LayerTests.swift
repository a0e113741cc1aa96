import Config
import Testing

/// The layers and the origin of what they say.
@Suite struct LayerTests {
    static let file = """
        base:
          listen: 127.0.0.1:9000
          workers:
            count: 2
            threads: 8
          sites:
            polls: {swift: polls}
        staging:
          workers: {count: 3}
        production:
          listen: [127.0.0.1:9001, "unix:run/app.sock"]
        """

    @Test func nothingAtAllServesPolls() throws {
        let settings = try load(nil).get().settings
        #expect(settings.listen == [.tcp(host: "0.0.0.0", port: 8000)])
        #expect(settings.sites.map(\.name) == ["polls"])
        #expect(settings.sites.first?.database == "/srv/app/polls.sqlite3")
        #expect(settings.routes.map(\.action) == [.site("polls")])
        #expect(settings.routes.first?.pattern == .prefix("/"))
        #expect(settings.workers.mode == .process)
        #expect(!settings.debug)
    }

    @Test func developmentHasDefaultsOfItsOwn() throws {
        let configuration = try load(nil, default: "development").get()
        #expect(configuration.settings.workers.mode == .thread)
        #expect(configuration.settings.workers.count == .exactly(1))
        #expect(configuration.settings.debug)
        #expect(configuration.settings.listen == [.tcp(host: "127.0.0.1", port: 8000)])
        #expect(configuration.origin(of: "debug") == .builtIn(layer: "development"))
    }

    @Test func dataDirectoryHoldsTheDatabase() throws {
        let configuration = try load(nil, environment: ["APP_DATA": "/data"]).get()
        #expect(configuration.settings.sites.first?.database == "/data/polls.sqlite3")
        #expect(configuration.origin(of: "sites.polls.database") == .environment(variable: "APP_DATA"))
    }

    @Test(arguments: [
        ("production", 2, 9001, 2), ("staging", 3, 9000, 1), ("development", 2, 9000, 1),
    ])
    func sectionsLieOverBase(_ name: String, _ count: Int, _ port: Int, _ listeners: Int) throws {
        let settings = try load(Self.file, named: name).get().settings
        #expect(settings.workers.count == .exactly(count))
        #expect(settings.workers.threads == 8)
        #expect(settings.listen.first == .tcp(host: "127.0.0.1", port: port))
        #expect(settings.listen.count == listeners)
    }

    @Test func variablesAndFlagsLieOverTheFile() throws {
        let flag = try #require(ConfigFlag(assignment: "workers.count=7"))
        let configuration = try load(
            Self.file,
            environment: [
                "APP_WORKERS__COUNT": "5", "APP_WORKERS__THREADS": "6", "APP_LIMITS__HEADER_SIZE": "32KiB",
                "APP_LISTEN": "[127.0.0.1:1, unix:/x]", "APP_SITES__POLLS__GATEWAY": "wsgi", "APP_ENV": "staging",
            ],
            flags: [flag]
        ).get()
        let settings = configuration.settings
        #expect(configuration.environmentName == "staging")
        #expect(settings.workers.count == .exactly(7))
        #expect(settings.workers.threads == 6)
        #expect(settings.limits.headerSize == ByteCount(32 << 10))
        #expect(settings.listen == [.tcp(host: "127.0.0.1", port: 1), .unix(path: "/x")])
        #expect(settings.sites.first?.gateway == .wsgi)
        #expect(configuration.origin(of: "workers.count") == .flag("--set workers.count"))
        #expect(configuration.origin(of: "workers.threads") == .environment(variable: "APP_WORKERS__THREADS"))
        #expect(
            configuration.origin(of: "sites.polls.swift")
                == .file(path: "app.yaml", line: 7, column: 20, layer: "base"))
        #expect(configuration.origin(of: "limits.headers") == .builtIn(layer: "default"))
    }
}
