import Testing

@testable import Config

/// `programs`, and what goes with the change of user.
@Suite struct ProgramTests {
    @Test func allThatCanBeSaid() throws {
        let yaml = """
            base:
              user: www-data
              group: 33
              umask: 027
              socket: {mode: '0660', group: nginx}
              workers: {needs: [cache, schema]}
              silenced-checks: deploy.W003
              routes: [{path: /, respond: pong}]
              programs:
                cache:
                  command: redis-server --port 6379 --logfile "" 'a b' c\\ d
                  directory: var
                  environment: {LANG: C, EMPTY: ''}
                  user: redis
                  group: redis
                  ready: {tcp: '127.0.0.1:6379'}
                  restart: on-failure
                  success: [0, 3]
                  start-attempts: 0
                  start-timeout: 5s
                  stop-signal: INT
                  stop-timeout: 1m
                  essential: true
                schema:
                  command: [bin/migrate, --all]
                  needs: cache
                  ready: {exit: true}
                  restart: never
                plain: {command: sleep 1, ready: {file: run/plain}}
            """
        let settings = try load(yaml).get().settings
        #expect(settings.user == "www-data" && settings.group == "33" && settings.umask == 0o27)
        #expect(settings.socket == .init(mode: 0o660, user: nil, group: "nginx"))
        #expect(settings.workers.needs == ["cache", "schema"])
        #expect(settings.silencedChecks == ["deploy.W003"])
        #expect(settings.programs.map(\.name) == ["cache", "schema", "plain"])
        let cache = settings.programs[0]
        #expect(cache.command == ["redis-server", "--port", "6379", "--logfile", "", "a b", "c d"])
        #expect(cache.directory == "/srv/app/var" && cache.environment == ["LANG": "C", "EMPTY": ""])
        #expect(cache.user == "redis" && cache.group == "redis" && cache.needs == [])
        #expect(cache.ready == .tcp(.tcp(host: "127.0.0.1", port: 6379)))
        #expect(cache.restart == .onFailure && cache.success == [0, 3] && cache.startAttempts == 0)
        #expect(cache.startTimeout == .seconds(5) && cache.stopSignal == "INT" && cache.stopTimeout == .seconds(60))
        #expect(cache.essential)
        let schema = settings.programs[1]
        #expect(schema.command == ["bin/migrate", "--all"] && schema.needs == ["cache"] && schema.ready == .exit)
        #expect(schema.restart == .never)
        let plain = settings.programs[2]
        #expect(plain.ready == .file("/srv/app/run/plain") && plain.restart == .always && plain.startAttempts == 5)
        #expect(plain.startTimeout == .seconds(60) && plain.stopTimeout == .seconds(10) && plain.stopSignal == "TERM")
        #expect(!plain.essential && plain.user == nil && plain.directory == nil && plain.success == [0])
    }

    @Test func defaults() throws {
        let settings = try load("base: {routes: [{path: /, respond: pong}]}").get().settings
        #expect(settings.user == nil && settings.umask == nil && settings.programs.isEmpty)
        #expect(settings.socket == .init(mode: 0o666, user: nil, group: nil))
        #expect(settings.workers.needs.isEmpty && settings.silencedChecks.isEmpty)
    }

    @Test(arguments: [
        ("programs: {a: {}}", "programs.a.command: missing"),
        ("programs: {a: {command: ''}}", "programs.a.command: it names no program"),
        ("programs: {a: {command: []}}", "programs.a.command: missing: expected the name of a program"),
        ("programs: {a: {command: \"x 'y\"}}", "programs.a.command: a ' has no end"),
        ("programs: {a: {command: 'x \"y'}}", "programs.a.command: a \" has no end"),
        ("programs: {a: {command: 'a | b'}}", "there is no shell that would understand '|'"),
        ("programs: {a: {command: a, needs: [b]}, c: {command: b}}", "programs.a.needs[0]: no program is named 'b'"),
        ("programs: {a: {command: a, needs: a}}", "programs.a.needs: the programs wait for each other: a needs a"),
        (
            "programs: {a: {command: a, needs: b}, b: {command: b, needs: [c]}, c: {command: c, needs: a}}",
            "the programs wait for each other: a needs b needs c needs a"
        ),
        ("workers: {needs: redis}", "workers.needs[0]: no program is named 'redis'"),
        ("programs: {a: {command: a, ready: {exit: true}}}", "goes with 'restart: on-failure' or 'restart: never'"),
        ("programs: {a: {command: a, ready: {}}}", "programs.a.ready: missing: expected one of after, http, tcp"),
        ("programs: {a: {command: a, ready: {after: 1s, line: x}}}", "'line' and 'after' exclude each other"),
        ("programs: {a: {command: a, ready: {tcp: 'fd:3'}}}", "programs.a.ready.tcp: expected an address"),
        ("programs: {a: {command: a, ready: {http: 'ftp://x'}}}", "programs.a.ready.http: expected a URL"),
        ("programs: {a: {command: a, restart: sometimes}}", "expected one of always, on-failure, never"),
        ("programs: {a: {command: a, group: x}}", "programs.a.group: 'group' goes with 'user'"),
        ("workers: {mode: thread}, user: x, programs: {a: {command: a, user: y}}", "the server itself has become 'x'"),
        ("group: www", "group: 'group' goes with 'user'"),
        ("user: 'a b'", "user: expected a name or a number of the password database"),
        ("user: 4294967295", "user: expected a name or a number"),
        ("umask: 999", "umask: expected permissions in octal"),
        ("socket: {mode: 1777}", "socket.mode: expected permissions in octal"),
        ("silenced-checks: [W003]", "silenced-checks[0]: expected the id of a check"),
    ])
    func mistakes(_ yaml: String, _ message: String) {
        let found = problems("base: {routes: [{path: /, respond: pong}], \(yaml)}")
        #expect(found.contains(message), "\(found)")
        #expect(found.split(separator: "\n").count == 1, "\(found)")
    }

    /// Two programs that need a third are no circle.
    @Test func sharedNeedsAreNoCircle() {
        let yaml =
            "a: {command: a, needs: [b, c]}, b: {command: b, needs: d}, c: {command: c, needs: d}, d: {command: d}"
        #expect(problems("base: {routes: [{path: /, respond: pong}], programs: {\(yaml)}}") == "")
    }

    @Test(arguments: [
        ("a", ["a"]), ("  a  b\tc\n", ["a", "b", "c"]), ("a ''", ["a", ""]), ("a'b c'd", ["ab cd"]),
        (#"a "b \" \\ \n""#, ["a", #"b " \ \n"#]), (#"a \' \" \  b"#, ["a", "'", "\"", " ", "b"]),
        ("a '|' \"<\" \\;", ["a", "|", "<", ";"]), ("ä ö", ["ä", "ö"]), ("a $HOME *", ["a", "$HOME", "*"]),
    ])
    func commandsAreSplitAsAShellWould(_ text: String, _ words: [String]) throws {
        #expect(try CommandText.words(text) == words)
    }

    @Test(arguments: ["", " ", "''", "a \\", "a `b`", "a &", "a;b", "a >b"])
    func commandsThatAreNone(_ text: String) {
        #expect(throws: CommandText.Problem.self) { try CommandText.words(text) }
    }

    /// What was read once is not looked for again, and what was read can be handed on.
    @Test func secretsAreHandedOn() throws {
        let yaml = "base: {routes: [{path: /, respond: '${secret:one} ${secret:two}'}]}"
        let first = try load(yaml, environment: ["ONE": "1", "TWO": "2"]).get()
        #expect(first.secrets == ["one": Secret("1"), "two": Secret("2")])
        var sources = ConfigSources(usualPlaces: [], fileContents: ("app.yaml", Array(yaml.utf8)))
        sources.knownSecrets = first.secrets
        #expect(try Configuration.load(sources).get().settings == first.settings)
    }
}
