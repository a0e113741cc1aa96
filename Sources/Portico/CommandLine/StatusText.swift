import Telemetry

/// A server's status for people.
enum StatusText {
    static func render(_ server: ServerReport) -> String {
        var lines = [
            "portico \(server.version), pid \(server.pid), \(server.mode) mode: \(server.phase)"
                + (server.isReady ? ", takes requests" : ", takes no requests"),
            "up \(age(server.uptime)), generation \(server.generation), \(server.reloads) reloads"
                + (server.failedReloads > 0 ? ", \(server.failedReloads) failed" : ""),
        ]
        if let failure = server.lastFailure { lines.append("the last reload failed: \(failure)") }
        for listener in server.listeners { lines.append("listening on \(listener)") }
        let count = server.requests
        let classes = ["2xx", "3xx", "4xx", "5xx"].map { "\(count[$0] ?? 0) \($0)" }.joined(separator: ", ")
        let overdue = count["overdue"] ?? 0
        lines.append(
            "\(count["total"] ?? 0) requests: \(classes); \(count["in-flight"] ?? 0) in flight"
                + (overdue > 0 ? "; \(overdue) took longer than they may" : ""))
        lines.append(
            "\(count["connections"] ?? 0) connections, \(bytes(count["received"] ?? 0)) received, "
                + "\(bytes(count["sent"] ?? 0)) sent")
        if let half = server.durations.quantile(0.5), let most = server.durations.quantile(0.99) {
            lines.append("half of the requests took at most \(time(half / 1e9)), 99 % at most \(time(most / 1e9))")
        }
        let respawns = server.respawns.filter { $0.1 > 0 }.map { "\($0.1) \($0.0)" }
        if !respawns.isEmpty { lines.append("workers started anew: \(respawns.joined(separator: ", "))") }
        lines.append("")
        lines.append(
            TextTable.render(
                [
                    "WORKER", "PID", "GEN", "PHASE", "AGE", "REQUESTS", "IN FLIGHT", "CONNECTIONS", "QUEUE", "LAG",
                    "MEMORY",
                ],
                server.workers.map(row)))
        if !server.programs.isEmpty {
            lines.append("")
            lines.append(
                TextTable.render(
                    ["PROGRAM", "PID", "PHASE", "RESTARTS", "LAST END"],
                    server.programs.map {
                        [$0.name, $0.pid.map { "\($0)" } ?? "-", $0.phase, "\($0.restarts)", $0.lastEnd ?? "-"]
                    }))
        }
        if !server.inFlight.isEmpty {
            lines.append("")
            lines.append(
                TextTable.render(
                    ["AGE", "WORKER", "METHOD", "PATH", "ROUTE"],
                    server.inFlight.prefix(20).map { [time($0.age), "\($0.worker)", $0.method, $0.path, $0.route] }))
        }
        return lines.joined(separator: "\n")
    }

    private static func row(_ worker: ServerReport.Worker) -> [String] {
        [
            "\(worker.slot)", "\(worker.pid)", "\(worker.generation)", worker.retiring ?? worker.phase, age(worker.age),
            "\(worker.requests)", "\(worker.inFlight)", "\(worker.connections)", "\(worker.queue)", time(worker.lag),
            bytes(worker.resident),
        ]
    }

    /// Seconds as `3d4h`, `2h5m`, `7m12s`, `9s`.
    static func age(_ seconds: Double) -> String {
        let whole = Int(max(0, min(seconds, 1e12)))
        let (days, hours, minutes) = (whole / 86_400, whole / 3600 % 24, whole / 60 % 60)
        if days > 0 { return "\(days)d\(hours)h" }
        if hours > 0 { return "\(hours)h\(minutes)m" }
        if minutes > 0 { return "\(minutes)m\(whole % 60)s" }
        return "\(whole)s"
    }

    /// Seconds as `120µs`, `4.5ms`, `1.20s`, and longer ones as an age.
    static func time(_ seconds: Double) -> String {
        switch seconds {
        case ..<0.001: "\(Int(seconds * 1e6))µs"
        case ..<0.01: "\(decimals(seconds * 1e3, 1))ms"
        case ..<1: "\(Int(seconds * 1e3))ms"
        case ..<10: "\(decimals(seconds, 1))s"
        default: age(seconds)
        }
    }

    /// Bytes as `512B`, `34M`, `1.2G`.
    static func bytes(_ count: Int) -> String {
        var value = Double(max(0, count))
        for unit in ["B", "K", "M", "G"] {
            if value < 1000 {
                return value < 10 && unit != "B" ? "\(decimals(value, 1))\(unit)" : "\(Int(value))\(unit)"
            }
            value /= 1024
        }
        return "\(decimals(value, 1))T"
    }

    static func decimals(_ value: Double, _ digits: Int) -> String {
        let scale = digits == 1 ? 10.0 : 100.0
        let scaled = Int((value * scale).rounded())
        let fraction = String(scaled.magnitude % UInt(scale))
        return "\(scaled / Int(scale)).\(String(repeating: "0", count: digits - fraction.count) + fraction)"
    }
}
