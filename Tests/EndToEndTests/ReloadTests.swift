import Glibc
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// New configuration and code in a running server.
    @Suite struct Reload {
        static func configuration(_ more: String = "", workers: Int = 2, listen: String = "127.0.0.1:0") -> String {
            """
            base:
              listen: \(listen)
              workers: {mode: process, count: \(workers)}
              sites: {polls: {swift: polls, database: polls.sqlite3}}
              routes:
                - {path: =/version, respond: one}
                - {path: /, site: polls}
              log: {access: false}
            \(more.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n"))
            """
        }

        private func version(_ server: AppServer) throws -> String { try server.get("/version").text }

        /// Waits until nothing but a generation's workers is left.
        private func settle(_ server: AppServer, generation: Int, workers: Int = 2, old: [Int32]) throws {
            try eventually("generation \(generation) serves: \(server.errors)") {
                server.errors.contains("generation \(generation) serves")
                    && server.workers.count == workers && Set(server.workers).isDisjoint(with: old)
            }
        }

        @Test func aSignalBringsInTheNewConfiguration() throws {
            let server = try AppServer(Self.configuration())
            let old = server.workers
            #expect(try version(server) == "one")
            let load = try Load(8, of: "/", at: server.endpoint, .kept)
            try eventually("the load has begun") { load.now.ok > 50 }
            try server.folder.write(
                Self.configuration(workers: 3).replacing("respond: one", with: "respond: two"), to: "app.yaml")
            kill(server.pid, SIGHUP)
            try settle(server, generation: 2, workers: 3, old: old)
            #expect(try version(server) == "two")
            let counts = try load.end()
            #expect(counts.incomplete + counts.refused + counts.wrong.count == 0, "\(counts)")
            try server.stop()
        }

        @Test func aWrongConfigurationChangesNothing() throws {
            let server = try AppServer(Self.configuration())
            let workers = server.workers
            try server.folder.write(Self.configuration("nonsense: 1"), to: "app.yaml")
            kill(server.pid, SIGHUP)
            try eventually("it says so: \(server.errors)") { server.errors.contains("unknown key") }
            #expect(server.errors.contains("generation 1 goes on"))
            try server.folder.write(Self.configuration("warm-up: [/missing/, /polls-that-fail]"), to: "app.yaml")
            #expect(server.workers == workers)
            #expect(try server.get("/").status == 200)
            try server.stop()
        }

        @Test func aSiteThatCannotBeLoadedLeavesTheOldOneServing() throws {
            let folder = try Folder()
            try folder.writePythonSite(answering("'one'"), workers: 2)
            let server = try AppServer(in: folder)
            let workers = server.workers
            try folder.write("import nowhere\n", to: "app.py")
            kill(server.pid, SIGHUP)
            try eventually("it says so: \(server.errors)") { server.errors.contains("generation 1 goes on") }
            #expect(server.errors.contains("No module named 'nowhere'"))
            try eventually("nothing is left of the attempt") { server.workers == workers }
            #expect(try server.get("/").text == "one")
            try folder.write(answering("'two'"), to: "app.py")
            kill(server.pid, SIGHUP)
            try settle(server, generation: 3, old: workers)
            #expect(try server.get("/").text == "two")
            try server.stop()
        }

        @Test func warmUpIsAskedBeforeAWorkerIsReady() throws {
            let folder = try Folder()
            try folder.writePythonSite(
                """
                seen = []
                def app(environ, start_response):
                    path = environ["PATH_INFO"]
                    seen.append(path)
                    status = "500 Oops" if path == "/broken" else "200 OK"
                    start_response(status, [("Content-Type", "text/plain")])
                    return [" ".join(seen).encode()]
                """, options: "warm-up: [/warm, /missing?x=1]")
            let server = try AppServer(in: folder)
            #expect(try server.get("/").text == "/warm /missing /")
            let old = server.workers
            let text = try folder.text(of: "app.yaml").replacing("/missing?x=1", with: "/broken")
            try folder.write(text, to: "app.yaml")
            kill(server.pid, SIGHUP)
            try eventually("it says so: \(server.errors)") {
                server.errors.contains("warm-up /broken: status 500")
                    && server.errors.contains("generation 1 goes on")
            }
            try eventually("nothing is left of the attempt") { server.workers == old }
            try server.stop()
        }

        @Test func touchedFilesAndTheConfigurationsChangeReload() throws {
            let server = try AppServer(Self.configuration("reload: {touch: [touch-me], config: true}"))
            var old = server.workers
            try server.folder.write("", to: "touch-me")
            try settle(server, generation: 2, old: old)
            #expect(server.errors.contains("touch-me changed"))
            old = server.workers
            let text = Self.configuration("reload: {config: true}").replacing("respond: one", with: "respond: two")
            try server.folder.write(text, to: "app.new")
            #expect(rename(server.folder["app.new"], server.folder["app.yaml"]) == 0)
            try settle(server, generation: 3, old: old)
            #expect(try version(server) == "two")
            try server.stop()
        }

        @Test func listenersComeAndGo() throws {
            let server = try AppServer(Self.configuration(listen: "[127.0.0.1:0, 'unix:old.sock']"))
            let old = server.workers
            try server.folder.write(
                Self.configuration(listen: "['unix:new.sock', 127.0.0.1:0]"), to: "app.yaml")
            kill(server.pid, SIGHUP)
            try settle(server, generation: 2, old: old)
            #expect(try server.get("/version").text == "one", "the port is the same")
            let new = try WireConnection(Endpoint(url: "unix:\(server.folder["new.sock"])"))
            #expect(try new.get("/version").text == "one")
            try eventually("nobody listens there any more") { !server.folder.has("old.sock") }
            try eventually("it is said") { server.log.contains("listening on unix:\(server.folder["new.sock"])") }
            try server.stop()
            #expect(!server.folder.has("new.sock"))
        }

        @Test func aStormOfSignalsLeavesTheSiteServed() throws {
            let server = try AppServer(Self.configuration())
            let load = try Load(4, of: "/version", at: server.endpoint, .fresh)
            for _ in 0..<200 {
                for signal in [SIGHUP, SIGUSR1, SIGTTIN, SIGTTOU] { kill(server.pid, signal) }
            }
            try eventually("the last of them is done: \(server.errors)") {
                server.errors.split(separator: "\n").last { $0.contains("preparing generation") }
                    .map { line in
                        let number = line.split(separator: " ").last ?? ""
                        return server.errors.contains("generation \(number) serves")
                    } ?? false
            }
            // Of signals that are on their way together one is left: how many of each kind were heard is open.
            let scaled = try Command.app("scale", "2", "--pid", "\(server.pid)", in: server.folder)
            #expect(scaled.status == .exited(0), "\(scaled.errors)")
            try eventually("two workers are left; \(server.errors)") { server.workers.count == 2 }
            let preparations = server.errors.split(separator: "\n").count { $0.contains("preparing generation") }
            #expect((1...8).contains(preparations), "one after the other, not two hundred")
            let counts = try load.end()
            #expect(counts.incomplete + counts.refused + counts.wrong.count == 0, "\(counts)")
            try server.stop()
        }

        @Test func aSupervisorThatWasStoppedKillsNobody() throws {
            let server = try AppServer(Self.configuration("timeouts: {stuck: 5s}"))
            let workers = server.workers
            kill(server.pid, SIGSTOP)
            // Longer than workers may be silent.
            usleep(8_000_000)
            #expect(try server.get("/version").status == 200)
            kill(server.pid, SIGCONT)
            try eventually("it notices: \(server.errors)") { server.errors.contains("did not run for") }
            kill(server.pid, SIGTTIN)
            try eventually("it is back at work") { server.workers.count == 3 }
            #expect(Set(workers).isSubset(of: server.workers))
            #expect(!server.errors.contains("loop-stuck"))
            try server.stop()
        }

        @Test func aWorkerThatIsStoppedIsReplacedAndKilled() throws {
            let server = try AppServer(Self.configuration("timeouts: {stuck: 2s, drain: 1s, linger: 0s}"))
            let victim = try #require(server.workers.first)
            kill(victim, SIGSTOP)
            try eventually("it is gone: \(server.errors)") {
                ProcessTable.isGone(victim) && server.workers.count == 2
            }
            #expect(server.errors.contains("loop-stuck: no heartbeat"))
            #expect(try server.get("/version").status == 200)
            try server.stop()
        }

        @Test func usedUpWorkersAreReplacedWhileRequestsAreAnswered() throws {
            let server = try AppServer(
                Self.configuration("workers: {max-requests: 300, jitter: 20}")
                    .replacing("  workers: {mode: process, count: 2}\n", with: ""),
                ["--mode", "process", "--workers", "2"])
            let old = server.workers
            let load = try Load(8, of: "/version", at: server.endpoint, .fresh)
            try eventually("both were replaced: \(server.errors)") {
                server.errors.split(separator: "\n").count { $0.contains("is to be replaced: max-requests") } > 2
                    && Set(server.workers).isDisjoint(with: old)
            }
            let counts = try load.end()
            #expect(counts.incomplete + counts.refused + counts.failed + counts.wrong.count == 0, "\(counts)")
            try server.stop()
        }

        @Test(arguments: ["max-age: 2s", "max-memory: 1MiB"])
        func oldAndLargeWorkersAreReplaced(limit: String) throws {
            let server = try AppServer(
                Self.configuration().replacing("count: 2", with: "count: 2, \(limit)"))
            let old = server.workers
            let load = try Load(4, of: "/version", at: server.endpoint, .kept, pause: .milliseconds(2))
            try eventually("both were replaced: \(server.errors)") {
                server.workers.count >= 2 && Set(server.workers).isDisjoint(with: old)
            }
            let name = limit.prefix { $0 != ":" }
            #expect(server.errors.contains("is to be replaced: \(name)"), "\(server.errors)")
            let counts = try load.end()
            #expect(counts.faults == 0, "\(counts)")
            try server.stop()
        }

        @Test func growsWhileRequestsWaitAndShrinksWhenIdle() throws {
            let folder = try Folder()
            try folder.writePythonSite(
                """
                import time
                def app(environ, start_response):
                    time.sleep(0.2)
                    start_response("200 OK", [("Content-Type", "text/plain")])
                    return [b"ok"]
                """)
            let text = try folder.text(of: "app.yaml").replacing(
                "workers: {count: 1}", with: "workers: {min: 1, max: 2, threads: 1, idle: 1s}")
            try folder.write(text, to: "app.yaml")
            let server = try AppServer(in: folder)
            let first = server.workers
            #expect(first.count == 1)
            let load = try Load(8, of: "/", at: server.endpoint, .fresh)
            try eventually("two workers serve: \(server.errors)") { server.workers.count == 2 }
            #expect(server.errors.contains("2 workers instead of 1 (requests wait for "))
            let counts = try load.end()
            #expect(counts.faults == 0, "\(counts)")
            try eventually("one is left: \(server.errors)") { server.workers == first }
            #expect(server.errors.contains("1 workers instead of 2 (idle)"))
            #expect(try server.get("/").text == "ok")
            try server.stop()
        }
    }
}
