import Glibc
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// Workers that die, and supervisors that do.
    @Suite struct WorkerPool {
        static let configuration = """
            base:
              listen: 127.0.0.1:0
              workers: {mode: process, count: 2}
              sites: {polls: {swift: polls, database: polls.sqlite3}}
              timeouts: {drain: 1h, body: 1h, request: 1h}
              log: {access: false}
            """

        @Test func aKilledWorkerCostsTheRequestsInsideIt() throws {
            let server = try AppServer(Self.configuration)
            let load = try Load(16, of: "/", at: server.endpoint, .kept)
            try eventually("the load has begun") { load.now.ok > 200 }
            let before = server.workers
            #expect(before.count == 2)
            let victim = try #require(before.first)
            // Its connections are among its sockets; no client has more than one. Stopped, it takes no more of them.
            kill(victim, SIGSTOP)
            try eventually("it stands still") { ProcessTable.isStopped(victim) }
            let held = ProcessTable.sockets(of: victim)
            kill(victim, SIGKILL)
            try eventually("another worker took its place") {
                let workers = server.workers
                return workers.count == 2 && !workers.contains(victim)
            }
            let healed = load.now.ok
            try eventually("requests are answered as before") { load.now.ok > healed + 200 }
            let counts = try load.end()
            #expect(counts.failed + counts.incomplete <= min(held, 16), "\(counts)")
            #expect(counts.refused == 0)
            #expect(counts.wrong.isEmpty)
            #expect(server.errors.contains("killed by SIGKILL"))
            try server.stop()
        }

        @Test(arguments: ["process", "thread"], [Load.Connections.kept, .fresh])
        func terminationLosesNothing(mode: String, connections: Load.Connections) throws {
            let server = try AppServer(Self.configuration, ["--mode", mode])
            let load = try Load(16, of: "/", at: server.endpoint, connections)
            try eventually("the load has begun") { load.now.ok > 200 }
            load.markStopping()
            let status = try server.terminate()
            let counts = try load.end()
            #expect(status == .exited(0), "\(server.errors)")
            #expect(counts.incomplete == 0, "every response that began is whole: \(counts)")
            #expect(counts.lost == 0, "what was accepted is answered: \(counts)")
            #expect(counts.wrong.isEmpty)
        }

        /// A request whose body has not come yet: draining waits for it.
        private func unfinishedRequest(_ server: AppServer) throws -> WireConnection {
            let connection = try server.connect()
            try connection.send(
                "POST /1/vote/ HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n"
                    + "Content-Type: application/x-www-form-urlencoded\r\n\r\n")
            #expect(try connection.receive().status == 100)
            return connection
        }

        @Test(arguments: ["process", "thread"])
        func terminationWaitsForTheRequestInFlight(mode: String) throws {
            let server = try AppServer(Self.configuration, ["--mode", mode])
            let connection = try unfinishedRequest(server)
            kill(server.pid, SIGTERM)
            try eventually("it drains") { server.errors.contains("finishing what") }
            try connection.send("a=b")
            #expect(try connection.receive().status == 403)
            #expect(try server.process.waitForEnd() == .exited(0))
        }

        @Test(arguments: ["process", "thread"])
        func aSecondSignalEndsAtOnce(mode: String) throws {
            let server = try AppServer(Self.configuration, ["--mode", mode])
            let connection = try unfinishedRequest(server)
            kill(server.pid, SIGTERM)
            try eventually("it drains") { server.errors.contains("finishing what") }
            // The hour of timeouts.drain is not waited for. Repeated, as two signals at once may arrive as one.
            var status: ProcessStatus?
            try eventually("it ends") {
                kill(server.pid, SIGTERM)
                status = server.process.reap()
                return status != nil
            }
            #expect(status == .exited(0))
            #expect(throws: WireError.self) { try connection.receive() }
        }

        @Test func workersOutliveTheirSupervisorOnlyToFinish() throws {
            let server = try AppServer(Self.configuration)
            let workers = server.workers
            #expect(workers.count == 2)
            let connection = try unfinishedRequest(server)
            kill(server.pid, SIGKILL)
            #expect(try server.process.waitForEnd() == .signaled(SIGKILL, dumpedCore: false))
            try eventually("the idle worker has gone") { workers.count { ProcessTable.isAlive($0) } == 1 }
            try connection.send("a=b")
            #expect(try connection.receive().status == 403, "the request inside is answered")
            try eventually("all workers have gone") { !workers.contains { ProcessTable.isAlive($0) } }
        }

        @Test func aWorkerThatCrashesAgainAndAgainIsReplacedAgainAndAgain() throws {
            let folder = try Folder()
            try folder.write(Self.configuration, to: "app.yaml")
            // The toolchain's backtrace of a debug build takes its time; it is not what is tested.
            let server = try AppServer(in: folder, environment: ["SWIFT_BACKTRACE": "enable=no"])
            for _ in 0..<3 {
                let workers = server.workers
                let victim = try #require(workers.first)
                kill(victim, SIGSEGV)
                try eventually("it was replaced") { server.workers.count == 2 && !server.workers.contains(victim) }
                #expect(try server.get("/").status == 200)
            }
            try server.stop()
        }

        @Test func writesNothingThatWasNotNamed() throws {
            let folder = try Folder()
            for name in ["data", "home", "tmp"] { try folder.makeDirectory(name) }
            try folder.write(
                """
                base:
                  listen: 127.0.0.1:0
                  workers: {mode: process, count: 2}
                  sites: {polls: {swift: polls, database: data/polls.sqlite3}}
                  temp-directory: tmp
                """, to: "app.yaml")
            let server = try AppServer(
                in: folder, environment: ["HOME": folder["home"], "TMPDIR": folder["tmp"]])
            #expect([302, 303].contains(try PollsVisitor(server).vote(1, choice: "1").status))
            try server.stop()
            let names = try folder.listing().filter { !$0.hasPrefix("data/polls.sqlite3") }
            #expect(names == ["app.yaml", "data", "home", "tmp"])
        }

        @Test(.enabled(if: Machine.allowsNamespaces, "a process 1 of our own needs root and namespaces"))
        func servesAsProcessOne() throws {
            let folder = try Folder()
            try folder.write(Self.configuration, to: "app.yaml")
            let server = try AppServer(
                in: folder, prefix: ["unshare", "--pid", "--fork", "--mount-proc"], isForked: true)
            #expect(try server.get("/").status == 200)
            // An orphan of the container: its parent, a shell, ends at once.
            _ = try Command.run([
                "nsenter", "--target", "\(server.pid)", "--pid", "--mount", "sh", "-c", "sleep 1000 >/dev/null 2>&1 &",
            ])
            var orphan: Int32 = 0
            try eventually("process 1 inherits the orphan") {
                orphan = server.workers.first { ProcessTable.command(of: $0).hasPrefix("sleep") } ?? 0
                return orphan != 0
            }
            kill(orphan, SIGKILL)
            try eventually("the orphan is reaped") { ProcessTable.isGone(orphan) }
            #expect(try server.get("/").status == 200)
            #expect(server.workers.count == 2)
            try server.stop()
        }
    }
}
