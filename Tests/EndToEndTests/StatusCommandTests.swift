import Glibc
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// `app status`, `app top`, `app stop`, and uWSGI's own `uwsgitop`, against a running server.
    @Suite struct StatusCommands {
        private static func configuration(_ more: String = "") -> String {
            """
            base:
              listen: 127.0.0.1:0
              workers: {mode: process, count: 2}
              routes: [{path: =/ping, respond: pong}, {path: /, deny: true, status: 404}]
              log: {access: false}
            \(more)
            """
        }

        private func app(_ server: AppServer, _ arguments: String...) throws -> Command {
            try Command.run([Command.app] + arguments + ["--pid", "\(server.pid)"], in: server.folder.path)
        }

        @Test(arguments: ["process", "thread"])
        func theServerIsFoundAndShown(mode: String) throws {
            let server = try AppServer(Self.configuration(), ["--mode", mode])
            #expect(try server.get("/ping").status == 200)
            var text = try app(server, "status")
            #expect(text.status == .exited(0), "\(text.errors)")
            try eventually("the request is counted: \(text.output)") {
                text = try app(server, "status")
                return text.output.contains("0 in flight")
            }
            #expect(text.output.contains("pid \(server.pid), \(mode) mode: running, takes requests"), "\(text.output)")
            #expect(text.output.contains("1 requests: 1 2xx, 0 3xx, 0 4xx, 0 5xx; 0 in flight"), "\(text.output)")
            let json = try app(server, "status", "--json")
            #expect(json.status == .exited(0) && json.output.hasPrefix("{\"version\":"))
            for worker in mode == "process" ? server.workers : [server.pid] {
                #expect(text.output.contains("\(worker)") && json.output.contains("\"pid\":\(worker),"))
            }
            try server.stop()
        }

        /// `app reload --wait` says what became of it.
        @Test(arguments: ["process", "thread"])
        func reloadWaits(mode: String) throws {
            let server = try AppServer(Self.configuration(), ["--mode", mode])
            let workers = server.workers
            let text = try server.folder.text(of: "app.yaml")
            try server.folder.write(text.replacing("respond: pong", with: "respond: ping"), to: "app.yaml")
            let done = try app(server, "reload", "--wait")
            #expect(done.status == .exited(0) && done.output == "reloaded\n", "\(done.errors)")
            try eventually("the old workers have gone") {
                mode == "thread" || Set(server.workers).isDisjoint(with: workers)
            }
            #expect(try server.get("/ping").text == "ping")
            try server.folder.write(text.replacing("respond: pong", with: "respnod: ping"), to: "app.yaml")
            let failed = try app(server, "reload", "--wait")
            #expect(failed.status == .exited(1))
            #expect(failed.errors.contains("respnod: unknown key"), "\(failed.errors)")
            #expect(try server.get("/ping").text == "ping")
            #expect(try app(server, "reload").status == .exited(0), "begun, whatever comes of it")
            try server.stop()
        }

        @Test func scaleChangesTheNumberOfWorkers() throws {
            let server = try AppServer(Self.configuration())
            #expect(try app(server, "scale", "3").output == "3 workers\n")
            try eventually("three") { server.workers.count == 3 }
            #expect(try app(server, "scale", "1").status == .exited(0))
            try eventually("one") { server.workers.count == 1 }
            #expect(try app(server, "scale", "0").status == .exited(64))
            #expect(try server.get("/ping").text == "pong")
            try server.stop()
            let threads = try AppServer(Self.configuration(), ["--mode", "thread"])
            let refused = try app(threads, "scale", "2")
            #expect(refused.status == .exited(1))
            #expect(refused.errors.contains("there is one process"), "\(refused.errors)")
            try threads.stop()
        }

        @Test func stopEndsIt() throws {
            let server = try AppServer(Self.configuration())
            let stop = try app(server, "stop", "--no-wait")
            #expect(stop.status == .exited(0), "\(stop.errors)")
            #expect(try server.process.waitForEnd() == .exited(0))
            let again = try app(server, "stop")
            #expect(again.status == .exited(69))
            #expect(again.errors.contains("\(server.pid)"))
        }

        @Test func severalServersHaveToBeTold() throws {
            let servers = [try AppServer(Self.configuration()), try AppServer(Self.configuration())]
            let asked = try Command.run([Command.app, "status"], in: servers[0].folder.path)
            #expect(asked.status == .exited(64))
            for server in servers { #expect(asked.errors.contains("--pid \(server.pid)  ")) }
            for server in servers { try server.stop() }
        }

        @Test(.enabled(if: Machine.allowsNamespaces, "a network without servers needs root and namespaces"))
        func noServerIsSaid() throws {
            let folder = try Folder()
            let asked = try Command.run(["unshare", "--net", Command.app, "status"], in: folder.path)
            #expect(asked.status == .exited(69))
            #expect(asked.errors == "no server of this user runs on this machine\n")
            let named = try Command.run([Command.app, "status", "--admin", "unix:gone.sock"], in: folder.path)
            #expect(named.status == .exited(69) && named.errors.contains("unix:gone.sock"))
            let wrong = try Command.run([Command.app, "status", "--admin", "nonsense"], in: folder.path)
            #expect(wrong.status == .exited(64))
        }

        @Test(.enabled(if: Machine.isRoot && Machine.has("setpriv"), "another user needs root and setpriv"))
        func anotherUserIsRefused() throws {
            let server = try AppServer(Self.configuration())
            for command in ["status", "stop"] {
                let asked = try Command.run(
                    [
                        "setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", Command.app, command,
                        "--admin", "unix:@portico-admin-\(geteuid())-\(server.pid)",
                    ], in: "/")
                #expect(asked.status == .exited(1), "\(asked.errors)")
                #expect(asked.errors == "permission denied: not you\n")
            }
            #expect(try server.get("/ping").status == 200)
            try server.stop()
        }

        @Test func switchedOffThereIsNone() throws {
            let server = try AppServer(Self.configuration("  admin: false"))
            #expect(try app(server, "status").status == .exited(69))
            try server.stop()
        }

        /// `program` on a terminal of 80 columns and 24 rows, ended by q once `text` was drawn twice.
        private func onATerminal(until text: String, _ program: [String]) throws -> Command {
            let script = "\(Command.package)/Tests/EndToEndTests/Clients/on_a_terminal.py"
            return try Command.run(["python3", script, text] + program, environment: ["TERM": "xterm"])
        }

        @Test func topFitsTheTerminalAndEndsWithQ() throws {
            let server = try AppServer(Self.configuration())
            let load = try Load(4, of: "/ping", at: server.endpoint, .kept)
            let top = try onATerminal(
                until: "W     PID", [Command.app, "top", "--interval", "300ms", "--pid", "\(server.pid)"])
            _ = try load.end()
            #expect(top.status == .exited(0), "\(top.output)\(top.errors)")
            // The screen of before comes back, and so does the cursor.
            #expect(top.output.hasPrefix("\u{1B}[?1049h") && top.output.contains("\u{1B}[?25h\u{1B}[?1049l"))
            let frames = top.output.split(separator: "\u{1B}[H").dropFirst()
            #expect(frames.count >= 2)
            for frame in frames {
                let lines = frame.split(separator: "\u{1B}[J")[0].split(
                    separator: "\u{1B}[K\r\n", omittingEmptySubsequences: false)
                #expect(lines.count <= 24)
                #expect(lines.allSatisfy { $0.count <= 80 + "\u{1B}[K".count }, "\(frame)")
            }
            let last = try #require(frames.last)
            for worker in server.workers { #expect(last.contains("\(worker)")) }
            #expect(last.contains("running, ready") && !last.contains("requests -/s"), "\(last)")
            try server.stop()
        }

        @Test func topIsPlainWhereThereIsNoTerminal() throws {
            let server = try AppServer(Self.configuration())
            let top = try app(server, "top", "--count", "2", "--interval", "100ms")
            #expect(top.status == .exited(0), "\(top.errors)")
            #expect(top.output.split(separator: "\n").count { $0.hasPrefix("   W     PID") } == 2)
            #expect(!top.output.contains("\u{1B}"))
            try server.stop()
        }

        @Test(
            .enabled(if: PyPI.has("uwsgitop-0.12"), "Tests/run installs uwsgitop"), arguments: ["unix", "tcp", "http"])
        func uwsgitopShowsTheWorkers(kind: String) throws {
            let port = try FreePort.find()
            let address = kind == "unix" ? "unix:stats.sock" : "127.0.0.1:\(port)"
            let server = try AppServer(Self.configuration("  stats: \(address)"))
            #expect(try server.get("/ping").status == 200)
            let target =
                switch kind {
                case "unix": server.folder["stats.sock"]
                case "tcp": "127.0.0.1:\(port)"
                default: "http://127.0.0.1:\(port)"
                }
            let worker = try #require(server.workers.first)
            let top = try onATerminal(
                until: "uwsgi-portico-", [PyPI.program("uwsgitop", of: "uwsgitop-0.12"), "--frequency", "1", target])
            #expect(top.output.contains("\(worker)"), "\(top.output)\(top.errors)")
            #expect(top.output.contains("idle"))
            try server.stop()
        }
    }
}
