import Glibc
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// One request hangs, fifty are in flight: who is answered, who is freed, what the log says.
    @Suite struct Deadlines {
        /// What the hanging request does.
        struct Hang: CustomTestStringConvertible {
            let name: String
            let code: String
            /// The line that the log shows.
            let line: String
            /// Whether the application can be made to leave.
            let isFreed: Bool
            var testDescription: String { name }

            init(_ name: String, _ code: String, line: String? = nil, isFreed: Bool) {
                self.name = name
                self.code = code
                self.line = line ?? code
                self.isFreed = isFreed
            }

            static let sleep = Hang("time.sleep", "time.sleep(3600)", isFreed: true)
            /// On a thread, a sleep cannot be interrupted.
            static let threadSleep = Hang("time.sleep", "time.sleep(3600)", isFreed: false)
            static let loop = Hang("a loop", "while True: number += 1", isFreed: true)
            /// C code that holds the interpreter's lock, and comes back when its system call is interrupted.
            static let lock = Hang(
                "C code with the interpreter's lock", "ctypes.PyDLL(None).sleep(3600)", isFreed: true)
            static let lockedUp = Hang(
                "a regular expression without end", #"re.match("(a+)+$", "a" * 64 + "b")"#, isFreed: false)
            static let interruptible = Hang(
                "a regular expression without end", #"re.match("(a+)+$", "a" * 64 + "b")"#, isFreed: true)
        }

        private static func wsgi(_ hang: Hang) -> String {
            """
            import ctypes, os, re, time

            def hang():
                number = 0
                \(hang.code)

            def app(environ, start_response):
                if environ["PATH_INFO"] == "/hang":
                    hang()
                while environ["PATH_INFO"] == "/gate" and not os.path.exists("open"):
                    time.sleep(0.01)
                start_response("200 OK", [("Content-Type", "text/plain")])
                return [str(os.getpid()).encode()]

            """
        }

        private static func asgi(_ hang: Hang) -> String {
            """
            import asyncio, ctypes, os, re, time

            async def hang():
                number = 0
                \(hang.code)

            async def app(scope, receive, send):
                assert scope["type"] == "http"
                if scope["path"] == "/hang":
                    await hang()
                while scope["path"] == "/gate" and not os.path.exists("open"):
                    await asyncio.sleep(0.01)
                await send({"type": "http.response.start", "status": 200})
                await send({"type": "http.response.body", "body": str(os.getpid()).encode()})

            """
        }

        /// What leaves has time enough for it on a busy machine; what does not is not waited for.
        private static func server(_ hang: Hang, _ code: String, _ mode: [String], threads: Int = 64) throws
            -> AppServer
        {
            try server(code, mode, threads: threads, grace: hang.isFreed ? "1m" : "500ms")
        }

        private static func server(_ code: String, _ mode: [String], threads: Int = 64, grace: String) throws
            -> AppServer
        {
            let folder = try Folder()
            try folder.write(code, to: "app.py")
            try folder.write(
                """
                base:
                  listen: 127.0.0.1:0
                  workers: {count: 1, threads: \(threads)}
                  sites: {web: {python: 'app:app', interpreter: \(Pythons.system), timeout: off}}
                  routes: [{path: =/hang, site: web, timeout: 300ms}, {path: /, site: web}]
                  timeouts: {grace: \(grace), stuck: 1h, drain: 20s, header: 1h, keep-alive: 1h}
                  log: {access: false}
                  admin: unix:admin.sock
                """, to: "app.yaml")
            return try AppServer(in: folder, mode)
        }

        /// Whether uWSGI's document counts this many requests that had their time.
        private func expectOverdue(_ count: Int, _ server: AppServer) throws {
            let stats = try WireConnection(.unix(server.folder["admin.sock"])).get("/stats").text
            #expect(stats.contains("\"harakiri_count\":\(count),"), "\(stats)")
        }

        /// Requests that are sent, and answered when the gate is opened.
        private final class Crowd {
            private let server: AppServer
            private var connections: [WireConnection] = []

            init(_ count: Int, _ server: AppServer) throws {
                self.server = server
                for _ in 0..<count {
                    let connection = try server.connect()
                    try connection.send("GET /gate HTTP/1.1\r\nHost: a\r\n\r\n")
                    connections.append(connection)
                }
            }

            /// How many get the answer they should.
            func answered() throws -> Int {
                try server.folder.write("", to: "open")
                return connections.count { (try? $0.receive().status) == 200 }
            }
        }

        /// Fifty wait at a gate while one hangs: it is answered 504, and all of the others as if nothing were.
        private func check(_ server: AppServer, _ hang: Hang, loopIsBlocked: Bool = false) throws {
            let pid = try server.get("/").text
            let crowd = try Crowd(50, server)
            let hanging = try server.connect()
            let response = try hanging.get("/hang?password=secret")
            #expect(response.status == 504)
            #expect(response.text.hasPrefix("504 Gateway Timeout\nRequest "))
            try eventually("the stack is in the log; \(server.errors)") {
                server.errors.contains(hang.line) && server.errors.contains("GET /hang ")
            }
            #expect(!server.errors.contains("secret"))
            #expect(server.errors.contains("app.py\", line "))
            let isProcess = server.pid != Int32(pid)
            if hang.isFreed {
                #expect(try crowd.answered() == 50)
                #expect(try server.get("/").text == pid, "the worker goes on")
                #expect(!server.errors.contains("has not left"))
            } else {
                try eventually("it does not leave") { server.errors.contains("GET /hang has not left within 0.50 s") }
                if isProcess { try eventually("another worker serves") { try server.get("/").text != pid } }
                #expect(try crowd.answered() == 50)
                #expect(try server.get("/").status == 200)
            }
            #expect(
                server.errors.split(separator: "\n").count { $0.contains("GET /hang ") && $0.contains("stands at") }
                    == 1)
            try expectOverdue(1, server)
        }

        @Test(arguments: [Hang.threadSleep, .loop, .lock], bothModes)
        func synchronousOnAThread(_ hang: Hang, _ mode: [String]) throws {
            let server = try Self.server(hang, Self.wsgi(hang), mode)
            try check(server, hang)
            let status = try server.terminate()
            #expect(status == .exited(0), "\(server.errors)")
        }

        @Test(arguments: [Hang.sleep, .loop, .lock, .interruptible], bothModes)
        func asynchronousAndBlocking(_ hang: Hang, _ mode: [String]) throws {
            let server = try Self.server(hang, Self.asgi(hang), mode)
            try check(server, hang)
            try server.stop()
        }

        /// A loop that is blocked has not read what comes meanwhile: it is served as soon as the loop is free.
        @Test func synchronousOnTheLoop() throws {
            let server = try Self.server(.sleep, Self.wsgi(.sleep), [], threads: 1)
            try server.folder.write("", to: "open")
            let pid = try server.get("/").text
            // Open before the loop is blocked.
            let kept = try (0..<50).map { _ in try server.connect() }
            for connection in kept { #expect(try connection.get("/").status == 200) }
            let hanging = try server.connect()
            try hanging.send("GET /hang HTTP/1.1\r\nHost: a\r\n\r\n")
            for connection in kept { try connection.send("GET /gate HTTP/1.1\r\nHost: a\r\n\r\n") }
            #expect(try hanging.receive().status == 504)
            for connection in kept { #expect(try connection.receive().status == 200) }
            #expect(try server.get("/").text == pid)
            #expect(server.errors.contains("GET /hang has blocked its event loop"))
            #expect(server.errors.contains("time.sleep(3600)"))
            try expectOverdue(1, server)
            try server.stop()
        }

        /// C code that keeps the loop and heeds no signal: the worker is replaced, and ended with the request in it.
        @Test func synchronousOnTheLoopForEver() throws {
            let hang = Hang("a sum", "sum(range(10 ** 15))", isFreed: false)
            let server = try Self.server(
                hang, Self.wsgi(hang), ["--set", "timeouts.drain=1s", "--set", "timeouts.linger=0s"], threads: 1)
            let pid = try server.get("/").text
            let hanging = try server.connect()
            try hanging.send("GET /hang HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(throws: WireError.noResponse) { try hanging.receive() }
            try eventually("the old one is gone; \(server.errors)") { ProcessTable.isGone(Int32(pid) ?? 0) }
            #expect(server.errors.contains("loop-stuck: GET /hang"), "\(server.errors)")
            #expect(server.errors.contains(hang.line))
            #expect(try server.get("/").text != pid)
            try expectOverdue(1, server)
            try server.stop()
        }

        @Test func aCoroutineIsCancelledAndCleansUp() throws {
            let hang = Hang(
                "await",
                """
                try:
                        await asyncio.sleep(3600)
                    finally:
                        await asyncio.sleep(0)
                        print("cleaned up")
                """, line: "await asyncio.sleep(3600)", isFreed: true)
            let server = try Self.server(hang, Self.asgi(hang), [])
            try check(server, hang)
            try eventually("it cleans up") { server.errors.contains("cleaned up") }
            try server.stop()
        }

        @Test(arguments: bothModes)
        func aCoroutineThatDoesNotListen(_ mode: [String]) throws {
            let hang = Hang(
                "await",
                """
                while not os.path.exists("end"):
                        try:
                            await asyncio.sleep(0.05)
                        except asyncio.CancelledError:
                            pass
                """, line: "await asyncio.sleep(0.05)", isFreed: false)
            let server = try Self.server(hang, Self.asgi(hang), mode)
            try check(server, hang)
            try server.folder.write("", to: "end")
            try server.stop()
        }

        /// A synchronous Swift view cannot be interrupted: its thread is replaced, and its worker.
        @Test(arguments: bothModes)
        func aSwiftViewThatWaitsForItsDatabase(_ mode: [String]) throws {
            let server = try AppServer(
                """
                base:
                  listen: 127.0.0.1:0
                  workers: {count: 1, threads: 1}
                  sites: {polls: {swift: polls, database: polls.sqlite3}}
                  routes: [{path: '~/vote/$', site: polls, timeout: 400ms}, {path: /, site: polls}]
                  timeouts: {grace: 300ms, linger: 0s}
                  log: {access: false}
                """, mode)
            let visitor = try PollsVisitor(server)
            let token = try #require(PollsVisitor.token(in: try visitor.get("/1/").text))
            let lock = try RunningProcess(
                [
                    Pythons.system, "-c",
                    """
                    import sqlite3, time
                    database = sqlite3.connect("polls.sqlite3", isolation_level=None)
                    database.execute("BEGIN IMMEDIATE")
                    print("locked", flush=True)
                    time.sleep(600)
                    """,
                ], in: server.folder.path, environment: [:])
            defer {
                kill(lock.pid, SIGKILL)
                _ = try? lock.waitForEnd()
            }
            try eventually("the database is locked") { lock.output.contains("locked") }
            let response = try visitor.post("/1/vote/", form: "csrfmiddlewaretoken=\(token)&choice=1")
            #expect(response.status == 504)
            try eventually("its stack is in the log") { server.errors.contains("sqlite3_step") }
            #expect(server.errors.contains("POST /1/vote/ took longer than 0.40 s and was answered with 504"))
            try eventually("it does not leave") { server.errors.contains("POST /1/vote/ has not left within 0.30 s") }
            for _ in 0..<20 { #expect(try server.get("/").status == 200) }
            if mode.contains("process") {
                try eventually("its worker is replaced") { server.errors.contains("request-stuck: POST /1/vote/") }
            }
            try server.stop()
        }

        /// What cannot be done: while C code holds the interpreter's lock, nothing else in that process runs Python. The
        /// others are lost with it, and none comes to it any more.
        @Test func whatHoldsTheLockForEver() throws {
            let server = try Self.server(
                .lockedUp, Self.wsgi(.lockedUp), ["--set", "timeouts.drain=1s", "--set", "timeouts.linger=0s"])
            let pid = try server.get("/").text
            let hanging = try server.connect()
            #expect(try hanging.get("/hang").status == 504)
            try eventually("the stack is in the log; \(server.errors)") { server.errors.contains(Hang.lockedUp.line) }
            try eventually("another worker serves") { (try? server.get("/").text).map { $0 != pid } ?? false }
            try eventually("the old one is gone") { ProcessTable.isGone(Int32(pid) ?? 0) }
            for _ in 0..<20 { #expect(try server.get("/").status == 200) }
            try server.stop()
        }

        /// Requests that end just before, at, and just after their limit: an exception meant for one never meets the next.
        @Test(arguments: bothModes)
        func theNextRequestIsNotHit(_ mode: [String]) throws {
            let folder = try Folder()
            try folder.write(
                """
                import time

                def app(environ, start_response):
                    end = time.monotonic() + float(environ["QUERY_STRING"])
                    while time.monotonic() < end:
                        pass
                    start_response("200 OK", [("Content-Type", "text/plain")])
                    return [environ["QUERY_STRING"].encode()]

                """, to: "app.py")
            try folder.write(
                """
                base:
                  listen: 127.0.0.1:0
                  workers: {count: 1, threads: 2}
                  sites: {web: {python: 'app:app', interpreter: \(Pythons.system), timeout: off}}
                  routes: [{path: /limited, site: web, timeout: 80ms}, {path: /, site: web}]
                  timeouts: {grace: 1h}
                  log: {access: false}
                """, to: "app.yaml")
            let server = try AppServer(in: folder, mode)
            let limited = try server.connect()
            let free = try server.connect()
            var counts: [Int: Int] = [:]
            for number in 0..<120 {
                let time = "0.\(60 + number % 40 < 100 ? "0" : "")\(60 + number % 40)"
                try limited.send("GET /limited?\(time) HTTP/1.1\r\nHost: a\r\n\r\n")
                // On the other thread, or next on the same.
                for _ in 0..<2 { #expect(try free.get("/?0.01").text == "0.01") }
                let response = try limited.receive()
                counts[response.status, default: 0] += 1
                if response.status == 200 { #expect(response.text == time) }
                #expect(try limited.get("/?0").text == "0")
            }
            #expect(counts.keys.allSatisfy { $0 == 200 || $0 == 504 }, "\(counts)")
            #expect(counts[504, default: 0] > 0, "\(counts)")
            #expect(!server.errors.contains("the application failed"), "\(server.errors)")
            try server.stop()
        }
    }
}
