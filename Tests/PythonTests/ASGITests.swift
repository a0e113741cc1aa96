import TestSupport
import Testing

extension Python {
    /// ASGI 3.0: its core, HTTP, WebSocket, lifespan, the extensions, and the event loop.
    @Suite struct ASGI {
        private static let core = ConformanceRun("asgi")
        private static let http = ConformanceRun("http")
        private static let webSocket = ConformanceRun("websocket")
        private static let lifespan = ConformanceRun("lifespan")
        private static let extensions = ConformanceRun("extensions")
        private static let loop = ConformanceRun("loop")
        private static let leaks = ConformanceRun("asgi-leaks")

        @Test(arguments: Conformance.lines("asgi")) func core(line: Conformance.Line) {
            Conformance.expect(line, of: Self.core)
        }

        @Test(arguments: Conformance.lines("http")) func http(line: Conformance.Line) {
            Conformance.expect(line, of: Self.http)
        }

        @Test(arguments: Conformance.lines("websocket")) func webSocket(line: Conformance.Line) {
            Conformance.expect(line, of: Self.webSocket)
        }

        @Test(arguments: Conformance.lines("lifespan")) func lifespan(line: Conformance.Line) {
            Conformance.expect(line, of: Self.lifespan)
        }

        @Test(arguments: Conformance.lines("extensions")) func extensions(line: Conformance.Line) {
            Conformance.expect(line, of: Self.extensions)
        }

        @Test(arguments: Conformance.lines("loop")) func loop(line: Conformance.Line) {
            Conformance.expect(line, of: Self.loop)
        }

        @Test(arguments: Conformance.lines("asgi-leaks")) func leak(line: Conformance.Line) {
            Conformance.expect(line, of: Self.leaks)
        }
    }

    /// The same where one process has all the event loops.
    @Suite struct ASGIInThreadMode {
        private static let core = ConformanceRun("asgi", mode: "thread")
        private static let http = ConformanceRun("http", mode: "thread")
        private static let webSocket = ConformanceRun("websocket", mode: "thread")
        private static let lifespan = ConformanceRun("lifespan", mode: "thread")

        @Test(arguments: Conformance.lines("asgi")) func core(line: Conformance.Line) {
            Conformance.expect(line, of: Self.core)
        }

        @Test(arguments: Conformance.lines("http")) func http(line: Conformance.Line) {
            Conformance.expect(line, of: Self.http)
        }

        @Test(arguments: Conformance.lines("websocket")) func webSocket(line: Conformance.Line) {
            Conformance.expect(line, of: Self.webSocket)
        }

        @Test(arguments: Conformance.lines("lifespan")) func lifespan(line: Conformance.Line) {
            Conformance.expect(line, of: Self.lifespan)
        }
    }

    /// On a uvloop with a thread of its own: what the server does there that it does not do on its own loop. (What the
    /// loop itself can do is uvloop's business, and how it stops or reports is another than asyncio's.)
    @Suite struct ASGIOnUvloop {
        private static func run(_ checklist: String, _ ids: [String] = []) -> ConformanceRun {
            ConformanceRun(
                checklist, client: Conformance.frameworks, interpreter: Conformance.frameworks,
                settings: ["sites.conformance.loop=uvloop"], ids: ids)
        }

        private static let http = run("http")
        private static let webSocket = run("websocket")
        private static let lifespan = run("lifespan")
        private static let loopLines = [
            "interleaving", "tasks", "timers", "threads", "subprocess", "context", "cancel",
        ]
        private static let loop = run("loop", loopLines)

        @Test(arguments: Conformance.lines("http")) func http(line: Conformance.Line) {
            Conformance.expect(line, of: Self.http)
        }

        @Test(arguments: Conformance.lines("websocket")) func webSocket(line: Conformance.Line) {
            Conformance.expect(line, of: Self.webSocket)
        }

        @Test(arguments: Conformance.lines("lifespan")) func lifespan(line: Conformance.Line) {
            Conformance.expect(line, of: Self.lifespan)
        }

        @Test(arguments: Conformance.lines("loop").filter { loopLines.contains($0.id) })
        func loop(line: Conformance.Line) {
            Conformance.expect(line, of: Self.loop)
        }

        @Test func itIsUvloop() throws {
            let folder = try Folder()
            try folder.write(
                """
                import asyncio, threading

                async def app(scope, receive, send):
                    assert scope["type"] == "http"
                    await send({"type": "http.response.start", "status": 200})
                    loop, thread = asyncio.get_running_loop(), threading.current_thread()
                    await send({"type": "http.response.body", "body": f"{type(loop)} {thread.name}".encode()})
                """, to: "app.py")
            try folder.write(
                """
                base:
                  listen: 127.0.0.1:0
                  sites: {one: {python: "app:app", interpreter: \(Conformance.frameworks), loop: uvloop}}
                """, to: "app.yaml")
            let server = try AppServer(in: folder)
            #expect(try server.connect().get("/").text == "<class 'uvloop.Loop'> uvloop")
            try server.stop()
        }
    }
}
