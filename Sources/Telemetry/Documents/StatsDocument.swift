/// The document of uWSGI's stats server, for `uwsgitop` and the exporters that read it: whole numbers only, no null.
public enum StatsDocument {
    public static func json(_ server: ServerStatus) -> JSONNode {
        let total = server.total
        let queues = server.listeners.compactMap(\.queue)
        return .object([
            ("version", .text("portico-\(server.version)")),
            ("listen_queue", .integer(queues.reduce(0, +))), ("listen_queue_errors", .integer(0)),
            ("signal_queue", .integer(0)), ("load", .count(total.counters.inFlight)), ("pid", .integer(server.pid)),
            ("uid", .integer(server.uid)), ("gid", .integer(server.gid)), ("cwd", .text(server.directory)),
            ("locks", .array([])), ("sockets", .array(server.listeners.map(socket))),
            ("workers", .array(slots(server).map { worker($0, server) })),
        ])
    }

    private static func socket(_ listener: ServerStatus.Listener) -> JSONNode {
        .object([
            ("name", .text(listener.name)), ("proto", .text("http")), ("queue", .integer(listener.queue ?? 0)),
            ("max_queue", .integer(listener.limit ?? 0)), ("shared", .integer(0)), ("can_offload", .integer(0)),
        ])
    }

    /// One entry a slot: readers keep them apart by their number.
    private static func slots(_ server: ServerStatus) -> [ServerStatus.Worker] {
        let bySlot = Dictionary(grouping: server.workers, by: \.slot)
        return bySlot.keys.sorted().compactMap { slot in
            bySlot[slot]?.max {
                ($0.phase == "ready" ? 1 : 0, $0.spawnedAt) < ($1.phase == "ready" ? 1 : 0, $1.spawnedAt)
            }
        }
    }

    private static func worker(_ worker: ServerStatus.Worker, _ server: ServerStatus) -> JSONNode {
        let slot = server.slotTotal(worker.slot)
        let status = worker.status
        let durations = slot.durations
        let average = durations.count > 0 ? durations.sum / durations.count / 1000 : 0
        return .object([
            ("id", .integer(worker.slot)), ("pid", .integer(worker.pid)),
            ("accepting", .integer(worker.phase == "ready" ? 1 : 0)), ("requests", .count(slot.counters.requests)),
            ("delta_requests", .count(status.counters.requests)), ("exceptions", .count(slot.counters.serverErrors)),
            ("harakiri_count", .count(slot.counters.overdue)), ("signals", .integer(0)), ("signal_queue", .integer(0)),
            ("status", .text(state(worker))), ("rss", .count(worker.residentBytes)),
            ("vsz", .count(worker.virtualBytes)), ("uss", .integer(0)), ("pss", .integer(0)),
            ("running_time", .count(durations.sum / 1000)), ("last_spawn", .integer(worker.spawnedAt)),
            ("respawn_count", .integer((server.slotRespawns[worker.slot] ?? 0) + 1)),
            ("tx", .count(slot.counters.bytesOut)), ("avg_rt", .count(average)),
            (
                "apps",
                .array([
                    .object([
                        ("id", .integer(0)), ("modifier1", .integer(0)), ("mountpoint", .text("")),
                        ("startup_time", .integer(0)), ("requests", .count(slot.counters.requests)),
                        ("exceptions", .count(slot.counters.serverErrors)), ("chdir", .text("")),
                    ])
                ])
            ),
            ("cores", .array(cores(worker, server))),
        ])
    }

    private static func state(_ worker: ServerStatus.Worker) -> String {
        switch worker.phase {
        case "ready": worker.status.counters.inFlight > 0 ? "busy" : "idle"
        case "killed": "sig9"
        case "draining": "pause"
        default: "cheap"
        }
    }

    /// One core for each event loop, with the request that it has had for longest.
    private static func cores(_ worker: ServerStatus.Worker, _ server: ServerStatus) -> [JSONNode] {
        worker.status.loops.enumerated().map { index, loop in
            let oldest = loop.inFlight.min { $0.began < $1.began }
            var variables: [JSONNode] = []
            var info: [(name: String, value: JSONNode)] = []
            if let oldest {
                variables = [
                    .text("REQUEST_METHOD=\(oldest.method)"), .text("REQUEST_URI=\(PathMask.masked(oldest.path))"),
                ]
                let age = server.now > oldest.began ? Double(server.now - oldest.began) / 1e9 : 0
                info = [("request_start", .integer(Int(Double(server.startedAt) + server.uptime - age)))]
            }
            return .object([
                ("id", .integer(index)), ("requests", .count(loop.counters.requests)),
                ("static_requests", .integer(0)), ("routed_requests", .integer(0)),
                ("offloaded_requests", .integer(0)), ("write_errors", .integer(0)), ("read_errors", .integer(0)),
                ("in_request", .integer(loop.counters.inFlight > 0 ? 1 : 0)), ("vars", .array(variables + [.text("")])),
                ("req_info", .object(info)),
            ])
        }
    }
}
