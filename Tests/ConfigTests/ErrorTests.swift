import Config
import Testing

/// The text of errors, as users see it.
@Suite struct ErrorTests {
    @Test func everyErrorAtOnceInOrder() {
        let yaml = """
            listen: :80
            base:
              listen: [127.0.0.1:8000, "127.0.0.1:99999", 127.0.0.1:8000]
              workers: {mode: fork, cuont: 4, threads: 0}
              gzip: {level: 12, min-size: 1KB}
              timeouts: {header: 10, body: on}
              log: {level: inf, access: [1]}
              sites:
                polls: {swift: polls, python: "a:b", virtualenv: x}
                none: {gateway: asgi}
                9bad: {swift: x}
              routes:
                - {path: static/, files: static}
                - {path: /a, site: pols}
                - {path: /a, redirect: new, status: 200}
                - {path: /b, deny: no}
                - {path: /c, respond: x, cache: 1y}
                - {files: x}
                - {path: '~([', site: polls}
                - {path: /f, files: x, fallback: {site: nope, status: 404}}
                - {path: /g, files: x, fallback: nope, headers: {"X A": b, Y: "a\\nb"}}
                - {path: /h, site: polls, deny: true}
            production:
              workres: {count: 2}
              secret-key: ${secret:absent-key}
              server-header: ${evn:x}
            staging:
              health: 5
              limits: {headers: none}
            qa: 5
            """
        let expected = """
            app.yaml:1:1: listen: 'listen' is an option, not an environment: write it under 'base:' (or under an environment's section)
            app.yaml:3:28: listen[1]: expected an address (host:port, [::1]:8000, :8000, unix:/path or fd:3), got '127.0.0.1:99999'
            app.yaml:3:47: listen[2]: '127.0.0.1:8000' is listened on already
            app.yaml:4:19: workers.mode: expected one of process, thread, got 'fork'
            app.yaml:4:25: workers.cuont: unknown key, did you mean 'count'?
            app.yaml:4:44: workers.threads: expected a whole number from 1 to 1024, got '0'
            app.yaml:5:17: gzip.level: expected a whole number from 1 to 9, got '12'
            app.yaml:5:31: gzip.min-size: expected a size from 0B to 1GiB (such as 16KiB), got '1KB'
            app.yaml:6:22: timeouts.header: expected a duration from 1ms to 1d (such as 30s), got '10'
            app.yaml:6:32: timeouts.body: expected a duration from 1ms to 1d (such as 30s), got 'on'
            app.yaml:7:16: log.level: expected one of trace, debug, info, notice, warning, error, critical, got 'inf', did you mean 'info'?
            app.yaml:7:29: log.access: expected true or false or a path, got a list
            app.yaml:9:27: sites.polls.python: 'python' and 'swift' exclude each other
            app.yaml:10:11: sites.none: missing: expected one of swift, python
            app.yaml:11:5: sites: expected a site's name (letters, digits, - and _), got '9bad'
            app.yaml:13:14: routes[0].path: expected a path that begins with '/', '=/' or '~', got 'static/'
            app.yaml:14:24: routes[1].site: no site is named 'pols', did you mean 'polls'? (there are: polls, none, 9bad)
            app.yaml:15:14: routes[2].path: '/a' has a route already, at app.yaml:14:14
            app.yaml:15:28: routes[2].redirect: expected a path that begins with '/' or a URL with http:// or https://, got 'new'
            app.yaml:15:41: routes[2].status: expected with 'redirect' one of 301, 302, 303, 307, 308, got '200'
            app.yaml:16:24: routes[3].deny: expected true, got 'false'
            app.yaml:17:30: routes[4].cache: 'cache' goes with 'files', which is not here
            app.yaml:18:7: routes[5].path: missing: expected a path that begins with '/', '=/' or '~'
            app.yaml:19:14: routes[6].path: not a regular expression: it does not compile
            app.yaml:20:45: routes[7].fallback.site: no site is named 'nope', did you mean 'none'? (there are: polls, none, 9bad)
            app.yaml:20:51: routes[7].fallback.status: 'status' goes with 'redirect' or 'respond' or 'deny', which is not here
            app.yaml:21:38: routes[8].fallback: no site is named 'nope', did you mean 'none'? (there are: polls, none, 9bad)
            app.yaml:21:54: routes[8].headers.set: expected a header's name (not Connection, Content-Length or Transfer-Encoding, which the server writes), got 'X A'
            app.yaml:21:67: routes[8].headers.set.Y: expected text without control characters, got 'a?b'
            app.yaml:22:31: routes[9].deny: 'deny' and 'site' exclude each other
            app.yaml:24:3: workres: unknown key, did you mean 'workers'?
            app.yaml:25:15: secret-key: secret 'absent-key' not found: looked in $ABSENT_KEY, $ABSENT_KEY_FILE, /nowhere/absent-key
            app.yaml:26:18: server-header: '${evn:x}' is no reference: expected '${secret:name}' or '${env:NAME}' (write '$${' for the characters themselves)
            app.yaml:28:11: health: expected a mapping with enabled, live, ready, got '5'
            app.yaml:29:21: limits.headers: expected a whole number from 8 to 1000, got 'none'
            app.yaml:30:5: qa: expected a mapping with options, as a section has, got '5'
            $APP_LISTEN: listen: did not find expected ',' or ']' (while parsing a flow sequence that began at line 1)
            $APP_WORKERS__CUONT: workers.cuont: unknown key, did you mean 'count'?
            --set foo: foo: unknown key
            """
        let printed = problems(
            yaml, environment: ["APP_WORKERS__CUONT": "1", "APP_LISTEN": "[a"],
            flags: [ConfigFlag("foo", .text("1"), flag: "--set foo")])
        let lines = printed.split(separator: "\n")
        let expectedLines = expected.split(separator: "\n")
        #expect(lines.count == expectedLines.count)
        for (line, expectedLine) in zip(lines, expectedLines) { #expect(line == expectedLine) }
    }

    @Test(arguments: [
        ("base: {workers: 4}", "app.yaml:1:17: workers: expected a mapping with mode, count, min, max, idle, "),
        ("base: {debug: }", "app.yaml:1:15: debug: expected true or false, got nothing"),
        ("base: {routes: [x]}", "app.yaml:1:17: routes[0]: expected a mapping with"),
        ("base: {sites: [polls]}", "app.yaml:1:15: sites: expected a mapping from a site's name"),
        ("base: {listen: []}", "app.yaml:1:16: listen: missing: expected at least one address"),
        (
            "base: {workers: {count: many}}",
            "app.yaml:1:25: workers.count: expected 'auto' or a whole number from 1 to 1024, got 'many'"
        ),
        ("base: {debug: \"\\e[31m\"}", "app.yaml:1:15: debug: expected true or false, got '?[31m'"),
        (
            "base: {sites: {a: {swift: a}, b: {swift: b}}}",
            "app.yaml:1:31: routes: missing: expected a route to each site (a, b)"
        ),
        (
            "base: {sites: {a: {swift: a, directory: x}}}",
            "app.yaml:1:30: sites.a.directory: 'directory' goes with 'python'"
        ),
        ("a/b: {}", "app.yaml:1:1: expected 'base' or the name of an environment"),
        (
            "base:\n  secret-key: ${env:NOT_THERE}",
            "app.yaml:2:15: secret-key: environment variable 'NOT_THERE' is not set"
        ),
        ("base:\n  secret-key: ${secret:a/b}", "app.yaml:2:15: secret-key: '${secret:a/b}': a secret's name has"),
        ("base:\n  secret-key: ${secret", "app.yaml:2:15: secret-key: '${' without '}'"),
        (
            "base:\n  routes: [{path: /, deny: true, status: 402}]",
            "app.yaml:2:42: routes[0].status: expected with 'deny'"
        ),
    ])
    func singleErrors(_ yaml: String, _ beginning: String) {
        let printed = problems(yaml)
        #expect(printed.hasPrefix(beginning), "\(printed)")
        #expect(!printed.contains("\n"), "\(printed)")
    }

    @Test func conflictThatOnlyASectionMakesIsFound() {
        let yaml = """
            base:
              sites: {polls: {swift: polls}}
            staging:
              routes: [{path: /, site: shop}]
            """
        #expect(problems(yaml) == "app.yaml:4:28: routes[0].site: no site is named 'shop' (there are: polls)")
    }

    @Test func secretsOfOtherSectionsAreNotLookedUp() throws {
        let yaml = "base: {debug: on}\nstaging:\n  secret-key: ${secret:absent}\n  limits: {queue: \"${env:ABSENT}\"}\n"
        #expect(try load(yaml).get().settings.secretKey == nil)
    }

    @Test func mistypedEnvironmentIsAnErrorAndAnUnknownOneAWarning() throws {
        let yaml = "base: {debug: on}\nstaging: {debug: off}\n"
        #expect(
            problems(yaml, named: "stagign")
                == "--env: no environment is named 'stagign', did you mean 'staging'? "
                + "(there are: development, production, staging)")
        #expect(problems(yaml, environment: ["APP_ENV": "prodcution"]).hasPrefix("$APP_ENV: no environment is named"))
        #expect(
            try load(yaml, named: "canary").get().warnings.map(\.description).first?.hasPrefix("--env: no env") == true)
        #expect(problems(yaml, named: "a b").hasPrefix("--env: expected the name of an environment"))
    }

    @Test func callersReportWithThePlaceOfAValue() throws {
        let yaml = "base:\n  routes:\n    - {path: /, files: static}\n"
        let configuration = try load(yaml).get()
        #expect(
            configuration.error("no such directory", at: "routes[0].files").description
                == "app.yaml:3:24: routes[0].files: no such directory")
        #expect(configuration.origin(of: "routes[0].fallback").place == "app.yaml:3:7")
    }
}
