import CoreMetrics
import Logging
import Testing

@testable import Telemetry

@Suite struct StatusDocumentTests {
    /// A server with one worker that has answered a request and has another in hand.
    private func server() throws -> ServerStatus {
        let region = try StatusRegion(loopCount: 1)
        region.setRoutes(["/\"quoted\"\\"])
        region.isReady = true
        let loop = region.loops[0]
        loop.requestStarted(waited: 20_000)
        loop.requestFinished(route: 0, status: 200, isComplete: true, bytes: 7, nanoseconds: 30_000_000)
        loop.requestStarted(waited: 0)
        let path = Array("/reset/NQ/c7x1f-8a3b5c7d9e1f2a4b6c8d/".utf8)
        _ = path.withUnsafeBytes {
            loop.inFlight.insert(began: 1_000_000_000, route: 0, id: 1, method: InFlightTable.pack("GET"), path: $0)
        }
        loop.requestOverdue()
        var status = ServerStatus()
        status.programs = [
            .init(name: "cache", phase: "ready", pid: 77, restarts: 2, isEssential: true, readyFor: 1.5),
            .init(name: "job", phase: "failed", pid: nil, restarts: 4, failures: 5, lastEnd: "exit status 3"),
        ]
        status.phase = "running"
        status.mode = "process"
        status.version = "1"
        status.now = 3_500_000_000
        status.listeners = [
            .init(name: "127.0.0.1:1", queue: 3, limit: 10), .init(name: "unix:/x", queue: nil, limit: nil),
        ]
        status.workers = [
            .init(
                slot: 1, pid: 42, generation: 1, phase: "ready", retiring: nil, age: 5, spawnedAt: 1_700_000_000,
                residentBytes: 1 << 20, virtualBytes: 1 << 21, processorTime: 0.5, status: region.snapshot())
        ]
        return status
    }

    @Test func prometheus() throws {
        let text = String(decoding: PrometheusDocument.text(try server()), as: UTF8.self)
        let route = #"route="/\"quoted\"\\""#
        #expect(text.contains("portico_requests_total{\(route),status=\"2xx\"} 1\n"))
        #expect(text.contains("portico_request_duration_seconds_bucket{\(route),le=\"0.025\"} 0\n"))
        #expect(text.contains("portico_request_duration_seconds_bucket{\(route),le=\"0.05\"} 1\n"))
        #expect(text.contains("portico_request_duration_seconds_sum{\(route)} 0.03\n"))
        #expect(text.contains("portico_requests_in_flight{worker=\"1\",pid=\"42\"} 1\n"))
        #expect(text.contains("portico_requests_overdue_total 1\n"))
        for line in [
            #"phase{program="cache",phase="ready"} 1"#, #"phase{program="cache",phase="failed"} 0"#,
            #"phase{program="job",phase="failed"} 1"#, #"restarts_total{program="cache"} 2"#,
            #"pid{program="cache"} 77"#, #"pid{program="job"} 0"#,
        ] {
            #expect(text.contains("portico_program_\(line)\n"), "\(line)")
        }
        #expect(text.contains("portico_listen_queue{listener=\"127.0.0.1:1\"} 3\n") && !text.contains("unix:/x"))
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            #expect(line.split(separator: " ").last.flatMap { Double($0) } != nil, "\(line)")
        }
    }

    @Test func tokensInPathsAreNotShown() throws {
        for document in [StatusDocument.json(try server()), StatsDocument.json(try server())] {
            let text = String(decoding: document.encoded, as: UTF8.self)
            #expect(text.contains("/reset/NQ/*/") && !text.contains("c7x1f"))
        }
        #expect(PathMask.masked("/static/css/bootstrap.min.css") == "/static/css/bootstrap.min.css")
        #expect(PathMask.masked("/articles/how-to-cook-potatoes/2/") == "/articles/how-to-cook-potatoes/2/")
        #expect(PathMask.masked("/s/3f2504e0-4f89-11d3-9a0c-0305e82c3301") == "/s/*")
    }

    /// Those who read the stats document into integers fail on anything else.
    @Test func statsHaveWholeNumbersOnly() throws {
        func check(_ node: JSONNode) {
            switch node {
            case .number(let value): Issue.record("\(value) is no whole number")
            case .array(let elements): elements.forEach(check)
            case .object(let members): members.forEach { check($0.value) }
            case .text, .integer, .boolean: break
            }
        }
        let document = StatsDocument.json(try server())
        check(document)
        let text = String(decoding: document.encoded, as: UTF8.self)
        #expect(text.contains(#""listen_queue":3"#) && text.contains(#""running_time":30000,"last_spawn":1700000000"#))
        #expect(text.contains(#""harakiri_count":1,"#))
        #expect(text.contains(#""status":"busy""#) && text.contains(#""vars":["REQUEST_METHOD=GET","#))
    }

    @Test func statusSaysHowOldRequestsAre() throws {
        let text = String(decoding: StatusDocument.json(try server()).encoded, as: UTF8.self)
        #expect(text.contains(#""age":2.5,"method":"GET""#))
        #expect(text.contains(#""ready":true"#) && text.contains(#""overdue":1"#))
        #expect(
            text.contains(
                #"{"name":"cache","phase":"ready","pid":77,"restarts":2,"failures":0,"essential":true,"ready-for":1.5},"#
                    + #"{"name":"job","phase":"failed","restarts":4,"failures":5,"essential":false,"#
                    + #""last-end":"exit status 3"}"#))
        var draining = try server()
        draining.phase = "draining"
        #expect(!draining.isReady)
        var starting = try server()
        starting.workers = []
        #expect(!starting.isReady)
    }

    @Test func numbers() {
        let numbers: [(Double, String)] = [
            (0, "0"), (1.5, "1.5"), (-0.25, "-0.25"), (1e-9, "0"), (0.000001, "0.000001"), (3, "3"), (.nan, "0"),
            (123456.789, "123456.789"),
        ]
        for (number, text) in numbers { #expect(DecimalText.number(number) == text) }
    }
}

/// What code of sites counts through swift-metrics.
@Suite struct StatusMetricsTests {
    private func text(_ board: StatusBoard) -> String {
        var text = PrometheusText()
        text.append(board.total.metrics)
        return String(decoding: text.bytes, as: UTF8.self)
    }

    @Test func addsUpOverWorkers() throws {
        let board = StatusBoard(loopCount: 1)
        for worker in 1...2 {
            let region = try board.enter(worker: worker, slot: worker, generation: 1).region
            let factory = StatusMetrics(region, logger: Logger(label: "test"))
            Counter(label: "jobs.done", dimensions: [("kind", "a\"b")], factory: factory).increment(by: 2)
            // Made again, it goes on where it was.
            Counter(label: "jobs.done", dimensions: [("kind", "a\"b")], factory: factory).increment()
            FloatingPointCounter(label: "litres", factory: factory).increment(by: 0.5)
            Gauge(label: "depth", factory: factory).record(worker)
            Meter(label: "level", factory: factory).increment(by: 1.5)
            Recorder(label: "sizes", factory: factory).record(10)
            CoreMetrics.Timer(label: "work", factory: factory).recordMilliseconds(20)
        }
        let both = text(board)
        for line in [
            "jobs_done{kind=\"a\\\"b\"} 6", "litres 1", "depth 3", "level 3", "sizes_sum 20", "sizes_count 2",
            "work_seconds_bucket{le=\"0.01\"} 0", "work_seconds_bucket{le=\"0.025\"} 2", "work_seconds_count 2",
            "# TYPE work_seconds histogram", "# TYPE jobs_done counter", "portico_metrics_dropped_total 0",
        ] {
            #expect(both.split(separator: "\n").contains(Substring(line)), "\(line) is not in\n\(both)")
        }
        board.leave(worker: 1)
        let one = text(board).split(separator: "\n")
        #expect(one.contains("jobs_done{kind=\"a\\\"b\"} 6"), "what was counted stays")
        #expect(one.contains("depth 2"), "what was only true while it lived does not")
    }

    @Test func theTableIsBounded() throws {
        let region = try StatusRegion(loopCount: 1)
        let factory = StatusMetrics(region, logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }))
        for index in 0..<10_000 {
            Counter(label: "many", dimensions: [("n", "\(index)")], factory: factory).increment()
        }
        Counter(label: String(repeating: "x", count: 600), factory: factory).increment()
        let metrics = region.snapshot().metrics
        #expect(metrics.dropped > 0 && metrics.values.count + Int(metrics.dropped) == 10_001)
        #expect(metrics.values.values.allSatisfy { $0 == .count(1) })
    }

    @Test func namesThatCollideAreLeftOut() throws {
        let region = try StatusRegion(loopCount: 1)
        let factory = StatusMetrics(region, logger: Logger(label: "test"))
        Counter(label: "1st.try", factory: factory).increment()
        Counter(label: "twice", factory: factory).increment()
        Gauge(label: "twice", factory: factory).record(9)
        Counter(label: "portico_ready", factory: factory).increment()
        var status = ServerStatus()
        status.workers = [
            .init(
                slot: 1, pid: 1, generation: 1, phase: "ready", retiring: nil, age: 0, spawnedAt: 0, residentBytes: 0,
                virtualBytes: 0, processorTime: 0, status: region.snapshot())
        ]
        let text = String(decoding: PrometheusDocument.text(status), as: UTF8.self).split(separator: "\n")
        #expect(text.contains("_1st_try 1") && text.contains("twice 1"))
        #expect(text.count { $0.hasPrefix("# TYPE twice ") } == 1)
        #expect(text.filter { $0.hasPrefix("portico_ready ") } == ["portico_ready 0"])
    }
}
