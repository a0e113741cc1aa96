import Glibc
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// `app smoke` against real servers.
    @Suite struct Smoke {
        private static let key = ["SECRET_KEY": "a-key-of-the-tests-that-is-long-enough-0123456789-abcdef"]
        private static let deployed = "\(Command.package)/Sites/Polls/deploy/app.yaml"

        /// What is left behind by a run, which has a directory for its temporary files to itself.
        private func leftovers(_ folder: Folder) throws -> [String] {
            try folder.listing().filter { $0.hasPrefix("tmp/") }
        }

        private func folder() throws -> Folder {
            let folder = try Folder()
            try folder.makeDirectory("tmp")
            return folder
        }

        private func smoke(_ arguments: String..., in folder: Folder, environment: [String: String] = [:]) throws
            -> Command
        {
            let all = Self.key.merging(["TMPDIR": folder["tmp"]]) { $1 }.merging(environment) { $1 }
            return try Command.run([Command.app, "smoke"] + arguments, in: folder.path, environment: all)
        }

        @Test(arguments: ["process", "thread"], ["wsgi", "asgi"])
        func theListOfPolls(mode: String, gateway: String) throws {
            let folder = try folder()
            let result = try smoke(
                "--config", Self.deployed, "--set", "workers.mode=\(mode)", "--set", "sites.polls.gateway=\(gateway)",
                "--set", "workers.count=2", in: folder)
            #expect(result.status == .exited(0), "\(result.output)\n\(result.errors)")
            #expect(result.output.contains("a vote counts") && result.output.contains("13 steps, none failed"))
            #expect(!result.output.contains("\u{1B}"), "colours are for terminals")
            #expect(try leftovers(folder).isEmpty)
        }

        @Test func withoutAConfigurationToo() throws {
            let folder = try folder()
            let result = try smoke(in: folder)
            #expect(result.status == .exited(0), "\(result.output)\n\(result.errors)")
            #expect(result.output.contains("2 steps, none failed"))
            #expect(try folder.listing() == ["tmp"], "the database of the working directory is left alone")
        }

        /// Six votes of three runs count in none but their own database, until the configured one is asked for.
        @Test func theConfiguredDatabaseIsLeftAloneUntilNamed() throws {
            let folder = try folder()
            try folder.write(
                """
                base:
                  listen: 127.0.0.1:0
                  sites: {polls: {swift: polls, database: polls.sqlite3}}
                  smoke:
                    - {get: /1/}
                    - {post: /1/vote/, form: {choice: 1}, csrf: true, status: [302, 303]}
                    - {get: /1/results/, contains: 1 vote in all}
                """, to: "app.yaml")
            for _ in 0..<2 { #expect(try smoke(in: folder).status == .exited(0)) }
            #expect(!folder.has("polls.sqlite3"))
            #expect(try smoke("--data", "configured", in: folder).status == .exited(0))
            #expect(folder.has("polls.sqlite3"))
            let again = try smoke("--data", "configured", in: folder)
            #expect(again.status == .exited(1), "now there are two")
            #expect(again.output.contains("the body does not contain '1 vote in all'"))
        }

        @Test func aRunningServer() throws {
            let folder = try folder()
            let server = try AppServer(
                in: folder,
                [
                    "--config", Self.deployed, "--listen", "127.0.0.1:0", "--set", "allowed-hosts=*",
                    "--set", "sites.polls.database=\(folder["polls.sqlite3"])",
                ], environment: Self.key)
            let readOnly = try smoke(
                "--config", Self.deployed, "--url", server.endpoint.url, "--read-only", "--format", "tap", in: folder)
            // The steps that look at the votes fail: nobody voted.
            #expect(readOnly.status == .exited(1))
            #expect(readOnly.output.contains("ok 4 - a vote counts # SKIP --read-only"), "\(readOnly.output)")
            #expect(try server.get("/1/results/").text.contains("0 votes in all"))
            let all = try smoke("--config", Self.deployed, "--url", server.endpoint.url, in: folder)
            #expect(all.status == .exited(0), "\(all.output)")
            #expect(try server.get("/1/results/").text.contains("1 vote in all"))
            try server.stop()
            let gone = try smoke("--config", Self.deployed, "--url", server.endpoint.url, in: folder)
            #expect(gone.status == .exited(1))
            #expect(gone.output.contains("refused"))
            #expect(try smoke("--url", "https://example.org", in: folder).status == .exited(64))
        }

        @Test func failuresInEveryFormat() throws {
            let folder = try folder()
            try folder.write(
                """
                base:
                  routes:
                    - {path: =/a, respond: '<pong> & more', headers: {X-A: b}}
                    - {path: =/away, redirect: 'http://elsewhere.example/'}
                    - {path: =/round, redirect: /round}
                  smoke:
                    - {get: /a, contains: pong, header: {X-A: b}}
                    - {get: /a, contains: ping, status: 201}
                    - {get: /away, follow: true}
                    - {get: /round, follow: true}
                    - {post: /a, csrf: true}
                    - {get: /nothing, status: 404}
                """, to: "app.yaml")
            let table = try smoke(in: folder)
            #expect(table.status == .exited(1))
            for text in [
                "app.yaml:8:7: step 2, GET /a:", "expected status 201, got 200", "the body does not contain 'ping'",
                "redirected to another host: http://elsewhere.example/", "more than 10 redirects", "no CSRF token",
                "6 steps, 4 failed",
            ] {
                #expect(table.output.contains(text), "\(text) is not in\n\(table.output)")
            }
            let tap = try smoke("--format", "tap", in: folder)
            #expect(tap.output.hasPrefix("TAP version 13\n1..6\nok 1 - GET /a\nnot ok 2 - GET /a\n"), "\(tap.output)")
            let junit = try smoke("--format", "junit", in: folder)
            try folder.write(junit.output, to: "junit.xml")
            let parsed = try Command.run(
                [
                    "python3", "-c",
                    """
                    import sys, xml.etree.ElementTree as tree
                    suite = tree.parse(sys.argv[1]).getroot()[0]
                    cases = suite.findall("testcase")
                    print(suite.get("tests"), suite.get("failures"), len(cases), len(suite.findall("testcase/failure")))
                    """, folder["junit.xml"],
                ])
            #expect(parsed.output == "6 4 6 4\n", "\(parsed.errors)")
        }

        @Test func mistakesInTheListStopEverything() throws {
            let folder = try folder()
            try folder.write(
                "base:\n  routes: [{path: /, respond: a}]\n  smoke:\n    - {gett: /}\n    - {get: /, status: ok}\n",
                to: "app.yaml")
            let wrong = try smoke(in: folder)
            #expect(wrong.status == .exited(78))
            #expect(wrong.errors.contains("app.yaml:4:8: smoke[0].gett: unknown key, did you mean 'get'?"))
            #expect(wrong.errors.contains("app.yaml:5:24: smoke[1].status"))
            try folder.write("base: {routes: [{path: /, respond: a}]}\n", to: "app.yaml")
            let none = try smoke(in: folder)
            #expect(none.status == .exited(78))
            #expect(none.errors.contains("no 'smoke'"))
        }

        @Test func aServerThatDoesNotStart() throws {
            let folder = try folder()
            try folder.write(
                "base:\n  sites: {a: {python: 'nothing_there:app'}}\n  smoke: [{get: /}]\n", to: "app.yaml")
            let result = try smoke(in: folder)
            #expect(result.status == .exited(78))
            #expect(result.errors.contains("nothing_there") && result.errors.contains("the server did not start"))
            #expect(try leftovers(folder).isEmpty)
        }

        @Test func noPlaceForTemporaryData() throws {
            let folder = try folder()
            let result = try smoke(in: folder, environment: ["TMPDIR": "/nothing/there"])
            #expect(result.status == .exited(1))
            #expect(result.errors.contains("temporary directory in /nothing/there"), "\(result.errors)")
        }

        /// What may write to a Python application's own database waits for somebody to say so.
        @Test func pythonSites() throws {
            let folder = try folder()
            try folder.write(
                """
                import os
                def app(environ, start_response):
                    size = int(environ.get("CONTENT_LENGTH") or 0)
                    body = environ["wsgi.input"].read(size)
                    start_response("200 OK", [("Content-Type", "application/json")])
                    if environ["REQUEST_METHOD"] == "POST":
                        open(os.environ["APP_DATA"] + "/written", "wb").write(body)
                    return [b'{"smoke": "%s", "size": %d}' % (os.environ.get("APP_SMOKE", "").encode(), size)]
                """, to: "site_of_tests.py")
            try folder.write(
                """
                base:
                  sites: {a: {python: 'site_of_tests:app'}}
                  smoke:
                    - {get: /, json-equals: {smoke: '1'}}
                    - {post: /, json: {a: [1, 2]}, json-equals: {smoke: '1'}, not-contains: '"size": 0'}
                """, to: "app.yaml")
            let refused = try smoke(in: folder)
            #expect(refused.status == .exited(64))
            #expect(refused.errors.contains("app.yaml:5:7: POST may change data") && refused.errors.contains("'a'"))
            #expect(try smoke("--read-only", in: folder).status == .exited(0))
            let told = try smoke("--data", "temporary", in: folder, environment: ["APP_DATA": folder["untouched"]])
            #expect(told.status == .exited(0), "\(told.output)\n\(told.errors)")
            #expect(
                try folder.listing().filter { !$0.contains("__pycache__") } == ["app.yaml", "site_of_tests.py", "tmp"])
        }

        /// Interrupted while a server keeps it waiting: nothing stays behind, neither process nor directory.
        @Test func interruption() throws {
            let folder = try folder()
            try folder.write(
                """
                import time
                def app(environ, start_response):
                    open("asked", "w").close()
                    time.sleep(600)
                """, to: "sleeper.py")
            try folder.write(
                "base:\n  sites: {a: {python: 'sleeper:app'}}\n  timeouts: {drain: 0s}\n  smoke: [{get: /}]\n",
                to: "app.yaml")
            let process = try RunningProcess(
                [Command.app, "smoke"], in: folder.path, environment: ["TMPDIR": folder["tmp"]])
            try eventually("the application is asked; \(process.errors)") { folder.has("asked") }
            let servers = ProcessTable.children(of: process.pid)
            #expect(servers.count == 1)
            kill(process.pid, SIGTERM)
            #expect(try process.waitForEnd() == .exited(128 + SIGTERM))
            for server in servers { try eventually("the server is gone") { ProcessTable.isGone(server) } }
            #expect(try leftovers(folder).isEmpty)
        }

        /// An answer that does not come is a failure of its step, and no hanging.
        @Test func silence() throws {
            let folder = try folder()
            try folder.write("base:\n  routes: [{path: /, respond: a}]\n  smoke: [{get: /}]\n", to: "app.yaml")
            let socket = try ListeningSocket.bind(.tcp(host: "127.0.0.1", port: 0))
            let url = socket.address.url()
            let result = try smoke("--url", url, "--timeout", "200ms", in: folder)
            #expect(result.status == .exited(1))
            #expect(result.output.contains("no answer in time"), "\(result.output)\(result.errors)")
        }

        /// On a terminal there are colours, unless somebody does not want them.
        @Test(.enabled(if: Machine.has("script"))) func colours() throws {
            let folder = try folder()
            try folder.write("base:\n  routes: [{path: /, respond: a}]\n  smoke: [{get: /}]\n", to: "app.yaml")
            func onTerminal(_ environment: [String: String]) throws -> String {
                try Command.run(
                    ["script", "--quiet", "--command", "\(Command.app) smoke", "/dev/null"], in: folder.path,
                    environment: environment.merging(["TMPDIR": folder["tmp"], "TERM": "xterm"]) { given, _ in given }
                ).output
            }
            #expect(try onTerminal([:]).contains("\u{1B}[32mok\u{1B}[0m"))
            #expect(try !onTerminal(["NO_COLOR": "1"]).contains("\u{1B}"))
            #expect(try !onTerminal(["TERM": "dumb"]).contains("\u{1B}"))
        }
    }

    /// What makes `serve` and `health` good for scripts.
    @Suite struct Scripting {
        private func folder() throws -> Folder {
            let folder = try Folder()
            try folder.write(
                "base: {listen: '127.0.0.1:0', workers: {count: 1}, routes: [{path: /, respond: a}]}\n", to: "app.yaml")
            return folder
        }

        @Test(arguments: ["process", "thread"])
        func exitAfter(mode: String) throws {
            let folder = try folder()
            let server = try AppServer(in: folder, ["--mode", mode, "--exit-after", "500ms", "--ready-file", "urls"])
            #expect(try server.process.waitForEnd() == .exited(0), "\(server.errors)")
            #expect(server.errors.contains("finishing what"), "it drains: \(server.errors)")
            #expect(try Endpoint(url: String(folder.text(of: "urls").dropLast())) == server.endpoint)
        }

        /// The script in the README, as it stands there.
        @Test func theScriptOfTheREADME() throws {
            let readme = try Command.run(["cat", "\(Command.package)/README.md"]).output
            let script = try #require(
                readme.split(separator: "```sh\n").first { $0.hasPrefix("# Boot, wait, ask, stop") }?
                    .split(separator: "\n```").first)
            let folder = try Folder()
            try folder.makeDirectory("bin")
            try #require(symlink(Command.app, folder["bin/app"]) == 0)
            try folder.write(String(script), to: "script")
            let path = "\(folder["bin"]):/usr/local/bin:/usr/bin:/bin"
            for (expected, status) in [("a", 0), ("b", 1)] {
                try folder.write(
                    "base: {workers: {count: 1}, routes: [{path: /, respond: a}], smoke: [{get: /, contains: \(expected)}]}\n",
                    to: "app.yaml")
                let result = try Command.run(
                    ["sh", folder["script"]], in: folder.path, environment: ["PATH": path, "TMPDIR": folder.path])
                #expect(result.status == .exited(Int32(status)), "\(result.output)\(result.errors)")
                #expect(result.output.contains("1 step, \(status == 0 ? "none" : "1") failed"))
                let log = result.errors.split(separator: "\n").filter { $0.contains("supervisor") }
                #expect(!log.isEmpty && log.allSatisfy { $0.hasPrefix("{") }, "the log is JSON: \(result.errors)")
                try eventually("no server is left") { ProcessTable.running(in: folder.path).isEmpty }
            }
        }

        @Test func exitAfterTakesADuration() throws {
            for wrong in ["soon", "0s", "10"] {
                let result = try Command.app("serve", "--exit-after", wrong, in: try folder())
                #expect(result.status == .exited(64))
                #expect(result.errors.contains("--exit-after takes a duration"))
            }
        }

        /// Somebody waits before the server is there, and learns it when it is.
        @Test func healthWaits() throws {
            let folder = try folder()
            let waiting = try RunningProcess(
                [Command.app, "health", "--ready", "--wait", "60s", "--ready-file", "urls"], in: folder.path,
                environment: [:])
            let server = try AppServer(in: folder, ["--ready-file", "urls"])
            #expect(try waiting.waitForEnd() == .exited(0), "\(waiting.errors)")
            let url = server.endpoint.url
            #expect(try Command.app("health", "--wait", "60s", url, in: folder).status == .exited(0))
            try server.stop()
            let vain = try Command.app("health", "--wait", "200ms", url, in: folder)
            #expect(vain.status == .exited(1))
            #expect(vain.errors.contains("refused") && vain.errors.split(separator: "\n").count == 1, "\(vain.errors)")
            let noFile = try Command.app("health", "--ready-file", "nothing", in: folder)
            #expect(noFile.status == .exited(1))
            #expect(noFile.errors.contains("nothing"))
            #expect(try Command.app("health", url, "--ready-file", "urls", in: folder).status == .exited(64))
            #expect(try Command.app("health", url, "--wait", "later", in: folder).status == .exited(64))
        }
    }
}
