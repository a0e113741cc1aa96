/// The document of `/status`: what `app status` and `app top` show.
public enum StatusDocument {
    /// Requests in flight that are listed, the oldest first.
    private static let inFlightLimit = 100

    public static func json(_ server: ServerStatus) -> JSONNode {
        let total = server.total
        var members: [(name: String, value: JSONNode)] = [
            ("version", .text(server.version)), ("pid", .integer(server.pid)), ("mode", .text(server.mode)),
            ("phase", .text(server.phase)), ("ready", .boolean(server.isReady)),
            ("generation", .integer(server.generation)), ("uptime", .number(server.uptime)),
            ("directory", .text(server.directory)), ("target", .integer(server.target)),
            ("reloads", .object([("done", .integer(server.reloads)), ("failed", .integer(server.failedReloads))])),
        ]
        if let failure = server.lastFailure { members.append(("last-failure", .text(failure))) }
        members += [
            ("listeners", .array(server.listeners.map(listener))),
            ("requests", requests(total)),
            ("durations", histogram(total.durations)),
            ("loop-queue", histogram(total.queueTime)),
            ("thread-queue", histogram(total.threads.queueTime)),
            ("respawns", .object(server.respawns.map { ($0.reason, .integer($0.count)) })),
            ("workers", .array(server.workers.map { worker($0, server) })),
            ("programs", .array(server.programs.map(program))),
            ("in-flight", .array(inFlight(server))),
        ]
        return .object(members)
    }

    private static func listener(_ listener: ServerStatus.Listener) -> JSONNode {
        var members: [(name: String, value: JSONNode)] = [("address", .text(listener.name))]
        if let queue = listener.queue { members.append(("queue", .integer(queue))) }
        if let limit = listener.limit { members.append(("limit", .integer(limit))) }
        return .object(members)
    }

    private static func requests(_ total: StatusSnapshot) -> JSONNode {
        let counters = total.counters
        return .object([
            ("total", .count(counters.requests)), ("1xx", .count(counters.informational)),
            ("2xx", .count(counters.successful)), ("3xx", .count(counters.redirected)),
            ("4xx", .count(counters.clientErrors)), ("5xx", .count(counters.serverErrors)),
            ("in-flight", .count(counters.inFlight)), ("connections", .count(counters.connectionsOpen)),
            ("accepted", .count(counters.connectionsAccepted)), ("refused", .count(counters.queueRejects)),
            ("overdue", .count(counters.overdue)),
            ("received", .count(counters.bytesIn)), ("sent", .count(counters.bytesOut)),
        ])
    }

    /// Counts of the buckets whose bounds are those of ``DurationBuckets``, without the empty ones at the end.
    private static func histogram(_ histogram: DurationHistogram) -> JSONNode {
        var buckets = histogram.buckets
        while buckets.last == 0 { buckets.removeLast() }
        return .object([
            ("count", .count(histogram.count)), ("seconds", .seconds(histogram.sum)),
            ("p50", .number((histogram.quantile(0.5) ?? 0) / 1e9)),
            ("p99", .number((histogram.quantile(0.99) ?? 0) / 1e9)),
            ("buckets", .array(buckets.map { .count($0) })),
        ])
    }

    private static func worker(_ worker: ServerStatus.Worker, _ server: ServerStatus) -> JSONNode {
        let status = worker.status
        let busySince = status.loops.map(\.busySince).filter { $0 > 0 }.min()
        var members: [(name: String, value: JSONNode)] = [
            ("slot", .integer(worker.slot)), ("pid", .integer(worker.pid)),
            ("generation", .integer(worker.generation)), ("phase", .text(worker.phase)),
        ]
        if let reason = worker.retiring { members.append(("retiring", .text(reason))) }
        members += [
            ("age", .number(worker.age)), ("requests", .count(status.counters.requests)),
            ("in-flight", .count(status.counters.inFlight)), ("connections", .count(status.counters.connectionsOpen)),
            ("5xx", .count(status.counters.serverErrors)), ("threads", .count(status.threads.threads)),
            ("threads-busy", .count(status.threads.busy)), ("queue", .count(status.threads.queued)),
            ("loops", .integer(status.loops.count)), ("busy", .seconds(status.counters.busyNanoseconds)),
            ("busy-for", .seconds(busySince.map { server.now > $0 ? server.now - $0 : 0 } ?? 0)),
            ("lag", .seconds(status.loops.map(\.lag).max() ?? 0)), ("rss", .count(worker.residentBytes)),
            ("cpu", .number(worker.processorTime)), ("respawns", .integer(server.slotRespawns[worker.slot] ?? 0)),
        ]
        return .object(members)
    }

    private static func program(_ program: ServerStatus.Program) -> JSONNode {
        var members: [(name: String, value: JSONNode)] = [
            ("name", .text(program.name)), ("phase", .text(program.phase)),
        ]
        if let pid = program.pid { members.append(("pid", .integer(pid))) }
        members += [
            ("restarts", .integer(program.restarts)), ("failures", .integer(program.failures)),
            ("essential", .boolean(program.isEssential)),
        ]
        if let time = program.readyFor { members.append(("ready-for", .number(time))) }
        if let end = program.lastEnd { members.append(("last-end", .text(end))) }
        return .object(members)
    }

    private static func inFlight(_ server: ServerStatus) -> [JSONNode] {
        let all = server.workers.flatMap { worker in worker.status.inFlight.map { (worker, $0) } }
        return all.sorted { $0.1.began < $1.1.began }.prefix(inFlightLimit).map { worker, request in
            .object([
                ("worker", .integer(worker.slot)),
                ("age", .seconds(server.now > request.began ? server.now - request.began : 0)),
                ("method", .text(request.method)), ("path", .text(PathMask.masked(request.path))),
                ("route", .text(request.route)),
            ])
        }
    }
}
