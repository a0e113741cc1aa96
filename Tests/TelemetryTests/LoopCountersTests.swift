import Testing

@testable import Telemetry

@Suite struct LoopCountersTests {
    @Test func counts() {
        let counters = LoopCounters()
        for _ in 0..<3 { counters.connectionAccepted() }
        counters.connectionClosed()
        for status in [100, 200, 204, 301, 404, 500, 599, 0, 999] {
            counters.requestStarted()
            counters.requestFinished(status: status)
        }
        counters.requestStarted()
        counters.received(bytes: 10)
        counters.sent(bytes: 20)
        counters.sent(bytes: -1)
        counters.queueRejected()

        var expected = WorkerCounters()
        expected.requests = 9
        expected.informational = 1
        expected.successful = 2
        expected.redirected = 1
        expected.clientErrors = 1
        expected.serverErrors = 2
        expected.inFlight = 1
        expected.connectionsAccepted = 3
        expected.connectionsOpen = 2
        expected.bytesIn = 10
        expected.bytesOut = 20
        expected.queueRejects = 1
        #expect(counters.snapshot == expected)
        #expect(WorkerCounters.total(of: [expected, WorkerCounters()]) == expected)
        #expect(WorkerCounters.total(of: [expected, expected]).requests == 18)
    }
}
