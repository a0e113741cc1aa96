import Telemetry

/// What `app top` shows of two reports, one after the other: lines no wider and no more than the screen takes.
struct TopScreen {
    let now: ServerReport
    /// The report before, for what changes from one to the next; nil at first.
    let before: ServerReport?
    let width: Int
    let height: Int

    /// Seconds between the two.
    private var interval: Double {
        guard let before, before.pid == now.pid, now.uptime > before.uptime else { return 0 }
        return now.uptime - before.uptime
    }

    /// The screen, line by line.
    var lines: [String] {
        var lines = head
        lines.append("")
        // Both tables have a heading and a line between them; the requests get what is left, and six lines at least.
        let room = max(1, height - lines.count - 2)
        let wanted = now.workers.count
        let shown = wanted <= room - 6 ? wanted : max(1, room - 6)
        lines.append(Self.line(Self.columns.map(\.title)))
        lines += now.workers.prefix(shown).map(row)
        if shown < wanted { lines.append("… and \(wanted - shown) more") }
        lines.append("")
        lines.append("    AGE  W METHOD PATH")
        let slowest = now.inFlight.prefix(max(0, height - lines.count))
        lines += slowest.map(row)
        if slowest.isEmpty { lines.append("         no request in flight") }
        return lines.prefix(height).map { String($0.prefix(width)) }
    }

    private var head: [String] {
        let durations = recent(\.durations)
        let state = now.isReady ? "ready" : "NOT READY"
        var lines = [
            "portico \(now.version)  pid \(now.pid)  \(now.mode)  \(now.phase), \(state)  generation \(now.generation)"
                + "  up \(StatusText.age(now.uptime))",
            "requests \(rate("total"))/s  p50 \(quantile(durations, 0.5))  p99 \(quantile(durations, 0.99))"
                + "  in flight \(now.requests["in-flight"] ?? 0)  4xx \(rate("4xx"))/s  5xx \(rate("5xx"))/s",
            "queue \(now.workers.reduce(0) { $0 + $1.queue })  loops p99 \(quantile(recent(\.loopQueue), 0.99))"
                + "  threads p99 \(quantile(recent(\.threadQueue), 0.99))"
                + "  conns \(now.requests["connections"] ?? 0)  sent \(bytesRate("sent"))/s"
                + "  mem \(StatusText.bytes(now.workers.reduce(0) { $0 + $1.resident }))",
        ]
        if let failure = now.lastFailure { lines.append("the last reload failed: \(failure)") }
        return lines
    }

    private func row(_ worker: ServerReport.Worker) -> String {
        let old = before?.workers.first { $0.pid == worker.pid && $0.slot == worker.slot }
        let requests = old.map { perSecond(worker.requests - $0.requests) } ?? "-"
        // A turn that does not end is in no counter yet.
        let busy =
            old.map { share(max(worker.busy - $0.busy, min(worker.busyFor, interval)) / Double(worker.loops)) } ?? "-"
        let cpu = old.map { share(worker.processorTime - $0.processorTime) } ?? "-"
        return Self.line([
            "\(worker.slot)", "\(worker.pid)", "\(worker.generation)", worker.retiring ?? worker.phase, requests,
            "\(worker.inFlight)", "\(worker.connections)", busy, cpu, "\(worker.queue)", StatusText.time(worker.lag),
            StatusText.bytes(worker.resident), "\(worker.respawns)",
        ])
    }

    /// Eighty columns, as the narrowest terminal has.
    private static let columns: [(title: String, width: Int)] = [
        ("W", 4), ("PID", 7), ("GEN", 4), ("PHASE", -8), ("REQ/S", 7), ("FLIGHT", 6), ("CONNS", 6), ("BUSY", 5),
        ("CPU", 4), ("QUEUE", 5), ("LAG", 5), ("MEM", 4), ("RST", 3),
    ]

    /// Cells below each other; those of a negative width begin at its left.
    private static func line(_ cells: [String]) -> String {
        zip(cells, columns).map { left($0, abs($1.width), alignsRight: $1.width > 0) }.joined(separator: " ")
    }

    private func row(_ request: ServerReport.Request) -> String {
        Self.left(StatusText.time(request.age), 7, alignsRight: true) + " "
            + Self.left("\(request.worker)", 2, alignsRight: true) + " "
            + Self.left(request.method, 6) + " " + Self.visible(request.path)
    }

    // MARK: Numbers

    /// What was counted between the two reports; everything so far at first.
    private func recent(_ histogram: KeyPath<ServerReport, DurationHistogram>) -> DurationHistogram {
        guard let before, before.pid == now.pid else { return now[keyPath: histogram] }
        return now[keyPath: histogram].since(before[keyPath: histogram])
    }

    private func quantile(_ histogram: DurationHistogram, _ share: Double) -> String {
        histogram.quantile(share).map { StatusText.time($0 / 1e9) } ?? "-"
    }

    private func difference(_ name: String) -> Int {
        (now.requests[name] ?? 0) - (before?.requests[name] ?? 0)
    }

    private func rate(_ name: String) -> String { interval > 0 ? perSecond(difference(name)) : "-" }

    private func bytesRate(_ name: String) -> String {
        interval > 0 ? StatusText.bytes(Int(Double(max(0, difference(name))) / interval)) : "-"
    }

    private func perSecond(_ count: Int) -> String {
        guard interval > 0 else { return "-" }
        let rate = Double(max(0, count)) / interval
        return rate < 10 && rate > 0 ? StatusText.decimals(rate, 1) : "\(Int(rate.rounded()))"
    }

    private func share(_ seconds: Double) -> String {
        interval > 0 ? "\(Int((100 * max(0, seconds) / interval).rounded()))%" : "-"
    }

    /// `text` in so many columns, the rest of it left out.
    private static func left(_ text: String, _ columns: Int, alignsRight: Bool = false) -> String {
        let text = String(text.prefix(columns))
        let space = String(repeating: " ", count: columns - text.count)
        return alignsRight ? space + text : text + space
    }

    /// A path comes from a stranger: nothing in it may move the cursor.
    private static func visible(_ text: String) -> String {
        String(text.unicodeScalars.map { $0.value < 0x20 || (0x7F..<0xA0).contains($0.value) ? "?" : Character($0) })
    }
}
