import Glibc
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// What happens when it suits least: the site is served, and the log says what was wrong.
    @Suite struct BadMoments {
        // MARK: Reloads

        /// A site that is slow to load, and slow to answer at `/held`.
        private static let slow = """
            import os, time
            open("begun", "w").close()
            while not os.path.exists("go"):
                time.sleep(0.01)

            def app(environ, start_response):
                while environ["PATH_INFO"] == "/held" and not os.path.exists("open"):
                    time.sleep(0.01)
                start_response("200 OK", [("Content-Type", "text/plain")])
                return [b"ok"]

            """

        @Test(arguments: bothModes) func aReloadDuringTheStartFollowsIt(_ mode: [String]) throws {
            let folder = try Folder()
            try folder.writePythonSite(Self.slow)
            let process = try RunningProcess([Command.app, "serve"] + mode, in: folder.path, environment: [:])
            defer { kill(process.pid, SIGKILL) }
            try eventually("the site is loading; \(process.errors)") { folder.has("begun") }
            for _ in 0..<5 { kill(process.pid, SIGHUP) }
            if mode.contains("process") {
                try eventually("it is said; \(process.errors)") {
                    process.errors.contains("waits until the workers are ready")
                }
            }
            try eventually("all have arrived") { !ProcessTable.isPending(SIGHUP, process.pid) }
            #expect(process.output.isEmpty)
            try folder.write("", to: "go")
            try eventually("it serves; \(process.errors)") { process.output.contains("listening on ") }
            try eventually("and then it reloads; \(process.errors)") {
                process.errors.contains(mode.contains("process") ? "generation 2 serves" : "the new process serves")
            }
            #expect(!process.errors.contains("generation 3"), "five are one")
            let url = try #require(process.output.split(separator: "\n").first).dropFirst("listening on ".count)
            #expect(try WireConnection(Endpoint(url: String(url))).get("/").text == "ok")
            kill(process.pid, SIGTERM)
            #expect(try process.waitForEnd() == .exited(0), "\(process.errors)")
        }

        /// The first is slow to fail; what was asked for meanwhile is another reload, of what is there then.
        @Test(arguments: bothModes) func aReloadDuringOneThatFailsHasItsTurn(_ mode: [String]) throws {
            let folder = try Folder()
            try folder.writePythonSite(answering("'one'"))
            let server = try AppServer(in: folder, mode)
            try folder.write(
                """
                import os, time
                open("begun", "w").close()
                while not os.path.exists("go"):
                    time.sleep(0.01)
                raise RuntimeError("broken on purpose")

                """, to: "app.py")
            kill(server.pid, SIGHUP)
            try eventually("it is under way; \(server.errors)") { folder.has("begun") }
            let command = try RunningProcess(
                [Command.app, "reload", "--wait", "--pid", "\(server.pid)"], in: folder.path, environment: [:])
            kill(server.pid, SIGHUP)
            try folder.write(answering("'two, longer than before'"), to: "app.py")
            // It has arrived when there is a connection.
            try eventually("the command is there") { ProcessTable.sockets(of: command.pid) > 0 }
            #expect(try server.get("/").text == "one")
            try folder.write("", to: "go")
            #expect(try command.waitForEnd() == .exited(0), "\(command.errors)\n\(server.errors)")
            #expect(server.errors.contains("broken on purpose"))
            #expect(try server.get("/").text == "two, longer than before", "\(server.errors)")
            try server.stop()
        }

        @Test(arguments: bothModes) func aSuccessorThatIsNeverReadyChangesNothing(_ mode: [String]) throws {
            let folder = try Folder()
            try folder.writePythonSite(answering("'one'"))
            let server = try AppServer(in: folder, mode)
            let workers = server.workers
            let load = try Load(2, of: "/", at: server.endpoint, .fresh, pause: .milliseconds(5))
            try folder.write("import time\ntime.sleep(3600)\n", to: "app.py")
            try folder.write(try folder.text(of: "app.yaml") + "\n  timeouts: {start: 1s}\n", to: "app.yaml")
            kill(server.pid, SIGHUP)
            try eventually("it is given up; \(server.errors)") {
                server.errors.contains("was not ready within 1.0 seconds") && server.workers == workers
            }
            let text = mode.contains("process") ? "generation 1 goes on" : "everything serves as before"
            try eventually("it is said; \(server.errors)") { server.errors.contains(text) }
            let counts = try load.end()
            #expect(counts.faults == 0 && counts.ok > 0, "\(counts)")
            #expect(try server.get("/").text == "one")
            try server.stop()
        }

        @Test(arguments: bothModes) func aReloadDuringTheDrainIsRefused(_ mode: [String]) throws {
            let folder = try Folder()
            try folder.write("", to: "go")
            try folder.writePythonSite(Self.slow, options: "timeouts: {drain: 1h}")
            let server = try AppServer(in: folder, mode)
            let workers = server.workers
            let held = try server.connect()
            try held.send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n")
            try eventually("it is under way") {
                try Command.app("status", "--json", "--pid", "\(server.pid)", in: folder).output.contains("\"/held\"")
            }
            try server.startStopping()
            try eventually("it drains; \(server.errors)") {
                server.errors.contains("SIGTERM: finishing") || server.errors.contains("SIGTERM: drain")
            }
            for signal in [SIGHUP, SIGUSR2] {
                kill(server.pid, signal)
                let name = signal == SIGHUP ? "SIGHUP" : "SIGUSR2"
                try eventually("\(name) is refused; \(server.errors)") {
                    server.errors.split(separator: "\n").contains { line in
                        line.contains(name) && line.contains("refused, the server is stopping")
                    }
                }
            }
            #expect(Set(server.workers).isSubset(of: workers))
            try folder.write("", to: "open")
            #expect(try held.receive().text == "ok")
            #expect(try server.process.waitForEnd() == .exited(0), "\(server.errors)")
        }

        // MARK: Time

        private static let compiler = Machine.path(of: "cc") ?? Machine.path(of: "clang")

        /// A library that, preloaded, sets the clock to what the file `step` says.
        private func steppedClock(in folder: Folder) throws -> [String: String] {
            let source = "\(Command.package)/Tests/EndToEndTests/Clients/stepped_clock.c"
            let made = try Command.run(
                [try #require(Self.compiler), "-shared", "-fPIC", "-o", folder["clock.so"], source])
            try #require(made.status == .exited(0), "\(made.errors)")
            return ["LD_PRELOAD": folder["clock.so"], "CLOCK_STEP": folder["step"]]
        }

        /// To tomorrow, to yesterday, and to where it was: no limit of time is reached by it.
        @Test(.enabled(if: compiler != nil, "needs a C compiler"), arguments: bothModes)
        func aClockThatIsSetChangesNothing(_ mode: [String]) throws {
            let folder = try Folder()
            try folder.write(
                """
                base:
                  listen: 127.0.0.1:0
                  workers: {count: 2, max-age: 1h}
                  sites: {polls: {swift: polls, database: polls.sqlite3}}
                  timeouts: {stuck: 1h, keep-alive: 1h, request: 1h}
                  log: {access: false}
                """, to: "app.yaml")
            let server = try AppServer(in: folder, mode, environment: try steppedClock(in: folder))
            let workers = server.workers
            let loads = [
                try Load(2, of: "/", at: server.endpoint, .kept), try Load(2, of: "/", at: server.endpoint, .fresh),
                try Load(2, of: "/1/live/", at: server.endpoint, .webSockets),
            ]
            let idle = try server.connect()
            #expect(try idle.get("/").status == 200)
            let (forward, back) = ("forward by 86400 s", "back by 172800 s")
            for (step, text) in [(86_400, forward), (-86_400, back), (0, forward)] {
                let before = server.errors.ranges(of: "the clock was set \(text)").count
                try folder.write("\(step)", to: "step.new")
                #expect(rename(folder["step.new"], folder["step"]) == 0)
                try eventually("it is said; \(server.errors)") {
                    server.errors.ranges(of: "the clock was set \(text)").count == before + 1
                }
                let counts = loads.map(\.now.ok)
                try eventually("the load goes on") { zip(loads, counts).allSatisfy { $0.now.ok > $1 + 20 } }
                let date = try Command.run(["date", "-u", "-d", "\(step) seconds", "+%d %b %Y"]).output.dropLast()
                // Whichever worker answers: each of them has a clock of its own, and looks at it once a second.
                try eventually("the step has come to pass: \(date)") {
                    try server.get("/")["date"]?.contains(date) == true
                }
            }
            #expect(try idle.get("/").status == 200, "nor was it idle for a day")
            let counts = try loads.map { try $0.end() }
            #expect(counts.allSatisfy { $0.faults == 0 }, "\(counts)")
            #expect(counts[0].partings == 0 && counts[2].partings == 0, "\(counts)")
            #expect(server.workers == workers)
            #expect(!server.errors.contains("did not run for"), "\(server.errors)")
            try server.stop()
        }

        /// All processes stand still, as in a container that is frozen, in the middle of a request that has the loop: nobody
        /// is held to have been stuck.
        @Test(arguments: bothModes) func whatWasFrozenGoesOn(_ mode: [String]) throws {
            let server = try Folder.pythonServer(
                """
                import os

                async def app(scope, receive, send):
                    if scope["type"] != "http":
                        raise NotImplementedError
                    if scope["path"] == "/busy":
                        print("busy")
                        while not os.path.exists("go"):
                            pass
                    await send({"type": "http.response.start", "status": 200, "headers": []})
                    await send({"type": "http.response.body", "body": b"ok"})

                """, options: "timeouts: {stuck: 5s, request: 5s}", arguments: mode)
            let workers = server.workers
            let busy = try server.connect()
            try busy.send("GET /busy HTTP/1.1\r\nHost: a\r\n\r\n")
            try eventually("it is busy; \(server.errors)") { server.errors.contains("busy") }
            let all = [server.pid] + workers
            for pid in all.reversed() { kill(pid, SIGSTOP) }
            // Longer than anything may be stuck.
            usleep(8_000_000)
            try server.folder.write("", to: "go")
            for pid in all { kill(pid, SIGCONT) }
            #expect(try busy.receive().text == "ok", "\(server.errors)")
            try eventually("it is noticed; \(server.errors)") { server.errors.contains("did not run for") }
            #expect(try server.get("/").text == "ok")
            #expect(server.workers == workers)
            for text in ["is interrupted", "is to be replaced", "took longer"] {
                #expect(!server.errors.contains(text), "\(server.errors)")
            }
            try server.stop()
        }

        // MARK: A full disk

        @Test(.enabled(if: Machine.allowsNamespaces, "needs root and mount namespaces"), arguments: bothModes)
        func aFullDiskForTheAccessLog(_ mode: [String]) throws {
            let folder = try Folder()
            try folder.makeDirectory("small")
            try folder.write(
                """
                base:
                  listen: 127.0.0.1:0
                  workers: {count: 1}
                  routes: [{path: /, respond: hello}]
                  log: {access: small/access.log}
                """, to: "app.yaml")
            let server = try AppServer(in: folder, mode, prefix: Users.withSmallDisk(folder["small"], "16k"))
            let load = try Load(4, of: "/", at: server.endpoint, .kept)
            try eventually("the disk is full, and the log says so; \(server.errors)") {
                server.errors.contains("No space left on device")
            }
            let before = load.now.ok
            try eventually("it goes on") { load.now.ok > before + 500 }
            let counts = try load.end()
            #expect(counts.faults == 0, "\(counts)")
            #expect(server.errors.ranges(of: "No space left on device").count < 5, "and not with every line")
            // As a log rotation would make room, more than once: lines that waited may take it all.
            let log = "/proc/\(server.pid)/root\(folder["small/access.log"])"
            try eventually("it is written again") {
                #expect(try server.get("/again").status == 200)
                let text = String(decoding: try Descriptor.contents(ofFile: log), as: UTF8.self)
                if text.utf8.count >= 16 << 10 { #expect(truncate(log, 0) == 0) }
                return text.contains("/again")
            }
            try server.stop()
        }

        /// Where the server's own lines go cannot be written to: nobody hears of anything, and everything works.
        @Test(arguments: bothModes) func aFullDiskForTheServersOwnLines(_ mode: [String]) throws {
            let folder = try Folder()
            try folder.writePythonSite(answering("'one'"))
            let server = try AppServer(in: folder, mode, prefix: ["sh", "-c", "exec \"$@\" 2>/dev/full", "sh"])
            #expect(try server.get("/").text == "one")
            let workers = server.workers
            try folder.write(answering("'two, longer'"), to: "app.py")
            kill(server.pid, SIGHUP)
            try eventually("a reload works") { try server.get("/").text == "two, longer" }
            #expect(Set(server.workers) != Set(workers))
            try server.stop()
        }
    }
}
