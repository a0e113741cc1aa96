import Glibc
import Platform
import Testing

@testable import Telemetry

/// The status memory: what is written is read, also by others, and never half of it.
@Suite struct StatusRegionTests {
    @Test func partsDoNotOverlap() {
        let layout = StatusLayout(loopCount: 3)
        #expect(layout.pool >= layout.routeNames + StatusLayout.routeCapacity * StatusLayout.routeNameWords)
        #expect(layout.firstLoop >= layout.pool + StatusLayout.poolWords)
        #expect(StatusLayout.poolWords >= 16 + HistogramCells.words)
        #expect(StatusLayout.routeWords >= 8 + HistogramCells.words)
        #expect(layout.metrics == layout.firstLoop + 3 * layout.loopWords)
        #expect(layout.size == 8 * (layout.metrics + StatusLayout.metricWords))
    }

    @Test func counts() throws {
        let region = try StatusRegion(loopCount: 1)
        region.setRoutes(["/static/", "/"])
        let loop = region.loops[0]
        for _ in 0..<3 { loop.connectionOpened() }
        loop.connectionClosed()
        for status in [100, 200, 204, 301, 404, 500, 599, 0, 999] {
            loop.requestStarted(waited: 1_000)
            loop.requestFinished(route: 1, status: status, isComplete: status != 0, bytes: 10, nanoseconds: 1_500_000)
        }
        loop.requestStarted(waited: 1_000)
        loop.requestStarted(waited: 1_000)
        loop.requestFinished(route: -1, status: 200, isComplete: true, bytes: 3, nanoseconds: 10)
        loop.turnEnded(at: 5_000, began: 2_000, received: 10, sent: 20)
        region.pool.refused(1)
        loop.requestOverdue()

        let status = region.snapshot()
        var expected = WorkerCounters()
        expected.requests = 10
        expected.informational = 1
        expected.successful = 3
        expected.redirected = 1
        expected.clientErrors = 1
        expected.serverErrors = 2
        expected.inFlight = 1
        expected.connectionsAccepted = 3
        expected.connectionsOpen = 2
        expected.bytesIn = 10
        expected.bytesOut = 20
        expected.queueRejects = 1
        expected.overdue = 1
        expected.turns = 1
        expected.busyNanoseconds = 3_000
        #expect(status.counters == expected)
        #expect(Set(status.routes.keys) == ["/", "-"])
        let route = try #require(status.routes["/"])
        #expect(route.statuses == [2, 1, 2, 1, 1, 2])
        #expect(route.bytes == 90 && route.incomplete == 1)
        #expect(route.durations.count == 9 && route.durations.sum == 9 * 1_500_000)
        #expect(status.durations.count == 10)
        #expect(status.queueTime.count == 11)
        #expect(WorkerCounters.total(of: [expected, WorkerCounters()]) == expected)
        #expect(WorkerCounters.total(of: [expected, expected]).requests == 20)
    }

    @Test func moreRoutesThanRows() throws {
        let region = try StatusRegion(loopCount: 1)
        region.setRoutes((0..<300).map { "/\($0)/" })
        for route in 0..<300 {
            region.loops[0].requestFinished(route: route, status: 200, isComplete: true, bytes: 0, nanoseconds: 0)
        }
        let routes = region.snapshot().routes
        #expect(routes.count == 255)
        #expect(routes["/253/"]?.requests == 1)
        #expect(routes[RouteSnapshot.others]?.requests == 46)
    }

    @Test func listsRequestsInFlight() throws {
        let region = try StatusRegion(loopCount: 1)
        region.setRoutes(["/"])
        let table = region.loops[0].inFlight
        let get = InFlightTable.pack("GET")
        func insert(_ path: String, began: UInt64) -> Int32 {
            Array(path.utf8).withUnsafeBytes { table.insert(began: began, route: 0, id: began, method: get, path: $0) }
        }
        let long = "/" + String(repeating: "é", count: 60)
        let tickets = [("/a", 10), ("/bcdefghijklmnop", 20), ("", 30), ("/12345678", 40), (long, 50)].map {
            insert($0.0, began: UInt64($0.1))
        }
        var listed = region.snapshot().inFlight
        #expect(listed.map(\.began) == [10, 20, 30, 40, 50])
        #expect(listed.map(\.path).prefix(4) == ["/a", "/bcdefghijklmnop", "", "/12345678"])
        #expect(listed[4].path.hasPrefix("/éé") && listed[4].path.hasSuffix("…"))
        #expect(listed.allSatisfy { $0.method == "GET" && $0.route == "/" && $0.id == $0.began })
        table.remove(tickets[1])
        table.remove(InFlightTable.none)
        listed = region.snapshot().inFlight
        #expect(listed.map(\.began) == [10, 30, 40, 50])
        // The freed entry is used again.
        #expect(insert("/again", began: 60) == tickets[1])
        #expect(region.snapshot().inFlight.map(\.path).contains("/again"))
    }

    @Test func aFullTableRefusesAndRecovers() throws {
        let region = try StatusRegion(loopCount: 1)
        let table = region.loops[0].inFlight
        let tickets = (0..<600).map { index in
            table.insert(
                began: 1, route: 0, id: UInt64(index), method: 0, path: UnsafeRawBufferPointer(start: nil, count: 0))
        }
        #expect(tickets.filter { $0 >= 0 }.count == StatusLayout.inFlightCapacity)
        for ticket in tickets { table.remove(ticket) }
        #expect(region.snapshot().inFlight.isEmpty)
    }

    /// A second mapping of the same memory, as another process has one.
    @Test func isReadThroughAnotherMapping() throws {
        let region = try StatusRegion(loopCount: 2)
        let other = try StatusRegion(descriptor: region.duplicateDescriptor())
        other.setRoutes(["/x"])
        other.isReady = true
        other.loops[1].requestStarted(waited: 0)
        other.loops[1].turnBegan(at: 77)
        let status = region.snapshot()
        #expect(status.isReady)
        #expect(status.counters.inFlight == 1)
        #expect(status.loops.map(\.busySince) == [0, 77])
    }

    @Test func foreignMemoryIsRefused() throws {
        func isRefused(_ file: consuming Descriptor) -> Bool {
            do {
                _ = try StatusRegion(descriptor: file)
                return false
            } catch {
                return error is StatusRegion.Mismatch
            }
        }
        for size in [8, StatusLayout.headerWords * 8, 1 << 20] {
            #expect(isRefused(try SharedMemory.makeDescriptor(name: "test", count: size)))
        }
        #expect(throws: SystemError.self) { try SharedMemory(mapping: -1) }
    }

    /// A worker cannot take the memory from under its supervisor, which would be a fault in the supervisor.
    @Test func theSizeIsSealed() throws {
        let region = try StatusRegion(loopCount: 1)
        let file = try region.duplicateDescriptor()
        #expect(ftruncate(file.rawValue, 0) == -1)
        #expect(errno == EPERM)
    }

    @Test func lagIsOfTheLastSeconds() throws {
        let region = try StatusRegion(loopCount: 1)
        let loop = region.loops[0]
        let second: UInt64 = 1_000_000_000
        func lag(at now: UInt64) -> UInt64 { loop.snapshot(routeNames: [], at: now).lag }
        loop.turnEnded(at: 100 * second, began: 100 * second - 5_000, received: 0, sent: 0)
        loop.turnEnded(at: 101 * second, began: 101 * second - 9_000, received: 0, sent: 0)
        loop.turnEnded(at: 102 * second, began: 102 * second - 1_000, received: 0, sent: 0)
        #expect(lag(at: 103 * second) == 9_000)
        // In the next window the last one still counts, then no more.
        loop.turnEnded(at: 111 * second, began: 111 * second - 2_000, received: 0, sent: 0)
        #expect(lag(at: 112 * second) == 9_000)
        #expect(lag(at: 125 * second) == 2_000)
        #expect(lag(at: 140 * second) == 0)
        // A turn that does not end is lag as well.
        loop.turnBegan(at: 140 * second)
        #expect(lag(at: 143 * second) == 3 * second)
    }
}

@Suite struct DurationHistogramTests {
    @Test func boundsAscendAndFitTheCount() {
        #expect(DurationBuckets.bounds.count + 1 == DurationBuckets.count)
        #expect(zip(DurationBuckets.bounds, DurationBuckets.bounds.dropFirst()).allSatisfy { $0 < $1 })
        for wanted: UInt64 in [
            5_000_000, 10_000_000, 25_000_000, 100_000_000, 250_000_000, 1_000_000_000, 10_000_000_000,
        ] {
            #expect(DurationBuckets.bounds.contains(wanted))
        }
    }

    @Test func everyDurationIsInItsBucket() {
        let table = DurationBuckets.table
        var probes: [UInt64] = [0, 1, .max, .max - 1]
        for bound in DurationBuckets.bounds { probes += [bound - 1, bound, bound + 1] }
        for bits in 0..<64 { probes.append(1 << UInt64(bits)) }
        for probe in probes {
            let expected = DurationBuckets.bounds.firstIndex { probe <= $0 } ?? DurationBuckets.count - 1
            #expect(table.index(probe) == expected, "\(probe)")
        }
    }

    @Test func quantiles() throws {
        var histogram = DurationHistogram()
        #expect(histogram.quantile(0.5) == nil)
        let region = try StatusRegion(loopCount: 1)
        for index in 1...100 {
            region.loops[0].requestFinished(
                route: 0, status: 200, isComplete: true, bytes: 0, nanoseconds: UInt64(index) * 1_000_000)
        }
        region.setRoutes(["/"])
        histogram = region.snapshot().durations
        let half = try #require(histogram.quantile(0.5))
        let most = try #require(histogram.quantile(0.99))
        #expect((45_000_000...55_000_000).contains(half))
        #expect((90_000_000...100_000_000).contains(most))
        #expect(histogram.since(histogram).count == 0)
    }
}

@Suite struct StatusBoardTests {
    @Test func whatAWorkerCountedOutlivesIt() throws {
        let board = StatusBoard(loopCount: 1)
        for worker in 1...3 {
            let region = try board.enter(worker: worker, slot: 0, generation: worker).region
            // Routes may change their numbers from one generation to the next.
            region.setRoutes(worker == 2 ? ["/b/", "/a/"] : ["/a/", "/b/"])
            region.loops[0].connectionOpened()
            for _ in 0..<worker {
                region.loops[0].requestStarted(waited: 0)
                region.loops[0].requestFinished(
                    route: worker == 2 ? 1 : 0, status: 200, isComplete: true, bytes: 0, nanoseconds: 5)
            }
            region.loops[0].requestStarted(waited: 0)
            if worker < 3 { board.leave(worker: worker) }
        }
        let readings = board.read()
        #expect(readings.starts == [0: 3])
        #expect(readings.workers.map(\.worker) == [3])
        #expect(readings.past[0]?.counters.requests == 3)
        let total = board.total
        #expect(total.counters.requests == 6)
        #expect(total.counters.successful == 6)
        #expect(total.counters.connectionsAccepted == 3)
        // What a worker had in hand is gone with it.
        #expect(total.counters.inFlight == 1)
        #expect(total.counters.connectionsOpen == 1)
        #expect(total.routes["/a/"]?.requests == 6 && total.routes["/b/"] == nil)
        #expect(board.region(of: 3) != nil && board.region(of: 1) == nil)
        board.leave(worker: 9)
    }
}
