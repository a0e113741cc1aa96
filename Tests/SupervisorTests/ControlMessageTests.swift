import Testing

@testable import Supervisor

@Suite struct ControlMessageTests {
    static let report: WorkerReport = {
        var report = WorkerReport()
        for (index, field) in WorkerReport.fields.enumerated() {
            report[keyPath: field.path] = UInt64.max - UInt64(index)
        }
        return report
    }()

    @Test(
        arguments: [
            .ready, .drain(.stop), .drain(.replace), .unready, .reopenLogs, .failed(""), .retire(.maxRequests),
            .retire(.maxAge),
            .retire(.maxMemory), .retire(.requestStuck("GET /slow/ for 61 s")), .retire(.loopStuck("")),
            .failed("no such table: \"polls\"\nsecond line"), .heartbeat(WorkerReport()),
            .heartbeat(report), .tell("broken swift build failed\nline two"), .tell(""),
        ] as [ControlMessage])
    func survivesTheWay(message: ControlMessage) {
        #expect(ControlMessage(decoding: message.encoded) == message)
        #expect(message.encoded.count <= ControlMessage.maximumLength)
    }

    @Test(arguments: [
        "", " ", "READY", "ready now", "drain 1", "retire", "retire now", "retire max-age x", "heartbeat requests",
        "heartbeat requests=-1", "\u{0}",
    ])
    func ignoresTheUnknown(text: String) {
        #expect(ControlMessage(decoding: Array(text.utf8)) == nil)
    }

    @Test func toleratesNewCounters() {
        var report = WorkerReport()
        report.requests = 7
        #expect(ControlMessage(decoding: Array("heartbeat requests=7 unheard-of=1".utf8)) == .heartbeat(report))
    }

    @Test func cutsLongReasons() {
        let encoded = ControlMessage.failed(String(repeating: "x", count: 100_000)).encoded
        #expect(encoded.count == ControlMessage.maximumLength)
    }
}
