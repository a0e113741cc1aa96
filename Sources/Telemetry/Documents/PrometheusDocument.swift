/// The document of `/metrics`: Prometheus' text format 0.0.4.
public enum PrometheusDocument {
    /// The value of `Content-Type`.
    public static let mediaType = "text/plain; version=0.0.4; charset=utf-8"

    /// The bounds that are told, of all that are counted, in nanoseconds.
    private static let bounds: [UInt64] = [
        100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000, 10_000_000, 25_000_000, 50_000_000, 75_000_000,
        100_000_000, 250_000_000, 500_000_000, 750_000_000, 1_000_000_000, 2_500_000_000, 5_000_000_000,
        7_500_000_000, 10_000_000_000, 30_000_000_000, 60_000_000_000,
    ]

    public static func text(_ server: ServerStatus) -> [UInt8] {
        var text = PrometheusText()
        let total = server.total
        describe(server, &text)
        requests(total, &text)
        connections(server, total, &text)
        workers(server, total, &text)
        programs(server.programs, &text)
        text.append(total.metrics)
        return text.bytes
    }

    private static func describe(_ server: ServerStatus, _ text: inout PrometheusText) {
        text.family("portico_build_info", .gauge, "What serves; always 1.")
        text.sample("portico_build_info", [("version", server.version), ("mode", server.mode)], 1.0)
        text.family("portico_start_time_seconds", .gauge, "When the server was started, in seconds since 1970.")
        text.sample("portico_start_time_seconds", [], Double(server.startedAt))
        text.family("portico_ready", .gauge, "1 while requests are welcome, as /readyz says.")
        text.sample("portico_ready", [], server.isReady ? 1.0 : 0.0)
        text.family("portico_generation", .gauge, "The generation of configuration and code that serves.")
        text.sample("portico_generation", [], Double(server.generation))
        text.family("portico_reloads_total", .counter, "Reloads and upgrades, by result.")
        text.sample("portico_reloads_total", [("result", "done")], UInt64(clamping: server.reloads))
        text.sample("portico_reloads_total", [("result", "failed")], UInt64(clamping: server.failedReloads))
    }

    private static func requests(_ total: StatusSnapshot, _ text: inout PrometheusText) {
        let routes = total.routes.sorted { $0.key < $1.key }
        text.family("portico_requests_total", .counter, "Requests answered or given up, by route and class of status.")
        for (name, route) in routes {
            for (index, count) in route.statuses.enumerated() where count > 0 {
                let status = index == 0 ? "none" : "\(index)xx"
                text.sample("portico_requests_total", [("route", name), ("status", status)], count)
            }
        }
        text.family("portico_responses_cut_total", .counter, "Responses that ended before they were complete.")
        for (name, route) in routes { text.sample("portico_responses_cut_total", [("route", name)], route.incomplete) }
        text.family("portico_response_body_bytes_total", .counter, "Bytes of response bodies, without framing.")
        for (name, route) in routes { text.sample("portico_response_body_bytes_total", [("route", name)], route.bytes) }
        text.family("portico_requests_overdue_total", .counter, "Requests whose application had its time.")
        text.sample("portico_requests_overdue_total", [], total.counters.overdue)
        text.family(
            "portico_request_duration_seconds", .histogram,
            "From the end of a request's head to the end of its response.")
        for (name, route) in routes {
            text.histogram("portico_request_duration_seconds", [("route", name)], route.durations, bounds)
        }
        text.family(
            "portico_queue_seconds", .histogram,
            "How long requests waited for their event loop, and synchronous calls for a thread.")
        text.histogram("portico_queue_seconds", [("queue", "loop")], total.queueTime, bounds)
        text.histogram("portico_queue_seconds", [("queue", "threads")], total.threads.queueTime, bounds)
        text.family("portico_queue_refused_total", .counter, "Requests answered 503 because the queue was full.")
        text.sample("portico_queue_refused_total", [], total.threads.refused)
    }

    private static func connections(
        _ server: ServerStatus, _ total: StatusSnapshot, _ text: inout PrometheusText
    ) {
        text.family("portico_connections_accepted_total", .counter, "Connections accepted.")
        text.sample("portico_connections_accepted_total", [], total.counters.connectionsAccepted)
        text.family("portico_received_bytes_total", .counter, "Bytes received from clients.")
        text.sample("portico_received_bytes_total", [], total.counters.bytesIn)
        text.family("portico_sent_bytes_total", .counter, "Bytes sent to clients.")
        text.sample("portico_sent_bytes_total", [], total.counters.bytesOut)
        text.family("portico_listen_queue", .gauge, "Connections that wait to be accepted.")
        for listener in server.listeners {
            if let queue = listener.queue {
                text.sample("portico_listen_queue", [("listener", listener.name)], Double(queue))
            }
        }
    }

    private static func workers(_ server: ServerStatus, _ total: StatusSnapshot, _ text: inout PrometheusText) {
        text.family("portico_workers", .gauge, "Worker processes, by phase.")
        for phase in ["starting", "ready", "draining", "killed"] {
            let count = server.workers.count { $0.phase == phase }
            text.sample("portico_workers", [("phase", phase)], Double(count))
        }
        text.family("portico_workers_wanted", .gauge, "How many workers there should be.")
        text.sample("portico_workers_wanted", [], Double(server.target))
        text.family("portico_worker_respawns_total", .counter, "Workers started in another's place, by reason.")
        for (reason, count) in server.respawns {
            text.sample("portico_worker_respawns_total", [("reason", reason)], UInt64(clamping: count))
        }
        text.family("portico_loop_busy_seconds_total", .counter, "How long event loops were at work.")
        for (slot, status) in slots(server) {
            text.sample(
                "portico_loop_busy_seconds_total", [("worker", slot)], Double(status.counters.busyNanoseconds) / 1e9)
        }
        text.family("portico_gil_wait_seconds_total", .counter, "How long threads waited for Python's lock.")
        for (slot, status) in slots(server) {
            text.sample(
                "portico_gil_wait_seconds_total", [("worker", slot)], Double(status.threads.lockWaitNanoseconds) / 1e9)
        }
        text.family("portico_gil_waits_total", .counter, "How often threads asked for Python's lock.")
        for (slot, status) in slots(server) {
            text.sample("portico_gil_waits_total", [("worker", slot)], status.threads.lockWaits)
        }
        gauges(server, &text)
    }

    /// What each worker that lives does now. Two may serve for one slot: the process id keeps them apart.
    private static func gauges(_ server: ServerStatus, _ text: inout PrometheusText) {
        let families: [(String, String, (ServerStatus.Worker) -> Double)] = [
            ("portico_requests_in_flight", "Requests being answered.", { Double($0.status.counters.inFlight) }),
            ("portico_connections", "Open connections.", { Double($0.status.counters.connectionsOpen) }),
            ("portico_threads", "Threads for synchronous calls.", { Double($0.status.threads.threads) }),
            ("portico_threads_busy", "Threads that run a call.", { Double($0.status.threads.busy) }),
            ("portico_queue_length", "Calls that wait for a thread.", { Double($0.status.threads.queued) }),
            (
                "portico_loop_lag_seconds", "The longest turn of an event loop in the last seconds.",
                { Double($0.status.loops.map(\.lag).max() ?? 0) / 1e9 }
            ),
            ("portico_worker_resident_bytes", "Resident memory.", { Double($0.residentBytes) }),
            ("portico_worker_cpu_seconds", "CPU time of the process.", { $0.processorTime }),
            ("portico_worker_age_seconds", "How long ago the process was started.", { $0.age }),
        ]
        for (name, help, value) in families {
            text.family(name, .gauge, help)
            for worker in server.workers {
                text.sample(name, [("worker", "\(worker.slot)"), ("pid", "\(worker.pid)")], value(worker))
            }
        }
    }

    private static func programs(_ programs: [ServerStatus.Program], _ text: inout PrometheusText) {
        guard !programs.isEmpty else { return }
        text.family("portico_program_phase", .gauge, "1 for the phase that the program is in.")
        for program in programs {
            for phase in ServerStatus.Program.phases {
                text.sample(
                    "portico_program_phase", [("program", program.name), ("phase", phase)],
                    phase == program.phase ? 1.0 : 0.0)
            }
        }
        text.family("portico_program_restarts_total", .counter, "How often the program was started again.")
        for program in programs {
            text.sample(
                "portico_program_restarts_total", [("program", program.name)], UInt64(clamping: program.restarts))
        }
        text.family("portico_program_pid", .gauge, "The program's process id; 0 while it does not run.")
        for program in programs {
            text.sample("portico_program_pid", [("program", program.name)], Double(program.pid ?? 0))
        }
    }

    /// The counts of every slot that has ever had a worker.
    private static func slots(_ server: ServerStatus) -> [(slot: String, status: StatusSnapshot)] {
        Set(server.past.keys).union(server.workers.map(\.slot)).sorted().map { ("\($0)", server.slotTotal($0)) }
    }
}
