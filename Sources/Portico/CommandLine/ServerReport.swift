import Telemetry
import Web

/// What a server's `/status` says, as commands show it.
struct ServerReport: Equatable {
    struct Worker: Equatable {
        var slot = 0
        var pid = 0
        var generation = 0
        var phase = ""
        var retiring: String?
        var age = 0.0
        var requests = 0
        var inFlight = 0
        var connections = 0
        var threads = 0
        var threadsBusy = 0
        var queue = 0
        var loops = 1
        var busy = 0.0
        var busyFor = 0.0
        var lag = 0.0
        var resident = 0
        var processorTime = 0.0
        var respawns = 0
    }

    struct Request: Equatable {
        var worker = 0
        var age = 0.0
        var method = ""
        var path = ""
        var route = ""
    }

    struct Program: Equatable {
        var name = ""
        var phase = ""
        var pid: Int?
        var restarts = 0
        var lastEnd: String?
    }

    var version = ""
    var pid = 0
    var mode = ""
    var phase = ""
    var isReady = false
    var generation = 0
    var uptime = 0.0
    var target = 0
    var reloads = 0
    var failedReloads = 0
    var lastFailure: String?
    var listeners: [String] = []
    /// `total`, `1xx`…, `in-flight`, `connections`, `sent`…
    var requests: [String: Int] = [:]
    var durations = DurationHistogram()
    var loopQueue = DurationHistogram()
    var threadQueue = DurationHistogram()
    var respawns: [(String, Int)] = []
    var workers: [Worker] = []
    var programs: [Program] = []
    var inFlight: [Request] = []

    static func == (left: Self, right: Self) -> Bool { left.pid == right.pid && left.workers == right.workers }

    init() {}

    init(_ document: JSONValue) {
        version = document["version"]?.string ?? ""
        pid = document["pid"]?.int ?? 0
        mode = document["mode"]?.string ?? ""
        phase = document["phase"]?.string ?? ""
        isReady = document["ready"] == .bool(true)
        generation = document["generation"]?.int ?? 0
        uptime = document["uptime"]?.double ?? 0
        target = document["target"]?.int ?? 0
        reloads = document["reloads"]?["done"]?.int ?? 0
        failedReloads = document["reloads"]?["failed"]?.int ?? 0
        lastFailure = document["last-failure"]?.string
        listeners = Self.elements(document["listeners"]).map { listener in
            let address = listener["address"]?.string ?? ""
            guard let queue = listener["queue"]?.int, let limit = listener["limit"]?.int else { return address }
            return "\(address) (\(queue) of \(limit) waiting)"
        }
        if case .object(let members)? = document["requests"] {
            for member in members { requests[member.name] = member.value.int }
        }
        durations = Self.histogram(document["durations"])
        loopQueue = Self.histogram(document["loop-queue"])
        threadQueue = Self.histogram(document["thread-queue"])
        if case .object(let members)? = document["respawns"] {
            respawns = members.compactMap { member in member.value.int.map { (member.name, $0) } }
        }
        workers = Self.elements(document["workers"]).map(Self.worker)
        programs = Self.elements(document["programs"]).map { program in
            Program(
                name: program["name"]?.string ?? "", phase: program["phase"]?.string ?? "", pid: program["pid"]?.int,
                restarts: program["restarts"]?.int ?? 0, lastEnd: program["last-end"]?.string)
        }
        inFlight = Self.elements(document["in-flight"]).map { request in
            Request(
                worker: request["worker"]?.int ?? 0, age: request["age"]?.double ?? 0,
                method: request["method"]?.string ?? "", path: request["path"]?.string ?? "",
                route: request["route"]?.string ?? "")
        }
    }

    private static func elements(_ value: JSONValue?) -> [JSONValue] {
        if case .array(let elements)? = value { elements } else { [] }
    }

    private static func histogram(_ value: JSONValue?) -> DurationHistogram {
        var histogram = DurationHistogram()
        for (index, count) in elements(value?["buckets"]).enumerated() where index < DurationBuckets.count {
            histogram.buckets[index] = UInt64(max(0, count.int ?? 0))
        }
        histogram.sum = UInt64(max(0, (value?["seconds"]?.double ?? 0) * 1e9))
        return histogram
    }

    private static func worker(_ value: JSONValue) -> Worker {
        Worker(
            slot: value["slot"]?.int ?? 0, pid: value["pid"]?.int ?? 0, generation: value["generation"]?.int ?? 0,
            phase: value["phase"]?.string ?? "", retiring: value["retiring"]?.string, age: value["age"]?.double ?? 0,
            requests: value["requests"]?.int ?? 0, inFlight: value["in-flight"]?.int ?? 0,
            connections: value["connections"]?.int ?? 0, threads: value["threads"]?.int ?? 0,
            threadsBusy: value["threads-busy"]?.int ?? 0, queue: value["queue"]?.int ?? 0,
            loops: max(1, value["loops"]?.int ?? 1), busy: value["busy"]?.double ?? 0,
            busyFor: value["busy-for"]?.double ?? 0, lag: value["lag"]?.double ?? 0, resident: value["rss"]?.int ?? 0,
            processorTime: value["cpu"]?.double ?? 0, respawns: value["respawns"]?.int ?? 0)
    }
}
