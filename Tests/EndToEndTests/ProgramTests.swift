import Glibc
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// Programs beside the workers, as their owner would see them.
    @Suite struct Programs {
        private func folder(_ lines: String) throws -> Folder {
            let folder = try Folder()
            try folder.write(
                """
                base:
                  listen: 127.0.0.1:0
                  workers: {count: 1}
                  routes: [{path: /, respond: pong}]
                \(lines)
                """, to: "app.yaml")
            return folder
        }

        private func pid(_ folder: Folder, _ file: String = "pid") throws -> Int32 {
            var pid: Int32?
            try eventually("the program's number") {
                pid = (try? folder.text(of: file)).flatMap { Int32($0.split(separator: "\n").last ?? "") }
                return pid != nil
            }
            return try #require(pid)
        }

        /// It runs, speaks, outlives the workers, and is gone with the server.
        @Test(arguments: ["process", "thread"])
        func fromStartToEnd(mode: String) throws {
            let script = """
                echo hello from $NAME; echo $$ >pid
                trap 'kill -0 $(cat worker) && echo alive >after || echo gone >after; echo bye; exit 0' TERM
                while :; do sleep 0.05; done
                """
            let folder = try folder(
                "  programs: {beside: {command: [sh, talk.sh], directory: ., environment: {NAME: there}}}")
            try folder.write(script, to: "talk.sh")
            let server = try AppServer(in: folder, ["--mode", mode])
            try eventually("its word; \(server.errors)") { server.errors.contains("info [beside] hello from there\n") }
            let program = try pid(folder)
            #expect(ProcessTable.isAlive(program))
            try folder.write("\(server.workers.first { $0 != program } ?? server.pid)\n", to: "worker")
            #expect(try server.get("/").text == "pong")
            try server.stop()
            #expect(ProcessTable.isGone(program))
            #expect(server.errors.contains("info [beside] bye\n"), "\(server.errors)")
            #expect(server.errors.contains("program beside (pid \(program)) has stopped"))
            #expect(try folder.text(of: "after") == (mode == "process" ? "gone\n" : "alive\n"))
        }

        @Test(arguments: ["process", "thread"])
        func sitesWaitForWhatTheyNeed(mode: String) throws {
            let folder = try Folder()
            try folder.write(
                """
                base:
                  listen: 127.0.0.1:0
                  workers: {count: 1, needs: [second]}
                  sites: {own: {python: 'own:app'}}
                  programs:
                    second:
                      command: [sh, -c, 'test -e first && echo $$ >second && exec sleep 1000']
                      needs: first
                      ready: {file: second}
                    first: {command: [sh, -c, 'sleep 0.3; echo 1 >first'], ready: {exit: true}, restart: never}
                """, to: "app.yaml")
            try folder.write(
                """
                import os
                seen = os.path.exists("first") and os.path.exists("second")

                def app(environ, start_response):
                    start_response("200 OK", [])
                    return [str(seen).encode()]
                """, to: "own.py")
            let server = try AppServer(in: folder, ["--mode", mode])
            #expect(try server.get("/").text == "True", "\(server.errors)")
            try server.stop()
        }

        @Test(arguments: ["process", "thread"])
        func anEssentialOneEndsTheServer(mode: String) throws {
            let folder = try folder(
                "  programs: {core: {command: [sh, -c, 'while ! test -e go; do sleep 0.05; done; exit 3'], essential: true, start-attempts: 2}}"
            )
            let server = try AppServer(in: folder, ["--mode", mode])
            #expect(try server.get("/").text == "pong")
            try folder.write("", to: "go")
            #expect(try server.process.waitForEnd() == .exited(70))
            #expect(server.errors.contains("program core is essential, and was given up"), "\(server.errors)")
            #expect(server.errors.contains("exit status 3"))
        }

        @Test(arguments: ["process", "thread"])
        func neededAndNeverReady(mode: String) throws {
            let folder = try folder(
                "  programs: {a: {command: [sh, -c, 'exit 1'], start-attempts: 2, ready: {line: never}}}")
            let result = try Command.app("serve", "--mode", mode, "--set", "workers.needs=a", in: folder)
            #expect(result.status == .exited(70))
            #expect(!result.output.contains("listening on"))
            #expect(result.errors.contains("workers need program a, which was given up"), "\(result.errors)")
        }

        /// The server can be stopped while it waits.
        @Test(arguments: ["process", "thread"])
        func stoppedWhileWaiting(mode: String) throws {
            let folder = try folder(
                "  programs: {a: {command: [sh, -c, 'echo $$ >pid; exec sleep 1000'], ready: {line: never}}}")
            let process = try RunningProcess(
                [Command.app, "serve", "--mode", mode, "--set", "workers.needs=a"], in: folder.path, environment: [:])
            let program = try pid(folder)
            kill(process.pid, SIGTERM)
            #expect(try process.waitForEnd() == .exited(0), "\(process.errors)")
            #expect(ProcessTable.isGone(program))
        }

        @Test(arguments: ["process", "thread"])
        func theSecondSignalWaitsForNobody(mode: String) throws {
            let folder = try folder(
                "  programs: {a: {command: [sh, -c, 'trap \"\" TERM; echo $$ >pid; while :; do sleep 0.05; done'], stop-timeout: 10m}}"
            )
            let server = try AppServer(in: folder, ["--mode", mode])
            let program = try pid(folder)
            try server.startStopping()
            try eventually("the end of the workers") {
                server.errors.contains(mode == "process" ? "has finished" : "finishing what was begun")
            }
            // Until it has arrived: the first one may still be under way.
            var status: ProcessStatus?
            try eventually("the end; \(server.errors)") {
                kill(server.pid, SIGTERM)
                status = server.process.reap()
                return status != nil
            }
            #expect(status == .exited(0))
            try eventually("the end of the program") { !ProcessTable.isAlive(program) }
        }

        @Test(arguments: ["process", "thread"])
        func whatIsKilledComesBackAndIsInTheStatus(mode: String) throws {
            let folder = try folder(
                """
                  programs:
                    a: {command: [sh, -c, 'echo $$ >>pids; exec sleep 1000']}
                    job: {command: [sh, -c, 'exit 0'], ready: {exit: true}, restart: never}
                  admin: unix:admin.sock
                """)
            let server = try AppServer(in: folder, ["--mode", mode])
            let first = try pid(folder, "pids")
            kill(first, SIGKILL)
            try eventually("another; \(server.errors)") { try pid(folder, "pids") != first }
            #expect(server.errors.contains("ended: killed by SIGKILL"))
            let second = try pid(folder, "pids")
            let admin = Endpoint.unix(folder["admin.sock"])
            try eventually("the status of both") {
                let text = try WireConnection(admin).get("/status").text
                return text.contains(#"{"name":"a","phase":"ready","pid":\#(second),"restarts":1,"failures":"#)
                    && text.contains(#"{"name":"job","phase":"finished","restarts":0,"#)
            }
            let metrics = try WireConnection(admin).get("/metrics").text
            #expect(metrics.contains("portico_program_phase{program=\"a\",phase=\"ready\"} 1\n"))
            #expect(metrics.contains("portico_program_restarts_total{program=\"a\"} 1\n"))
            #expect(metrics.contains("portico_program_phase{program=\"job\",phase=\"finished\"} 1\n"))
            let shown = try Command.app("status", "--admin", "unix:\(folder["admin.sock"])", in: folder)
            let line = shown.output.split(separator: "\n").first { $0.hasPrefix("a ") }.map(String.init) ?? ""
            #expect(line.split(separator: " ").prefix(4) == ["a", "\(second)", "ready", "1"], "\(shown.output)")
            #expect(line.contains("killed by SIGKILL"))
            #expect(try server.get("/").text == "pong")
            try server.stop()
        }

        @Test(.enabled(if: Machine.allowsNamespaces, "process 1 of a namespace needs root"))
        func underProcessOne() throws {
            let folder = try folder(
                "  programs: {a: {command: [sh, -c, '(sleep 0.1; true) & echo run >>runs; test $(wc -l <runs) = 3 && exec sleep 1000; exit 1']}}"
            )
            let server = try AppServer(
                in: folder, prefix: ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"], isForked: true)
            try eventually("the third run; \(server.errors)") {
                (try? folder.text(of: "runs")) == "run\nrun\nrun\n"
            }
            #expect(server.errors.contains("ended: exit status 1"), "\(server.errors)")
            #expect(try server.get("/").text == "pong")
            try server.startStopping()
            #expect(try server.process.waitForEnd() == .exited(0), "\(server.errors)")
        }

        @Test(.enabled(if: Machine.isRoot, "only root may become another user"))
        func whoTheyAre() throws {
            let folder = try folder(
                """
                  user: 61234
                  group: 61235
                  programs:
                    plain: {command: [sh, -c, 'echo plain $(id -u) $(id -g) $HOME; exec sleep 1000']}
                    other: {command: [sh, -c, 'echo other $(id -u) $(id -g); exec sleep 1000'], user: 61236, group: 61237}
                    root: {command: [sh, -c, 'echo root $(id -u); exec sleep 1000'], user: root}
                """)
            let server = try AppServer(in: folder)
            for line in ["plain 61234 61235 /", "other 61236 61237", "root 0"] {
                try eventually("\(line); \(server.errors)") { server.errors.contains("] \(line)\n") }
            }
            try server.stop()
        }

        /// Neither a reload nor another binary touches a program that is declared as before.
        @Test func outlivesReloadAndUpgrade() throws {
            let lines = "  programs: {a: {command: [sh, talk.sh], directory: .}}"
            let folder = try folder(lines)
            try folder.write(
                "echo $$ >>pids; while :; do test -e word && { cat word; rm word; }; sleep 0.05; done\n", to: "talk.sh")
            let server = try AppServer(in: folder)
            let program = try pid(folder, "pids")
            let first = try #require(server.workers.first { $0 != program })
            kill(server.pid, SIGHUP)
            try eventually("another worker; \(server.errors)") {
                !server.workers.contains(first) && server.workers.count == 2
            }
            #expect(try pid(folder, "pids") == program)
            kill(server.pid, SIGUSR2)
            try eventually("the upgrade; \(server.errors)") { server.errors.contains("under a new program") }
            #expect(ProcessTable.isAlive(program))
            try folder.write("still here\n", to: "word")
            try eventually("its word; \(server.errors)") { server.errors.contains("[a] still here\n") }
            #expect(try folder.text(of: "pids") == "\(program)\n")
            #expect(try server.get("/").text == "pong")
            // Another declaration is another program.
            try folder.write(
                try folder.text(of: "app.yaml").replacing("directory: .", with: "directory: ., stop-timeout: 9s"),
                to: "app.yaml")
            kill(server.pid, SIGHUP)
            try eventually("another program; \(server.errors)") { try pid(folder, "pids") != program }
            try server.stop()
            let last = try pid(folder, "pids")
            try eventually("the end of the program") { !ProcessTable.isAlive(last) }
        }

        @Test func mistakesHaveTheirPlace() throws {
            let folder = try folder("  programs: {a: {command: no-such-program --x}, b: {command: [./absent]}}")
            for command in ["serve", "check"] {
                let result = try Command.app(command, in: folder)
                #expect(result.status == .exited(78))
                #expect(
                    result.errors.contains(
                        "app.yaml:5:27: programs.a.command: there is no program no-such-program on the path (/usr/local/sbin:"
                    ),
                    "\(result.errors)")
                #expect(result.errors.contains("programs.b.command: there is no program ./absent, or it cannot"))
            }
        }
    }
}
