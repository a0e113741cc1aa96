import Glibc
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// Reloads of a server that is one process: in place where that will do, else by handing over to another, under the same
    /// pid.
    @Suite struct ThreadReloads {
        private static func configuration(_ ping: String, site: String = "") -> String {
            """
            base:
              listen: 127.0.0.1:0
              workers: {mode: thread, count: 2}
              timeouts: {drain: 1h, linger: 2s, keep-alive: 1h}
              log: {access: false}
              \(site)
              routes:
                - {path: =/ping, respond: \(ping)}
                - {path: =/old, respond: old}
                \(site.isEmpty ? "" : "- {path: /, site: web}")
            """
        }

        private static let python = "sites: {web: {python: 'app:app', interpreter: \(Pythons.system)}}"

        /// The site says which version of it is running.
        private static func code(_ version: Int) -> String {
            // Python tells versions of a file apart by its size and the second of its time.
            lastingApplication.replacing(#"body = b"ok""#, with: "body = b\"v\(version)\"")
                + "#" + String(repeating: "-", count: version) + "\n"
        }

        @Test func routesAreReplacedInPlace() throws {
            let folder = try Folder()
            let site = "sites: {web: {swift: polls, database: polls.sqlite3}}"
            try folder.write(Self.configuration("one", site: site), to: "app.yaml")
            let server = try AppServer(in: folder)
            let loads = [
                try Load(2, of: "/ping", at: server.endpoint, .kept),
                try Load(2, of: "/1/live/", at: server.endpoint, .webSockets),
                try Load(2, of: "/1/", at: server.endpoint, .fresh),
            ]
            let kept = try server.connect()
            #expect(try kept.get("/ping").text == "one")
            for text in (2...20).map({ "\($0)" }) + ["last"] {
                try folder.write(Self.configuration(text, site: site), to: "app.yaml")
                kill(server.pid, SIGHUP)
                try eventually("the new route") { try server.get("/ping").text == text }
            }
            // Connections are not touched, and there is no other process.
            #expect(try kept.get("/ping").text == "last")
            #expect(server.workers.isEmpty)
            try eventually("every load has gone on") { loads.allSatisfy { $0.now.ok > 20 } }
            let counts = try loads.map { try $0.end() }
            #expect(counts.allSatisfy { $0.faults == 0 }, "\(counts)")
            #expect(counts[0].partings == 0 && counts[1].partings == 0, "\(counts)")
            try server.stop()
        }

        @Test func whatIsWrongChangesNothing() throws {
            let folder = try Folder()
            try folder.write(Self.code(1), to: "app.py")
            try folder.write(Self.configuration("one", site: Self.python), to: "app.yaml")
            let server = try AppServer(in: folder)
            try folder.write("base: {lisetn: 1}", to: "app.yaml")
            kill(server.pid, SIGHUP)
            try eventually("it says why") { server.errors.contains("lisetn: unknown key") }
            #expect(try server.get("/ping").text == "one")
            try folder.write(Self.configuration("two", site: Self.python), to: "app.yaml")
            try folder.write("raise RuntimeError('broken on purpose')", to: "app.py")
            kill(server.pid, SIGHUP)
            try eventually("it says why") {
                server.errors.contains("broken on purpose") && server.errors.contains("everything serves as before")
            }
            #expect(try server.get("/ping").text == "one")
            #expect(try server.get("/").text == "v1")
            try eventually("nothing is left of the attempt") { server.workers.isEmpty }
            let status = try Command.app("status", "--pid", "\(server.pid)", in: folder).output
            #expect(status.contains("thread mode: running, takes requests"), "\(status)")
            #expect(status.contains("generation 1, 0 reloads, 2 failed"), "\(status)")
            try server.stop()
        }

        /// Every kind of client through reload after reload; nothing is retried.
        @Test func reloadsUnderLoadLoseNothing() throws {
            let folder = try Folder()
            try folder.write(Self.code(0), to: "app.py")
            let configuration = Self.configuration("ping", site: Self.python + "\n  admin: unix:admin.sock")
            try folder.write(configuration, to: "app.yaml")
            let server = try AppServer(in: folder)
            let health = try Load(
                1, of: "/readyz", at: .unix(folder["admin.sock"]), .fresh, pause: .milliseconds(5))
            let loads = [
                try Load(2, of: "/", at: server.endpoint, .kept), try Load(2, of: "/", at: server.endpoint, .fresh),
                try Load(2, of: "/socket", at: server.endpoint, .webSockets),
                try Load(2, of: "/events", at: server.endpoint, .events),
            ]
            for version in 1...3 {
                let before = loads.map(\.now.ok)
                try eventually("the load goes on") { zip(loads, before).allSatisfy { $0.now.ok > $1 + 20 } }
                try folder.write(Self.code(version), to: "app.py")
                kill(server.pid, SIGHUP)
                try eventually("the new code serves") { try server.get("/").text == "v\(version)" }
                #expect(ProcessTable.isAlive(server.pid))
            }
            try eventually("the streams have come over") { loads[2].now.partings >= 2 && loads[3].now.partings >= 2 }
            let status = try Command.app("status", "--admin", "unix:\(folder["admin.sock"])", in: folder)
            #expect(status.output.contains("generation 4, 3 reloads"), "\(status)")
            for (load, name) in zip(loads + [health], ["kept", "fresh", "sockets", "events", "readyz"]) {
                let counts = try load.end()
                #expect(counts.faults == 0, "\(name): \(counts)")
            }
            try eventually("one worker is left") { server.workers.count == 1 }
            try server.stop()
            #expect(server.errors.contains("told websocket.disconnect 1012"), "\(server.errors)")
            #expect(!server.errors.contains("cut off"), "\(server.errors)")
        }

        /// When nothing is left of what the process has served itself, it still says how the server is, and takes commands.
        @Test func theAdminListenerStays() throws {
            let folder = try Folder()
            let farewell = "import atexit\natexit.register(print, 'the first is gone')\n"
            try folder.write(Self.code(1) + farewell, to: "app.py")
            let configuration = Self.configuration("ping", site: Self.python + "\n  admin: unix:admin.sock")
            try folder.write(configuration.replacing("linger: 2s", with: "linger: 0s"), to: "app.yaml")
            let server = try AppServer(in: folder)
            let admin = "unix:\(folder["admin.sock"])"
            try folder.write(Self.code(2), to: "app.py")
            #expect(try Command.app("reload", "--wait", "--admin", admin, in: folder).output == "reloaded\n")
            try eventually("only the new is left; \(server.errors)") { server.errors.contains("the first is gone") }
            let status = try Command.app("status", "--admin", admin, in: folder)
            #expect(status.output.contains("generation 2, 1 reload"), "\(status)")
            #expect(try Command.app("stop", "--no-wait", "--admin", admin, in: folder).status == .exited(0))
            #expect(try server.process.waitForEnd() == .exited(0), "\(server.errors)")
            #expect(!folder.has("admin.sock"))
        }

        @Test func aStormOfSignalsLeavesTheSiteServed() throws {
            let folder = try Folder()
            try folder.write(Self.code(1), to: "app.py")
            try folder.write(Self.configuration("ping", site: Self.python), to: "app.yaml")
            let server = try AppServer(in: folder)
            let load = try Load(4, of: "/ping", at: server.endpoint, .fresh)
            for _ in 0..<100 {
                for signal in [SIGHUP, SIGUSR1, SIGTTIN, SIGTTOU] { kill(server.pid, signal) }
            }
            try folder.write(Self.code(2), to: "app.py")
            kill(server.pid, SIGHUP)
            try eventually("the last of them is done; \(server.errors)") {
                try server.get("/").text == "v2" && server.workers.count == 1
            }
            // The process itself makes the first, its supervisor what follows: none, where all had come before the first
            // began.
            let words = ["SIGHUP: reloading", "(SIGHUP): preparing generation"]
            let made = words.map { server.errors.ranges(of: $0).count }.reduce(0, +)
            #expect((1...8).contains(made), "\(server.errors)")
            let counts = try load.end()
            #expect(counts.faults == 0, "\(counts)")
            try server.stop()
        }

        /// Used up, the process starts another with what it has read itself, and supervises it; that one is replaced likewise.
        @Test func aUsedUpProcessIsReplaced() throws {
            let folder = try Folder()
            let configuration = Self.configuration("one").replacing("count: 2", with: "count: 2, max-requests: 50")
            try folder.write(configuration, to: "app.yaml")
            let server = try AppServer(in: folder)
            try folder.write(configuration.replacing("respond: one", with: "respond: two"), to: "app.yaml")
            let load = try Load(2, of: "/ping", at: server.endpoint, .kept)
            try eventually("it is replaced; \(server.errors)") { server.workers.count == 1 }
            let first = server.workers
            try eventually("and so is the next; \(server.errors)") {
                server.workers.count == 1 && server.workers != first
            }
            let counts = try load.end()
            #expect(counts.faults == 0 && counts.partings > 0, "\(counts)")
            #expect(server.errors.contains("this process is to be replaced: max-requests"))
            #expect(try server.get("/ping").text == "one", "nobody has asked for another configuration")
            try server.stop()
        }

        @Test func aSecondSignalEndsAtOnceAfterAHandOver() throws {
            let folder = try Folder()
            try folder.write(Self.code(0), to: "app.py")
            try folder.write(Self.configuration("ping", site: Self.python), to: "app.yaml")
            let server = try AppServer(in: folder)
            try folder.write(Self.code(1), to: "app.py")
            kill(server.pid, SIGHUP)
            try eventually("the new code serves") { try server.get("/").text == "v1" }
            let held = try server.connect()
            try held.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
            var status: ProcessStatus?
            try eventually("it ends") {
                kill(server.pid, SIGTERM)
                status = server.process.reap()
                return status != nil
            }
            #expect(status == .exited(0), "\(server.errors)")
        }
    }

    /// A while between the wish to stop and the drain, in which balancers can notice.
    @Suite struct PreDrains {
        @Test(arguments: bothModes) func servesWhileItIsNotReady(_ mode: [String]) throws {
            let server = try AppServer(
                """
                base:
                  listen: 127.0.0.1:0
                  workers: {count: 2}
                  timeouts: {pre-drain: 1h}
                  routes: [{path: /, respond: hello}]
                """, mode)
            #expect(try server.get("/readyz").status == 200)
            try server.startStopping()
            try eventually("it is not ready") { try server.get("/readyz").status == 503 }
            #expect(try server.get("/").text == "hello")
            #expect(try server.get("/livez").status == 200)
            // A second signal does not wait for the hour.
            var status: ProcessStatus?
            try eventually("it ends") {
                kill(server.pid, SIGTERM)
                status = server.process.reap()
                return status != nil
            }
            #expect(status == .exited(0), "\(server.errors)")
        }
    }
}
