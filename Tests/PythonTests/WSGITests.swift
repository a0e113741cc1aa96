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
        private static let leaks = ConformanceRun("wsgi-leaks")

        @Test(arguments: Conformance.lines("wsgi")) func processMode(line: Conformance.Line) {
            Conformance.expect(line, of: Self.process)
        }

        @Test(arguments: Conformance.lines("wsgi")) func threadMode(line: Conformance.Line) {
            Conformance.expect(line, of: Self.thread)
        }

        @Test(arguments: Conformance.lines("wsgi-faults")) func fault(line: Conformance.Line) {
            Conformance.expect(line, of: Self.faults)
        }

        @Test(arguments: Conformance.lines("wsgi-leaks")) func leak(line: Conformance.Line) {
            Conformance.expect(line, of: Self.leaks)
        }
    }
}
