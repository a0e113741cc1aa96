import Glibc
import Platform
import Synchronization
import TestSupport
import Testing

extension EndToEnd {
    /// More work than can be done.
    @Suite struct Overload {
        /// The answers to `count` requests that are sent at once, each on a connection of its own.
        private static func answers(_ count: Int, of path: String, _ server: AppServer) throws -> [WireResponse] {
            let connections = try (0..<count).map { _ in try server.connect() }
            for connection in connections {
                try connection.send("GET \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            }
            return try connections.map { try $0.receive() }
        }

        private static let sleeper = """
            import time

            def app(environ, start_response):
                print("called")
                time.sleep(0.5)
                start_response("200 OK", [("Content-Length", "2")])
                return [b"ok"]

            """

        /// Who has waited too long for a thread is told so, and the application is not called.
        @Test(arguments: bothModes) func waitingForAThreadHasALimit(_ mode: [String]) throws {
            let server = try Folder.pythonServer(
                Self.sleeper, arguments: mode + ["--threads", "2", "--set", "limits.queue-time=200ms"])
            let answers = try Self.answers(8, of: "/", server)
            let refused = answers.filter { $0.status == 503 }
            #expect(refused.count == 6 && refused.allSatisfy { $0["retry-after"] == "1" }, "\(answers)")
            #expect(answers.count { $0.status == 200 } == 2)
            // The next one is served.
            #expect(try server.get("/").status == 200)
            try server.stop()
            #expect(server.errors.ranges(of: "called").count == 3, "\(server.errors)")
        }

        /// The same where the application runs on the event loop, which it blocks.
        @Test func waitingForTheLoopHasALimit() throws {
            let server = try Folder.pythonServer(
                """
                import time

                async def app(scope, receive, send):
                    if scope["type"] != "http":
                        raise NotImplementedError
                    print("called")
                    time.sleep(0.5)
                    await send({"type": "http.response.start", "status": 200, "headers": []})
                    await send({"type": "http.response.body", "body": b"ok"})

                """, arguments: ["--set", "limits.queue-time=200ms", "--set", "log.slow=off"])
            let first = try server.connect()
            try first.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            try eventually("it is called") { server.errors.contains("called") }
            let answers = try Self.answers(4, of: "/", server)
            #expect(try first.receive().text == "ok")
            #expect(answers.allSatisfy { $0.status == 503 && $0["retry-after"] == "1" }, "\(answers)")
            #expect(try server.get("/").text == "ok")
            try server.stop()
            #expect(server.errors.ranges(of: "called").count == 2, "\(server.errors)")
        }

        /// A limit that is passed from the start: the log says so, and one at a time is served.
        @Test func shortOfMemoryItServesOneAtATime() throws {
            let server = try AppServer(
                """
                base:
                  listen: 127.0.0.1:0
                  workers: {count: 1}
                  limits: {memory: 1MiB}
                  routes: [{path: /, respond: hello}]
                """)
            for _ in 0..<3 { #expect(try server.get("/", "Connection: close").text == "hello") }
            try server.stop()
            #expect(server.errors.contains("memory: new connections wait from 1MiB of a worker on, as configured"))
            #expect(server.errors.contains("are in use; new connections wait until there is room"), "\(server.errors)")
        }
    }
}
