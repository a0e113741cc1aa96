import Glibc
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// Another executable in the place of the running one.
    @Suite struct Upgrade {
        /// A server that was started through a link in its folder, which can be pointed elsewhere.
        private func server(_ mode: [String] = []) throws -> AppServer {
            let folder = try Folder()
            try folder.write(Reload.configuration("timeouts: {start: 1m}"), to: "app.yaml")
            #expect(symlink(Command.app, folder["app"]) == 0)
            return try AppServer(in: folder, mode, prefix: ["sh", "-c", "shift; exec ./app \"$@\"", "sh"])
        }

        /// Puts a script in its place, as a new version that is told from the old by a variable.
        private func install(_ script: String, in folder: Folder) throws {
            try folder.write("#!/bin/sh\n\(script)\n", to: "app.new")
            chmod(folder["app.new"], 0o755)
            #expect(rename(folder["app.new"], folder["app"]) == 0)
        }

        private func environment(of pid: Int32) -> String {
            (try? Descriptor.contents(ofFile: "/proc/\(pid)/environ"))
                .map { String(decoding: $0.map { $0 == 0 ? 10 : $0 }, as: UTF8.self) } ?? ""
        }

        private func areNew(_ server: AppServer, _ mark: String, old: [Int32]) -> Bool {
            let workers = server.workers
            return workers.count == 2 && Set(workers).isDisjoint(with: old)
                && ([server.pid] + workers).allSatisfy { environment(of: $0).contains(mark) }
        }

        @Test func takesOverInTheSameProcess() throws {
            let server = try server()
            let load = try Load(8, of: "/version", at: server.endpoint, .fresh)
            try eventually("the load has begun") { load.now.ok > 20 }
            for mark in ["VERSION=2", "VERSION=3"] {
                let old = server.workers
                try install("\(mark) exec \(Command.app) \"$@\"", in: server.folder)
                kill(server.pid, SIGUSR2)
                try eventually("\(mark) serves: \(server.errors)") { areNew(server, mark, old: old) }
            }
            let counts = try load.end()
            #expect(counts.incomplete + counts.refused + counts.failed + counts.wrong.count == 0, "\(counts)")
            #expect(server.errors.contains("under a new program (pid \(server.pid))"))
            // What it took over it can do: replace, scale, and stop.
            let victim = try #require(server.workers.first)
            kill(victim, SIGKILL)
            try eventually("a lost worker is replaced") {
                server.workers.count == 2 && !server.workers.contains(victim)
            }
            kill(server.pid, SIGTTIN)
            try eventually("one more") { server.workers.count == 3 }
            let old = server.workers
            kill(server.pid, SIGHUP)
            try eventually("a reload works: \(server.errors)") {
                server.workers.count == 3 && Set(server.workers).isDisjoint(with: old)
            }
            try server.stop()
        }

        @Test(
            arguments: [
                ("exit 3", "ended with exit status 3"),
                ("kill -SEGV $$", "ended with killed by SIGSEGV"),
                ("echo not a plan >&3", "does not say what this program understands"),
                ("[ $1 = worker ] && exit 5; exec \(Command.app) \"$@\"", "exit status 5"),
                ("[ $2 = --probe ] && exit 6; exec \(Command.app) \"$@\"", "ended with exit status 6"),
            ])
        func aProgramThatDoesNotWorkChangesNothing(script: String, reason: String) throws {
            let server = try server()
            try install(script, in: server.folder)
            kill(server.pid, SIGUSR2)
            try eventually("it says so: \(server.errors)") { server.errors.contains("upgrade (SIGUSR2) failed") }
            #expect(server.errors.contains(reason), "\(server.errors)")
            try eventually("the old program's workers serve") {
                server.workers.count == 2
                    && server.workers.allSatisfy { ProcessTable.command(of: $0).hasPrefix("app worker") }
            }
            #expect(try server.get("/version").text == "one")
            try server.stop()
        }

        /// Where one process serves, it serves on, or another of the same program in its place; and the next attempt is as good
        /// as any.
        @Test(arguments: ["exit 3", nil])
        func inThreadModeAProgramThatDoesNotWorkCostsNothing(script: String?) throws {
            let server = try server(["--mode", "thread"])
            let load = try Load(4, of: "/version", at: server.endpoint, .fresh, pause: .milliseconds(2))
            if let script { try install(script, in: server.folder) } else { unlink(server.folder["app"]) }
            kill(server.pid, SIGUSR2)
            try eventually("it says so: \(server.errors)") {
                server.errors.contains(
                    script == nil ? "the new program cannot be used: " : "ended with exit status 3")
            }
            try install("VERSION=2 exec \(Command.app) \"$@\"", in: server.folder)
            kill(server.pid, SIGUSR2)
            try eventually("the next one serves: \(server.errors)") {
                server.workers.count == 1
                    && ([server.pid] + server.workers).allSatisfy { environment(of: $0).contains("VERSION=2") }
            }
            let counts = try load.end()
            #expect(counts.faults == 0, "\(counts)")
            try server.stop()
        }

        @Test func aProgramThatIsNotThereChangesNothing() throws {
            let server = try server()
            let workers = server.workers
            #expect(unlink(server.folder["app"]) == 0)
            kill(server.pid, SIGUSR2)
            try eventually("it says so: \(server.errors)") {
                server.errors.contains("the new program cannot be used: ")
            }
            #expect(server.workers == workers)
            try server.stop()
        }

        @Test func aProgramThatNeverBecomesReadyChangesNothing() throws {
            let server = try server()
            let text = try server.folder.text(of: "app.yaml").replacing("start: 1m", with: "start: 3s")
            try server.folder.write(text, to: "app.yaml")
            let workers = server.workers
            try install(
                "[ $1 = worker ] && trap '' TERM && exec sleep 600; exec \(Command.app) \"$@\"", in: server.folder)
            kill(server.pid, SIGUSR2)
            try eventually("it says so: \(server.errors)") { server.errors.contains("was not ready within") }
            try eventually("nothing is left of it") { server.workers == workers }
            #expect(try server.get("/version").text == "one")
            try server.stop()
        }
    }
}
