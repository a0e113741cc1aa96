import Testing

@testable import Config

/// From text to typed settings: sites, routes, short forms, paths.
@Suite struct SettingsTests {
    @Test func defaultsAreAsDocumented() throws {
        let settings = try load("base: {sites: {polls: {swift: polls}}}").get().settings
        #expect(settings.listen == [.tcp(host: "127.0.0.1", port: 8000)])
        #expect(settings.workers.count == .auto)
        #expect(settings.workers.threads == 4)
        #expect(settings.gzip.enabled)
        #expect(settings.gzip.minSize == ByteCount(1024))
        #expect(settings.gzip.level == 6)
        #expect(settings.gzip.types.contains("image/svg+xml"))
        #expect(settings.limits.headerSize == ByteCount(16 << 10))
        #expect(settings.limits.headers == 100)
        #expect(settings.limits.targetSize == ByteCount(8 << 10))
        #expect(settings.limits.bodySize == ByteCount(10 << 20))
        #expect(settings.limits.bodyMemory == ByteCount(64 << 10))
        #expect(settings.limits.connections == .exactly(10_000))
        #expect(settings.limits.queue == 128)
        #expect(settings.limits.filesCache == ByteCount(32 << 20))
        #expect(settings.timeouts.header == .seconds(10))
        #expect(settings.timeouts.body == .seconds(30))
        #expect(settings.timeouts.write == .seconds(30))
        #expect(settings.timeouts.keepAlive == .seconds(15))
        #expect(settings.timeouts.request == .within(.seconds(60)))
        #expect(settings.timeouts.grace == .seconds(5))
        #expect(settings.timeouts.stuck == .within(.seconds(30)))
        #expect(settings.timeouts.drain == .seconds(30))
        #expect(settings.timeouts.start == .seconds(60))
        #expect(settings.timeouts.linger == .seconds(30))
        #expect(settings.timeouts.preDrain == .zero)
        #expect(settings.limits.queueTime == .within(.seconds(10)))
        #expect(settings.limits.memory == .auto)
        #expect(
            settings.log
                == .init(
                    format: .text, level: .info, access: .standardOutput,
                    statuses: ["1xx", "2xx", "3xx", "4xx", "5xx"].compactMap(StatusSet.init), slow: .within(.seconds(1))
                ))
        #expect(settings.health == .init(live: "/livez", ready: "/readyz"))
        #expect(settings.admin == .init(listen: .standard, token: nil, stats: []))
        #expect(settings.serverHeader == .standard)
        #expect(settings.secretKey == nil)
        #expect(settings.allowedHosts == ["*"])
        #expect(settings.tempDirectory == "/tmp")
    }

    @Test func overloadAndLogsAreDecoded() throws {
        let yaml = """
            base:
              limits: {queue-time: off, memory: 512MiB}
              timeouts: {linger: 1h, pre-drain: 5s}
              log: {slow: off, statuses: [404, 5XX]}
            """
        let settings = try load(yaml).get().settings
        #expect(settings.limits.queueTime == .off && settings.limits.memory == .exactly(ByteCount(512 << 20)))
        #expect(settings.timeouts.linger == .seconds(3600) && settings.timeouts.preDrain == .seconds(5))
        #expect(settings.log.slow == .off)
        #expect(settings.log.statuses.map(\.codes) == [404...404, 500...599])
        for text in ["6xx", "xx", "99", "600", "4x", "ok"] {
            #expect(StatusSet(text) == nil, "\(text)")
        }
        guard case .failure(let errors) = load("base: {log: {statuses: [4xx, most]}}") else {
            Issue.record("'most' is no status")
            return
        }
        #expect(errors.description.contains("a status (404) or a class of them (1xx to 5xx)"))
    }

    @Test(
        arguments: [
            ("admin: true", .standard), ("admin: off", .off), ("admin: []", .off),
            ("admin: 127.0.0.1:9000", .addresses([.tcp(host: "127.0.0.1", port: 9000)])),
            (
                "admin: [unix:run/admin.sock, 'unix:@name', '[::1]:9000']",
                .addresses([
                    .unix(path: "/srv/app/run/admin.sock"), .unix(path: "@name"), .tcp(host: "::1", port: 9000),
                ])
            ),
        ] as [(String, Settings.Admin.Listen)])
    func adminListens(yaml: String, expected: Settings.Admin.Listen) throws {
        #expect(try load("base:\n  \(yaml)\n  sites: {polls: {swift: polls}}").get().settings.admin.listen == expected)
    }

    @Test(arguments: ["admin: :9000", "admin: 9000", "admin: fd:3", "stats: :1717", "admin: {listen: x}"])
    func adminOnEveryInterfaceHasToBeMeant(yaml: String) throws {
        let result = load("base:\n  \(yaml)\n  sites: {polls: {swift: polls}}")
        #expect(throws: ConfigErrors.self) { try result.get() }
    }

    @Test func routesAreDecoded() throws {
        let yaml = """
            base:
              sites: {polls: {swift: polls}, shop: {python: 'shop.wsgi:application', directory: ., virtualenv: /v}}
              routes:
                - {path: /static/, files: static, cache: 1y, fallback: {redirect: /, status: 303}}
                - {path: /media/, files: ./media, cache: no-store, index: [], dot-files: yes, listing: on,
                   precompressed: no, symlinks: follow, fallback: polls}
                - {path: /old/, redirect: /new/}
                - {path: =/ping, respond: pong, content-type: text/html, status: 201}
                - {path: '~^/y[0-9]', deny: true, status: 404}
                - {host: '*.Example.org', path: /, site: shop, gzip: off, headers: {X-Frame-Options: DENY}}
                - {path: /, site: polls, headers: {set: {X-A: b}, remove: X-Powered-By}}
            """
        let settings = try load(yaml).get().settings
        let routes = settings.routes
        #expect(
            routes.map(\.pattern) == [
                .prefix("/static/"), .prefix("/media/"), .prefix("/old/"), .exact("/ping"), .expression("^/y[0-9]"),
                .prefix("/"), .prefix("/"),
            ])
        guard case .files(let files) = routes[0].action, case .files(let media) = routes[1].action else {
            Issue.record("the first routes are for files")
            return
        }
        #expect(files.root == "/srv/app/static")
        #expect(files.cache == .age(.seconds(31_536_000)))
        #expect(files.index == ["index.html"])
        #expect(!files.dotFiles && !files.listing && files.precompressed && files.symlinks == .within)
        #expect(files.fallback == .redirect(target: "/", status: 303))
        #expect(media.root == "/srv/app/media")
        #expect(media.cache == .control("no-store"))
        #expect(media.index.isEmpty)
        #expect(media.dotFiles && media.listing && !media.precompressed && media.symlinks == .follow)
        #expect(media.fallback == .site("polls"))
        #expect(routes[2].action == .redirect(target: "/new/", status: 302))
        #expect(routes[3].action == .respond(text: "pong", status: 201, contentType: "text/html"))
        #expect(routes[4].action == .deny(status: 404))
        #expect(routes[5].host == "*.example.org")
        #expect(!routes[5].gzip && routes[6].gzip)
        #expect(routes[5].headers.set == [.init(name: "X-Frame-Options", value: "DENY")])
        #expect(routes[6].headers == .init(set: [.init(name: "X-A", value: "b")], remove: ["X-Powered-By"]))
        #expect(routes[6].place.description == "routes[6]")
        let shop = try #require(settings.site(named: "shop"))
        #expect(shop.source == .python(module: "shop.wsgi", callable: "application"))
        #expect(shop.directory == "/srv/app" && shop.virtualenv == "/v" && shop.database == nil)
    }

    @Test func limitsMayBeOff() throws {
        let yaml = """
            base:
              timeouts: {request: off, stuck: 0s}
              sites: {a: {swift: polls, timeout: 5m}, b: {swift: polls, timeout: off}, c: {swift: polls}}
              routes:
                - {path: /a/, site: a, timeout: 1s}
                - {path: /f/, files: f, fallback: b, timeout: off}
                - {path: /, site: c}
            """
        let settings = try load(yaml).get().settings
        #expect(settings.timeouts.request == .off && settings.timeouts.stuck == .off)
        #expect(settings.sites.map(\.timeout) == [.within(.seconds(300)), .off, nil])
        #expect(settings.routes.map(\.timeout) == [.within(.seconds(1)), .off, nil])
        guard case .failure(let errors) = load("base: {timeouts: {request: never}}") else {
            Issue.record("'never' is no limit")
            return
        }
        #expect(
            errors.description
                == "app.yaml:1:28: timeouts.request: expected a duration from 0s to 1d (such as 30s) or 'off', got 'never'"
        )
    }

    @Test func shortFormsMergeWithLongOnes() throws {
        let yaml = """
            base:
              gzip: {level: 3}
              health: {live: /alive}
              workers:
            production:
              gzip: off
              health: false
              server-header: off
              log: {access: no}
            """
        let settings = try load(yaml).get().settings
        #expect(!settings.gzip.enabled && settings.gzip.level == 3)
        #expect(settings.health == .init(live: nil, ready: nil))
        #expect(settings.serverHeader == .off)
        #expect(settings.log.access == .off)
        let other = try load(yaml, environment: ["APP_GZIP": "on", "APP_HEALTH": "yes"]).get().settings
        #expect(other.gzip.enabled && other.health.live == "/alive" && other.health.ready == "/readyz")
    }

    @Test func pathsAreRelativeToWhereTheyAreWritten() throws {
        let bytes = Array("base: {temp-directory: tmp, listen: unix:run/s, log: {access: ../a.log}}".utf8)
        var sources = ConfigSources(workingDirectory: "/work", fileContents: ("conf/app.yaml", bytes))
        var settings = try Configuration.load(sources).get().settings
        #expect(settings.tempDirectory == "/work/conf/tmp")
        #expect(settings.listen == [.unix(path: "/work/conf/run/s")])
        #expect(settings.log.access == .file("/work/conf/../a.log"))
        sources.environment = ["APP_TEMP_DIRECTORY": "tmp"]
        sources.flags = [ConfigFlag("listen", .list(["unix:s", ":1"]), flag: "--listen")]
        settings = try Configuration.load(sources).get().settings
        #expect(settings.tempDirectory == "/work/tmp")
        #expect(settings.listen == [.unix(path: "/work/s"), .tcp(host: nil, port: 1)])
    }

    @Test func targetsTakeThePlaceOfSitesAndRoutes() throws {
        let python = try load(nil, target: .python("shop.wsgi:app")).get().settings
        #expect(python.sites.map(\.name) == ["shop"])
        #expect(python.routes.map(\.action) == [.site("shop")])
        #expect(python.listen == [.tcp(host: "127.0.0.1", port: 8000)])
        let directory = try load("base: {sites: {a: {swift: a}}}", target: .directory("public")).get()
        #expect(directory.settings.sites.isEmpty)
        guard case .files(let files)? = directory.settings.routes.first?.action else {
            Issue.record("a directory is served as files")
            return
        }
        #expect(files.root == "/srv/app/public")
        #expect(directory.origin(of: "routes[0].files") == .flag("public"))
        #expect(try load(nil, target: .swift("blog")).get().settings.sites.first?.source == .swift("blog"))
        guard case .failure(let errors) = load(nil, target: .python("a b")) else {
            Issue.record("'a b' is no target")
            return
        }
        #expect(errors.description == "a b: sites.app.python: expected module:callable, got 'a b'")
    }

    @Test func nothingToServeIsAWarning() throws {
        let configuration = try load("base: {debug: on}").get()
        #expect(configuration.settings.routes.isEmpty)
        #expect(
            configuration.warnings.map(\.description) == [
                "missing: expected sites or routes; there is nothing to serve"
            ])
    }
}
