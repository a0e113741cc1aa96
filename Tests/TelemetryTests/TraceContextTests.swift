import Testing

@testable import Telemetry

private let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
private let parent = "00f067aa0ba902b7"

@Suite struct TraceContextTests {
    @Test(arguments: [
        ("00-\(trace)-\(parent)-01", true), ("00-\(trace)-\(parent)-00", false), ("00-\(trace)-\(parent)-ff", true),
        ("cc-\(trace)-\(parent)-01-what-comes-later", true), ("01-\(trace)-\(parent)-02", false),
    ])
    func valid(text: String, isSampled: Bool) throws {
        let context = try #require(TraceContext(parsing: text.utf8))
        #expect(context.traceID == trace && context.parentID == parent && context.isSampled == isSampled)
    }

    @Test(arguments: [
        "", "00", "00-\(trace)-\(parent)", "00-\(trace)-\(parent)-1", "00-\(trace)-\(parent)-01-more",
        "00-\(trace)-\(parent)-01.", "cc-\(trace)-\(parent)-01.", "ff-\(trace)-\(parent)-01",
        "00-\(trace.uppercased())-\(parent)-01", "0G-\(trace)-\(parent)-01", "00-\(trace)-\(parent)-0x",
        "00-00000000000000000000000000000000-\(parent)-01", "00-\(trace)-0000000000000000-01",
        "00_\(trace)_\(parent)_01", "00-\(trace)-\(parent)-01\n", "\"}\n00-\(trace)-\(parent)",
    ])
    func invalid(text: String) {
        #expect(TraceContext(parsing: text.utf8) == nil)
    }
}
