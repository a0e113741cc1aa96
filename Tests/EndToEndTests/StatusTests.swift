import Glibc
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// The admin listener: what is said, by whom it may be asked, and that it needs no worker.
    @Suite struct Status {
        private static func configuration(_ more: String = "") -> String {
            """
            base:
              listen: 127.0.0.1:0
              workers: {mode: process, count: 2}
              sites: {polls: {swift: polls, database: polls.sqlite3}}
              routes: [{path: =/ping, respond: pong}, {path: /, site: polls}]
              timeouts: {drain: 1h, body: 1h, request: 1h}
              log: {access: false}
              admin: unix:admin.sock
            \(more)
            """
        }

        private func ask(_ server: AppServer, _ request: String, _ fields: String...) throws -> WireResponse {
            try ask(.unix(server.folder["admin.sock"]), request, fields)
        }

        private func ask(_ endpoint: Endpoint, _ request: String, _ fields: [String]) throws -> WireResponse {
            let connection = try WireConnection(endpoint)
            let lines = ["\(request) HTTP/1.1"] + (fields.contains { $0.hasPrefix("Host") } ? [] : ["Host: localhost"])
            try connection.send((lines + fields).map { $0 + "\r\n" }.joined() + "\r\n")
            return try connection.receive()
        }

        /// The samples of `/metrics`, as Prometheus' Python client reads them.
        private func metrics(_ server: AppServer) throws -> [String: Double] {
            let response = try ask(server, "GET /metrics")
            #expect(response["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
            try server.folder.write(response.body, to: "metrics.txt")
            let script = "\(Command.package)/Tests/EndToEndTests/Clients/read_metrics.py"
            let reading = try Command.run(
                [PyPI.python("prometheus-client-0.26.0"), script], input: server.folder["metrics.txt"])
            try #require(reading.status == .exited(0), "\(reading.errors)")
            var samples: [String: Double] = [:]
            for line in reading.output.split(separator: "\n") {
                guard let space = line.lastIndex(of: " ") else { continue }
                samples[String(line[..<space])] = Double(line[line.index(after: space)...])
            }
            return samples
        }

        @Test(.enabled(if: PyPI.has("prometheus-client-0.26.0"), "Tests/run installs prometheus-client"))
        func everyRequestIsCountedOnceAlsoOfWorkersThatAreGone() throws {
            let server = try AppServer(Self.configuration())
            func make(_ count: Int) throws {
                for index in 0..<count {
                    #expect(try server.get("/").status == 200)
                    #expect(try server.get("/ping?token=secret").status == 200)
                    if index % 2 == 0 { #expect(try server.get("/nothing/").status == 404) }
                }
            }
            /// What is counted has been, also of the last one.
            func settle(_ count: Int) throws {
                try eventually("\(count) are counted") {
                    let lines = try ask(server, "GET /metrics").text.split(separator: "\n")
                        .filter { $0.hasPrefix("portico_request_duration_seconds_count{") }
                    return lines.compactMap { $0.split(separator: " ").last.flatMap { Int($0) } }.reduce(0, +) == count
                }
            }
            try make(20)
            try settle(50)
            let victim = try #require(server.workers.first)
            kill(victim, SIGKILL)
            try eventually("it was replaced") { server.workers.count == 2 && !server.workers.contains(victim) }
            try make(20)
            try eventually("both are ready") {
                try ask(server, "GET /status").text.split(separator: "\"phase\":\"ready\"").count == 3
            }
            try settle(100)
            let samples = try metrics(server)
            #expect(samples["portico_requests_total{route=/,status=2xx}"] == 40)
            #expect(samples["portico_requests_total{route=/,status=4xx}"] == 20)
            #expect(samples["portico_requests_total{route==/ping,status=2xx}"] == 40)
            #expect(samples["portico_request_duration_seconds_count{route=/}"] == 60)
            #expect(samples["portico_queue_seconds_count{queue=loop}"] == 100)
            #expect(samples["portico_connections_accepted_total{}"] == 100)
            #expect(samples["portico_worker_respawns_total{reason=crash}"] == 1)
            #expect(samples["portico_response_body_bytes_total{route==/ping}"] == 160)
            #expect(try #require(samples["portico_sent_bytes_total{}"]) > 40 * 4)
            #expect(samples["portico_ready{}"] == 1)
            #expect(samples["portico_workers{phase=ready}"] == 2)
            #expect(
                samples.filter { $0.key.hasPrefix("portico_worker_resident_bytes") && $0.value > 1_048_576 }.count == 2)
            try server.stop()
        }

        /// Threads that want Python's lock while another keeps it.
        @Test func waitingForPythonsLockIsCounted() throws {
            let server = try Folder.pythonServer(
                answering("sum(range(1_000_000))"), options: "admin: unix:admin.sock\nlog: {access: false}",
                arguments: ["--threads", "4"])
            func value(_ name: String) throws -> Double {
                let line = try ask(server, "GET /metrics").text.split(separator: "\n").first {
                    $0.hasPrefix("\(name){worker=\"1\"} ")
                }
                return try #require(line?.split(separator: " ").last.flatMap { Double($0) })
            }
            let load = try Load(4, of: "/", at: server.endpoint, .kept)
            try eventually("somebody had to wait") {
                try value("portico_gil_wait_seconds_total") > 0.01 && value("portico_gil_waits_total") > 10
            }
            #expect(try load.end().faults == 0)
            try server.stop()
        }

        /// A request whose body has not come yet.
        private func unfinishedRequest(_ server: AppServer) throws -> WireConnection {
            let connection = try server.connect()
            try connection.send(
                "POST /1/vote/?token=hunter2 HTTP/1.1\r\nHost: a\r\nCookie: sessionid=hunter2\r\n"
                    + "Expect: 100-continue\r\nContent-Length: 3\r\n"
                    + "Content-Type: application/x-www-form-urlencoded\r\n\r\n")
            #expect(try connection.receive().status == 100)
            return connection
        }

        @Test func answersWhileEveryWorkerIsStopped() throws {
            let server = try AppServer(Self.configuration("  stats: unix:stats.sock"))
            let connection = try unfinishedRequest(server)
            let workers = server.workers
            for worker in workers { kill(worker, SIGSTOP) }
            defer { for worker in workers { kill(worker, SIGCONT) } }
            let status = try ask(server, "GET /status").text
            for worker in workers { #expect(status.contains("\"pid\":\(worker),")) }
            #expect(status.contains("\"method\":\"POST\",\"path\":\"/1/vote/\",\"route\":\"/\""))
            #expect(!status.contains("hunter2"))
            #expect(try ask(server, "GET /livez").status == 200)
            let stats = try WireConnection(.unix(server.folder["stats.sock"])).receiveToEnd()
            #expect(stats.hasPrefix("{\"version\":\"portico-") && stats.contains("\"status\":\"busy\""))
            #expect(stats.contains("REQUEST_URI=/1/vote/\"") && !stats.contains("hunter2"))
            for worker in workers { kill(worker, SIGCONT) }
            try connection.send("a=b")
            #expect(try connection.receive().status == 403)
            try server.stop()
        }

        @Test func readinessTurnsRedWhenItDrains() throws {
            let server = try AppServer(Self.configuration())
            #expect(try ask(server, "GET /readyz").status == 200)
            let connection = try unfinishedRequest(server)
            kill(server.pid, SIGTERM)
            try eventually("it is red") { try ask(server, "GET /readyz").status == 503 }
            #expect(try ask(server, "GET /livez").status == 200)
            try connection.send("a=b")
            #expect(try connection.receive().status == 403)
            #expect(try server.process.waitForEnd() == .exited(0))
            #expect(!server.folder.has("admin.sock"))
        }

        @Test func onTCPNothingIsChangedWithoutAToken() throws {
            for token in [nil, "s3cret"] {
                let more = token.map { "  admin-token: \($0)" } ?? ""
                let port = try FreePort.find()
                let configuration = Self.configuration(more).replacing("unix:admin.sock", with: "127.0.0.1:\(port)")
                let server = try AppServer(configuration)
                let admin = Endpoint.ipv4(port)
                let right = "Authorization: Bearer s3cret"
                #expect(try ask(admin, "POST /stop", []).status == (token == nil ? 403 : 401))
                #expect(
                    try ask(admin, "POST /stop", ["Authorization: Bearer wrong"]).status == (token == nil ? 403 : 401))
                #expect(try ask(admin, "POST /stop", [right, "Origin: http://evil.example"]).status == 403)
                #expect(try ask(admin, "GET /status", []).status == (token == nil ? 200 : 401))
                #expect(try ask(admin, "GET /readyz", []).status == 200)
                // A name that somebody else's DNS leads here.
                #expect(try ask(admin, "GET /status", ["Host: evil.example"]).status == (token == nil ? 421 : 401))
                #expect(try ask(admin, "GET /stop", [right]).status == 405 || token == nil)
                #expect(try ask(admin, "GET /nothing", []).status == 404)
                if token != nil {
                    #expect(try ask(admin, "POST /scale?workers=0", [right]).status == 400)
                    #expect(try ask(admin, "POST /stop", [right]).status == 200)
                    #expect(try server.process.waitForEnd() == .exited(0))
                } else {
                    try server.stop()
                }
            }
        }

        @Test func aSocketFileIsForItsOwnerAndReplacedWhenStale() throws {
            let folder = try Folder()
            try folder.write(Self.configuration(), to: "app.yaml")
            let first = try AppServer(in: folder)
            var found = stat()
            #expect(stat(folder["admin.sock"], &found) == 0 && found.st_mode & 0o777 == 0o600)
            kill(first.pid, SIGKILL)
            _ = try first.process.waitForEnd()
            #expect(folder.has("admin.sock"))
            let second = try AppServer(in: folder)
            #expect(try ask(second, "GET /livez").status == 200)
            try second.stop()
        }

        @Test(.enabled(if: Machine.isRoot, "only root may become another user"))
        func withoutAWritableDirectoryItIsServedWithout() throws {
            let folder = try Folder()
            try folder.write(
                "base: {listen: '127.0.0.1:0', admin: 'unix:admin.sock', routes: [{path: /, respond: pong}]}",
                to: "app.yaml")
            chmod(folder["app.yaml"], 0o644)
            chmod(folder.path, 0o755)
            let server = try AppServer(in: folder, prefix: Users.nobody)
            #expect(try server.get("/").text == "pong")
            let said = server.errors.split(separator: "\n").filter { $0.contains("admin.sock") }
            #expect(said.count == 1 && said[0].contains("serving without it"), "\(server.errors)")
            try server.stop()
        }

        @Test func withoutADirectoryItIsServedWithout() throws {
            let configuration = Self.configuration().replacing("unix:admin.sock", with: "unix:nowhere/admin.sock")
            let server = try AppServer(configuration)
            #expect(try server.get("/ping").status == 200)
            let said = server.errors.split(separator: "\n").filter { $0.contains("nowhere/admin.sock") }
            #expect(said.count == 1 && said[0].contains("serving without it"), "\(server.errors)")
            try server.stop()
        }
    }
}

extension String {
    fileprivate func replacing(_ old: String, with new: String) -> String {
        split(separator: old, omittingEmptySubsequences: false).joined(separator: new)
    }
}
