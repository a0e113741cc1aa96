/// Memory that holds what workers that are gone had counted. Nobody writes it but the board it belongs to.
extension StatusRegion {
    /// How many workers a slot has had.
    var starts: Int {
        get { Int(clamping: word(10).value) }
        set { word(10).set(UInt64(clamping: newValue)) }
    }

    /// Adds what a worker that is gone had counted. Routes are told apart by their names: numbers change from one generation
    /// to the next.
    func absorb(_ past: StatusSnapshot) {
        var names = routeNames
        for name in past.routes.keys.sorted() where name != RouteSnapshot.unmatched && name != RouteSnapshot.others {
            if !names.contains(name), names.count < StatusLayout.namedRoutes { names.append(name) }
        }
        setRoutes(names)
        var rows: [Int: RouteSnapshot] = [:]
        for (name, route) in past.routes {
            let number = name == RouteSnapshot.unmatched ? -1 : names.firstIndex(of: name) ?? StatusLayout.otherRoutes
            rows[number, default: RouteSnapshot()].merge(route)
        }
        loops[0].absorb(past, rows)
        pool.absorb(past.threads)
        metrics.absorb(past.metrics)
    }
}

extension LoopStatus {
    /// Adds what others have counted; `routes` by their numbers here.
    func absorb(_ past: StatusSnapshot, _ routes: [Int: RouteSnapshot]) {
        let counters = past.counters
        for (index, amount) in [
            (Word.accepted, counters.connectionsAccepted), (.closed, counters.connectionsAccepted),
            (.started, counters.requests), (.finished, counters.requests), (.bytesIn, counters.bytesIn),
            (.bytesOut, counters.bytesOut), (.turns, counters.turns), (.busyTime, counters.busyNanoseconds),
            (.overdue, counters.overdue),
        ] {
            word(index).add(amount)
        }
        queueTime.absorb(past.queueTime)
        for (number, route) in routes {
            let row = routeRow(number)
            for (index, count) in route.statuses.enumerated() { row.advanced(by: index).add(count) }
            row.advanced(by: 6).add(route.bytes)
            row.advanced(by: 7).add(route.incomplete)
            HistogramCells(UnsafeMutableRawPointer(row.address), 8).absorb(route.durations)
        }
    }
}

extension PoolStatus {
    func absorb(_ past: ThreadsSnapshot) {
        waits.absorb(past.queueTime)
        word(.refused).add(past.refused)
        word(.lockWaits).add(past.lockWaits)
        word(.lockWaitTime).add(past.lockWaitNanoseconds)
    }
}

extension MetricTable {
    func absorb(_ past: UserMetrics) {
        word(1).addShared(past.dropped)
        for (key, value) in past.values {
            guard let place = place(key.kind, key.name, labels: key.labels) else { continue }
            switch value {
            case .count(let count): place.addShared(count)
            case .number(let number): place.addSharedNumber(number)
            case .sum(let count, let sum):
                place.addShared(count)
                place.advanced(by: 1).addSharedNumber(sum)
            case .durations(let durations):
                HistogramCells(UnsafeMutableRawPointer(place.address), 0).absorb(durations)
            }
        }
    }
}
