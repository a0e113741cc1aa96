import TestSupport
import Testing

/// Python applications in the real binary, one suite after the other, since each starts servers.
@Suite(.serialized, .onThreadsOfItsOwn) enum Python {}

extension Python {
    /// PEP 3333, and applications that fail.
    @Suite struct WSGI {
        private static let process = ConformanceRun("wsgi")
        private static let thread = ConformanceRun("wsgi", mode: "thread")
        private static let faults = ConformanceRun("wsgi-faults")

        @Test(arguments: Conformance.ids("wsgi")) func processMode(line: String) throws {
            try Conformance.expect(line, of: Self.process)
        }

        @Test(arguments: Conformance.ids("wsgi")) func threadMode(line: String) throws {
            try Conformance.expect(line, of: Self.thread)
        }

        @Test(arguments: Conformance.ids("wsgi-faults")) func faults(kind: String) throws {
            try Conformance.expect(kind, of: Self.faults)
        }
    }

    /// ASGI 3.0 and its HTTP protocol.
    @Suite struct ASGI {
        private static let core = ConformanceRun("asgi")
        private static let http = ConformanceRun("http")
        private static let lifespan = ConformanceRun("lifespan")
        private static let extensions = ConformanceRun("extensions")
        private static let coreOfThread = ConformanceRun("asgi", mode: "thread")
        private static let httpOfThread = ConformanceRun("http", mode: "thread")
        private static let lifespanOfThread = ConformanceRun("lifespan", mode: "thread")

        @Test(arguments: Conformance.ids("asgi")) func core(line: String) throws {
            try Conformance.expect(line, of: Self.core)
        }

        @Test(arguments: Conformance.ids("http")) func http(line: String) throws {
            try Conformance.expect(line, of: Self.http)
        }

        @Test(arguments: Conformance.ids("lifespan")) func lifespan(line: String) throws {
            try Conformance.expect(line, of: Self.lifespan)
        }

        @Test(arguments: Conformance.ids("extensions")) func extensions(key: String) throws {
            try Conformance.expect(key, of: Self.extensions)
        }

        @Test(arguments: Conformance.ids("asgi")) func coreInThreadMode(line: String) throws {
            try Conformance.expect(line, of: Self.coreOfThread)
        }

        @Test(arguments: Conformance.ids("http")) func httpInThreadMode(line: String) throws {
            try Conformance.expect(line, of: Self.httpOfThread)
        }

        @Test(arguments: Conformance.ids("lifespan")) func lifespanInThreadMode(line: String) throws {
            try Conformance.expect(line, of: Self.lifespanOfThread)
        }
    }

    /// WebSockets over ASGI.
    @Suite struct WebSocket {
        private static let process = ConformanceRun("websocket")
        private static let thread = ConformanceRun("websocket", mode: "thread")

        @Test(arguments: Conformance.ids("websocket")) func processMode(line: String) throws {
            try Conformance.expect(line, of: Self.process)
        }

        @Test(arguments: Conformance.ids("websocket")) func threadMode(line: String) throws {
            try Conformance.expect(line, of: Self.thread)
        }
    }

    /// The interpreter that applications find themselves in.
    @Suite struct Interpreter {
        private static let process = ConformanceRun("interpreter")

        @Test(arguments: Conformance.ids("interpreter")) func environment(of part: String) throws {
            try Conformance.expect(part, of: Self.process)
        }
    }
}
