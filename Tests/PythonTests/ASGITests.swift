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
}
