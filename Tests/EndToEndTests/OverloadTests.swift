import Glibc
import Platform
import Synchronization
import TestSupport
import Testing

extension EndToEnd {
    /// More work than can be done.
    @Suite struct Overload {
        /// Requests that are sent, each on a connection of its own.
        private static func ask(_ count: Int, _ server: AppServer) throws -> [WireConnection] {
            try (0..<count).map { _ in
                let connection = try server.connect()
                try connection.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
                return connection
            }
        }

        /// Answers when there is a file `open`.
        private static let sleeper = """
            import os, time

            def app(environ, start_response):
                print("called")
                while not os.path.exists("open"):
                    time.sleep(0.01)
                start_response("200 OK", [("Content-Length", "2")])
                return [b"ok"]

            """

        /// Who has waited too long for a thread is told so, and the application is not called.
        @Test(arguments: bothModes) func waitingForAThreadHasALimit(_ mode: [String]) throws {
            let server = try Folder.pythonServer(
                Self.sleeper, arguments: mode + ["--threads", "2", "--set", "limits.queue-time=1s"])
            let called = try Self.ask(2, server)
            try eventually("both threads are taken") { server.errors.ranges(of: "called").count == 2 }
            let waiting = try Self.ask(6, server)
            try eventually("all of them wait") {
                try Command.app("status", "--json", "--pid", "\(server.pid)", in: server.folder).output
                    .ranges(of: "\"path\":\"/\"").count == 8
            }
            // Longer than they may.
            usleep(2_000_000)
            try server.folder.write("", to: "open")
            let refused = try waiting.map { try $0.receive() }
            #expect(refused.allSatisfy { $0.status == 503 && $0["retry-after"] == "1" }, "\(refused)")
            for connection in called { #expect(try connection.receive().status == 200) }
            // The next one is served, unless it, too, has to wait so long on a machine that is busy.
            try eventually("it serves") { try server.get("/").status == 200 }
            try server.stop()
            #expect(server.errors.ranges(of: "called").count == 3, "\(server.errors)")
        }

        /// The same where the application runs on the event loop, which it blocks.
        @Test func waitingForTheLoopHasALimit() throws {
            let server = try Folder.pythonServer(
                """
                import os, time

                async def app(scope, receive, send):
                    if scope["type"] != "http":
                        raise NotImplementedError
                    print("called")
                    while not os.path.exists("open"):
                        time.sleep(0.01)
                    await send({"type": "http.response.start", "status": 200, "headers": []})
                    await send({"type": "http.response.body", "body": b"ok"})

                """, arguments: ["--set", "limits.queue-time=1s", "--set", "log.slow=off"])
            let first = try Self.ask(1, server)[0]
            try eventually("it is called") { server.errors.contains("called") }
            let waiting = try Self.ask(4, server)
            // Longer than they may wait.
            usleep(2_000_000)
            try server.folder.write("", to: "open")
            #expect(try first.receive().text == "ok")
            let answers = try waiting.map { try $0.receive() }
            #expect(answers.allSatisfy { $0.status == 503 && $0["retry-after"] == "1" }, "\(answers)")
            try eventually("it serves") { try server.get("/").text == "ok" }
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
