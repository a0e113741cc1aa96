import Telemetry
import Testing
import Web

@testable import Portico

/// What `app top` draws.
@Suite struct TopScreenTests {
    private func report(uptime: Double, requests: Int, workers: Int, inFlight: Int = 0) -> ServerReport {
        var report = ServerReport()
        report.version = "0.1.0"
        report.pid = 4711
        report.mode = "process"
        report.phase = "running"
        report.isReady = true
        report.generation = 1
        report.uptime = uptime
        report.requests = [
            "total": requests * workers, "in-flight": inFlight, "connections": 12, "sent": requests * 1000,
        ]
        report.durations.buckets[20] = UInt64(requests)
        report.workers = (1...workers).map { slot in
            .init(
                slot: slot, pid: 5000 + slot, generation: 1, phase: "ready", age: uptime, requests: requests,
                inFlight: 1,
                connections: 3, threads: 4, busy: uptime / 2, lag: 0.0123, resident: 34 << 20, processorTime: uptime / 4
            )
        }
        report.inFlight = (0..<inFlight).map {
            .init(worker: 1, age: 12.5 - Double($0), method: "GET", path: "/slow/\($0)/\u{1B}[2J", route: "/")
        }
        return report
    }

    @Test func ratesAreOfTheTimeBetween() {
        let screen = TopScreen(
            now: report(uptime: 12, requests: 3000, workers: 2), before: report(uptime: 10, requests: 1000, workers: 2),
            width: 200, height: 24)
        let lines = screen.lines
        #expect(lines[0] == "portico 0.1.0  pid 4711  process  running, ready  generation 1  up 12s")
        #expect(lines[1].hasPrefix("requests 2000/s  p50 "))
        #expect(lines.allSatisfy { $0.count <= 80 }, "nothing is cut on the narrowest terminal")
        #expect(lines.contains("   1    5001    1 ready       1000      1      3   50%  25%     0  12ms  34M   0"))
    }

    @Test func atFirstThereAreNoRates() {
        let lines = TopScreen(now: report(uptime: 12, requests: 3000, workers: 1), before: nil, width: 80, height: 24)
            .lines
        #expect(lines[1].hasPrefix("requests -/s"))
        #expect(lines.contains("         no request in flight"))
    }

    @Test(arguments: [(1, 0), (4, 40), (64, 40), (64, 0)], [(80, 24), (40, 10), (200, 60)])
    func fitsTheScreen(content: (workers: Int, inFlight: Int), size: (width: Int, height: Int)) {
        let now = report(uptime: 12, requests: 3000, workers: content.workers, inFlight: content.inFlight)
        let lines = TopScreen(now: now, before: now, width: size.width, height: size.height).lines
        #expect(lines.count <= size.height)
        #expect(lines.allSatisfy { $0.count <= size.width })
        #expect(!lines.joined().contains("\u{1B}"), "a path moves no cursor")
        if size.height >= 24 {
            #expect(lines.contains { $0.hasPrefix("   W     PID") } && lines.contains { $0.contains("METHOD PATH") })
            if content.inFlight > 0 { #expect(lines.contains { $0.contains("/slow/0/") }) }
        }
    }

    @Test func durationsAndSizesForPeople() {
        let times: [(Double, String)] = [
            (0.0000005, "0µs"), (0.00012, "120µs"), (0.0045, "4.5ms"), (0.25, "250ms"), (1.25, "1.3s"), (75, "1m15s"),
            (7300, "2h1m"), (200_000, "2d7h"),
        ]
        for (seconds, text) in times { #expect(StatusText.time(seconds) == text) }
        let sizes = [(512, "512B"), (2048, "2.0K"), (34 << 20, "34M"), (5 << 30, "5.0G"), (3 << 40, "3.0T")]
        for (count, text) in sizes { #expect(StatusText.bytes(count) == text) }
    }
}

@Suite struct AdminTargetTests {
    @Test func findsListeningAbstractSockets() {
        let table = """
            Num       RefCount Protocol Flags    Type St Inode Path
            0000000000000000: 00000002 00000000 00010000 0001 01 22456 @portico-admin-0-4711
            0000000000000000: 00000003 00000000 00000000 0001 03 22457 @portico-admin-0-4711
            0000000000000000: 00000002 00000000 00010000 0001 01 22458 @portico-admin-1000-12-2
            0000000000000000: 00000002 00000000 00010000 0001 01 22459 @portico-admin-x-1
            0000000000000000: 00000002 00000000 00010000 0001 01 22460 /run/app.sock
            0000000000000000: 00000002 00000000 00010000 0001 01 22461
            """
        #expect(
            AdminTarget.parse(table) == [
                .init(user: 1000, pid: 12, name: "@portico-admin-1000-12-2"),
                .init(user: 0, pid: 4711, name: "@portico-admin-0-4711"),
            ])
    }
}
