import Config
import Testing

/// Environment variables and flags.
@Suite struct VariableTests {
    static let yaml = """
        base:
          sites: {my-shop: {swift: shop, settings: {page-size: 5, api_key: x}}, polls: {swift: polls}}
          routes: [{path: /shop/, site: my-shop}, {path: /, site: polls}]
          gzip: {level: 3}
        """

    @Test(arguments: [
        ("APP_DEBUG", "yes", "debug", "true"),
        ("APP_ALLOWED_HOSTS", "example.org", "allowed-hosts[0]", "example.org"),
        ("APP_ALLOWED_HOSTS", "[a, b]", "allowed-hosts[1]", "b"),
        ("APP_LISTEN", "[::1]:80", "listen[0]", "[::1]:80"),
        ("APP_LISTEN__0", ":81", "listen[0]", ":81"),
        ("APP_SERVER_HEADER", "[x]", "server-header", "[x]"),
        ("APP_LIMITS", "{headers: 50}", "limits.headers", "50"),
        ("APP_ROUTES__0__PATH", "/s/", "routes[0].path", "/s/"),
        ("APP_ROUTES__2", "{path: =/x, deny: on}", "routes[2].deny", "true"),
        ("APP_ROUTES__0__HEADERS", "{X-A: b}", "routes[0].headers.set.X-A", "b"),
        ("APP_SITES__MY_SHOP__GATEWAY", "asgi", "sites.my-shop.gateway", "asgi"),
        ("APP_SITES__MY_SHOP__SETTINGS__PAGE_SIZE", "9", "sites.my-shop.settings.page-size", "9"),
        ("APP_SITES__MY_SHOP__SETTINGS__API_KEY", "y", "sites.my-shop.settings.api_key", "y"),
        ("APP_SITES__MY_SHOP__SETTINGS__NEW_ONE", "z", "sites.my-shop.settings.new_one", "z"),
        ("APP_GZIP", "off", "gzip.enabled", "false"),
    ])
    func variables(_ name: String, _ text: String, _ path: ConfigPath, _ value: String) throws {
        let configuration = try load(Self.yaml, environment: [name: text]).get()
        #expect(configuration.tree[path]?.scalar?.text == value)
        #expect(configuration.origin(of: path) == .environment(variable: name))
        #expect(configuration.settings.gzip.level == 3)
    }

    @Test(arguments: [
        ("APP_WORKRES", "1", "$APP_WORKRES: workres: unknown key, did you mean 'workers'?"),
        ("APP_WORKERS__CUONT", "1", "$APP_WORKERS__CUONT: workers.cuont: unknown key, did you mean 'count'?"),
        ("APP_NOTHING__HERE", "1", "$APP_NOTHING__HERE: nothing: unknown key"),
        ("APP_DEBUG__X", "1", "$APP_DEBUG__X: debug.x: unknown key"),
        ("APP_ROUTES__X__PATH", "/", "$APP_ROUTES__X__PATH: routes: expected an index (from 0), got 'x'"),
        (
            "APP_ROUTES__9__PATH", "/",
            "$APP_ROUTES__9__PATH: routes[9].path: there is no such place in the configuration"
        ),
        (
            "APP_WORKERS__COUNT", "x",
            "$APP_WORKERS__COUNT: workers.count: expected 'auto' or a whole number from 1 to 1024, got 'x'"
        ),
        (
            "APP_SITES", "{a: {swift: a}, a: b}",
            "$APP_SITES: sites: duplicate key, first written at $APP_SITES"
        ),
    ])
    func wrongVariables(_ name: String, _ text: String, _ message: String) {
        #expect(problems(Self.yaml, environment: [name: text]) == message)
    }

    @Test(arguments: [
        "APP_CONFIG", "APP_ENV", "APP_DATA", "APP_FDS", "APP__INTERNAL_GENERATION", "APPLE", "PATH", "APP_",
    ])
    func otherVariablesAreNotOptions(_ name: String) throws {
        let value = name == "APP_ENV" ? "production" : "9"
        #expect(
            try load(Self.yaml, environment: [name: value]).get().warnings.filter { $0.path.steps.count > 0 }.isEmpty)
    }

    @Test func variablesOfOtherProgramsAreWarnings() throws {
        let environment = ["APP_PORT": "tcp://10.0.0.1:80", "APP_SERVICE_HOST": "10.0.0.1", "APP_PORT_80_TCP": "x"]
        let warnings = try load(Self.yaml, environment: environment).get().warnings
        #expect(warnings.count == 3)
    }

    @Test func emptyVariablesCountAsNotSet() throws {
        #expect(try load(Self.yaml, environment: ["APP_WORKERS__COUNT": ""]).get().settings.workers.count == .auto)
    }

    @Test func variablesMayAddToTheBuiltInSiteOrReplaceIt() throws {
        let same = try load(nil, environment: ["APP_SITES__POLLS__DATABASE": "/x.db"]).get().settings
        #expect(same.sites.map(\.name) == ["polls"] && same.sites.first?.database == "/x.db")
        let other = try load(nil, environment: ["APP_SITES__SHOP__PYTHON": "a:b"]).get().settings
        #expect(other.sites.map(\.name) == ["shop"] && other.routes.map(\.action) == [.site("shop")])
    }

    @Test(arguments: ["", "x", "=1", ".=1", "a[=1"])
    func notAssignments(_ text: String) {
        #expect(ConfigFlag(assignment: text) == nil)
    }

    @Test func laterFlagsWin() throws {
        let flags = ["gzip.level=1", "gzip={level: 2, enabled: no}", "gzip.enabled=on"].compactMap(
            ConfigFlag.init(assignment:))
        let gzip = try load(Self.yaml, flags: flags).get().settings.gzip
        #expect(gzip.level == 2 && gzip.enabled)
    }
}
