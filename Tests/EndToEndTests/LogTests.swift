import Foundation
import Glibc
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// What is written of requests, and where.
    @Suite struct Logs {
        /// A site that takes its time when asked to.
        private static let sleeper = """
            import time

            def app(environ, start_response):
                time.sleep(1.2 if environ["PATH_INFO"] == "/slow" else 0)
                start_response("200 OK", [("Content-Length", "2")])
                return [b"ok"]

            """

        @Test func slowRequestsAreWarnedOf() throws {
            let server = try Folder.pythonServer(Self.sleeper, options: "log: {slow: 1s}")
            let id = "secret-token"
            #expect(try server.get("/slow?token=\(id)").text == "ok")
            #expect(try server.get("/quick?token=\(id)").text == "ok")
            try eventually("the warning") { server.errors.contains("slow request") }
            try server.stop()
            let warnings = server.errors.split(separator: "\n").filter { $0.contains("slow request") }
            #expect(warnings.count == 1)
            let line = try #require(warnings.first)
            expect(
                line,
                shows: ["warning [worker 1]", "method=GET", "path=/slow ", "status=200", "worker=1", "queued=0."],
                hides: [id])
            // The same id as in the access log.
            let request = try #require(line.firstMatch(of: /request-id=([0-9a-f]+)/)).output.1
            #expect(server.log.contains("/slow?token=\(id) HTTP/1.1\" 200 2 \"-\" \"-\" \(request) "))
        }

        /// Whoever is slow to take an answer is not a slow site.
        @Test func aSlowClientIsNotWarnedOf() throws {
            let server = try Folder.pythonServer(Self.sleeper, options: "log: {slow: 1s}")
            let connection = try server.connect()
            try connection.send("POST /quick HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n")
            usleep(1_500_000)
            try connection.send("body")
            #expect(try connection.receive().text == "ok")
            try server.stop()
            #expect(!server.errors.contains("slow request"), "\(server.errors)")
        }

        @Test(arguments: bothModes) func onlyTheStatusesThatAreWanted(_ mode: [String]) throws {
            let folder = try Folder()
            try folder.write(
                """
                base:
                  listen: 127.0.0.1:0
                  workers: {count: 1}
                  log: {access: access.log, statuses: [4xx, 503]}
                  routes:
                    - {path: =/gone, deny: true, status: 410}
                    - {path: =/busy, respond: busy, status: 503}
                    - {path: =/broken, respond: broken, status: 500}
                    - {path: =/, respond: hello}
                """, to: "app.yaml")
            let server = try AppServer(in: folder, mode)
            for path in ["/", "/gone", "/busy", "/broken", "/nothing"] { _ = try server.get(path) }
            try server.stop()
            let lines = try folder.text(of: "access.log").split(separator: "\n")
            #expect(
                lines.map { $0.split(separator: "\"")[1] }.sorted() == [
                    "GET /busy HTTP/1.1", "GET /gone HTTP/1.1", "GET /nothing HTTP/1.1",
                ])
        }

        @Test func linesOfATraceNameIt() throws {
            let server = try AppServer(
                """
                base:
                  listen: 127.0.0.1:0
                  workers: {count: 1}
                  log: {format: json}
                  routes: [{path: /, respond: hello}]
                """)
            let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
            _ = try server.get("/whole", "traceparent: 00-\(trace)-00f067aa0ba902b7-01")
            _ = try server.get("/broken", "traceparent: 00-\(trace)-0000000000000000-01")
            _ = try server.get("/none")
            _ = try server.get(
                "/twice", "traceparent: 00-\(trace)-00f067aa0ba902b7-01", "traceparent: 00-\(trace)-10f067aa0ba902b7-01"
            )
            try server.stop()
            let records = try server.log.split(separator: "\n").filter { $0.hasPrefix("{") }.map { line in
                try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            }
            let byTarget = Dictionary(
                records.compactMap { record in (record["target"] as? String).map { ($0, record) } },
                uniquingKeysWith: { $1 })
            #expect(byTarget.count == 4)
            #expect(byTarget["/whole"]?["trace-id"] as? String == trace)
            #expect(byTarget["/whole"]?["parent-id"] as? String == "00f067aa0ba902b7")
            #expect(byTarget["/whole"]?["sampled"] as? Bool == true)
            for target in ["/broken", "/none", "/twice"] { #expect(byTarget[target]?["trace-id"] == nil, "\(target)") }
        }

        /// As logrotate does it: the file is moved, and USR1 says so. No line is lost, and none is in both.
        @Test(arguments: bothModes) func reopensAfterLogrotate(_ mode: [String]) throws {
            let folder = try Folder()
            try folder.makeDirectory("log")
            try folder.write(
                """
                base:
                  listen: 127.0.0.1:0
                  workers: {count: 2}
                  log: {access: log/access.log}
                  routes: [{path: /, respond: hello}]
                """, to: "app.yaml")
            let server = try AppServer(in: folder, mode)
            let load = try Load(4, of: "/", at: server.endpoint, .kept)
            for number in 1...3 {
                let before = load.now.ok
                try eventually("some requests") { load.now.ok > before + 100 }
                try eventually("their lines") { try !folder.bytes(of: "log/access.log").isEmpty }
                #expect(rename(folder["log/access.log"], folder["log/access.log.\(number)"]) == 0)
                kill(server.pid, SIGUSR1)
                try eventually("a new file with lines") {
                    try folder.has("log/access.log") && !folder.bytes(of: "log/access.log").isEmpty
                }
            }
            // A place that cannot be written to leaves the old file in use.
            #expect(rename(folder["log"], folder["moved"]) == 0)
            kill(server.pid, SIGUSR1)
            try eventually("it says so") {
                server.errors.contains("access log: not reopened, the old file stays in use")
            }
            let counts = try load.end()
            #expect(counts.faults == 0, "\(counts)")
            try server.stop()
            let files = ["access.log", "access.log.1", "access.log.2", "access.log.3"]
            let lines = try files.map { try folder.text(of: "moved/\($0)").split(separator: "\n").count }
            #expect(lines.reduce(0, +) == counts.ok)
            #expect(lines.allSatisfy { $0 > 0 }, "\(lines)")
            #expect(!folder.has("log"))
        }
    }
}
