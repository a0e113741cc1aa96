import HTTP
import Testing

@Suite struct RangeRequestTests {
    @Test(arguments: [
        ("bytes=0-499", 1000, RangeRequest.Resolution.partial([0..<500])), ("bytes=500-", 1000, .partial([500..<1000])),
        ("bytes=-200", 1000, .partial([800..<1000])), ("bytes=-2000", 1000, .partial([0..<1000])),
        ("BYTES=0-0", 1000, .partial([0..<1])), ("bytes=999-5000", 1000, .partial([999..<1000])),
        ("bytes=0-0, -1", 1000, .partial([0..<1, 999..<1000])),
        ("bytes= 0-1 , ,500-501", 1000, .partial([0..<2, 500..<502])),
        ("bytes=500-501,0-1", 1000, .partial([500..<502, 0..<2])),
        ("bytes=0-400,300-500", 1000, .partial([0..<501])),
        ("bytes=0-10,12-20,500-600", 1000, .partial([0..<21, 500..<601])),
        ("bytes=1000-", 1000, .unsatisfiable), ("bytes=-0", 1000, .unsatisfiable), ("bytes=0-", 0, .unsatisfiable),
        ("bytes=-5", 0, .whole), ("bytes=1000-,0-1", 1000, .partial([0..<2])),
        ("bytes=99999999999999999999-", 1000, .unsatisfiable),
        ("bytes=0-99999999999999999999", 1000, .partial([0..<1000])),
    ])
    func resolves(text: String, length: Int, resolution: RangeRequest.Resolution) {
        #expect(RangeRequest(parsing: text)?.resolve(length: length) == resolution)
    }

    @Test(arguments: [
        "", "bytes", "bytes=", "bytes=,", "items=0-5", "bytes=5-4", "bytes=a-b", "bytes=-", "bytes=1", "bytes=0-1,x",
        "bytes=0-1-2", "bytes=+1-2", "bytes =0-1", "bytes=0x1-2",
    ])
    func malformedIsIgnored(text: String) {
        #expect(RangeRequest(parsing: text) == nil)
    }

    @Test func tooManyAreIgnored() {
        let text = "bytes=" + (0..<33).map { "\($0 * 200)-\($0 * 200)" }.joined(separator: ",")
        #expect(RangeRequest(parsing: text)?.resolve(length: 100_000) == .whole)
        #expect(RangeRequest(parsing: text)?.resolve(length: 100_000, limit: 33) != .whole)
    }
}
