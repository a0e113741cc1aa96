/// Everything status documents say about a server, at one moment.
public struct ServerStatus: Sendable {
    /// A socket that is listened on.
    public struct Listener: Equatable, Sendable {
        /// `127.0.0.1:8000`, `unix:/run/app.sock`.
        public var name: String
        /// Connections that wait to be accepted, and how many may; nil where the kernel does not say.
        public var queue: Int?
        public var limit: Int?

        public init(name: String, queue: Int?, limit: Int?) {
            self.name = name
            self.queue = queue
            self.limit = limit
        }
    }

    /// A worker.
    public struct Worker: Sendable {
        /// Its place in the pool, from 1.
        public var slot: Int
        public var pid: Int
        public var generation: Int
        /// `starting`, `ready`, `draining`, `killed`.
        public var phase: String
        /// Why it is being replaced.
        public var retiring: String?
        /// Seconds since it was started, and since 1970 when that was.
        public var age: Double
        public var spawnedAt: Int
        /// Bytes.
        public var residentBytes: UInt64
        public var virtualBytes: UInt64
        /// Seconds of CPU time.
        public var processorTime: Double
        /// What it says.
        public var status: StatusSnapshot

        public init(
            slot: Int, pid: Int, generation: Int, phase: String, retiring: String?, age: Double, spawnedAt: Int,
            residentBytes: UInt64, virtualBytes: UInt64, processorTime: Double, status: StatusSnapshot
        ) {
            self.slot = slot
            self.pid = pid
            self.generation = generation
            self.phase = phase
            self.retiring = retiring
            self.age = age
            self.spawnedAt = spawnedAt
            self.residentBytes = residentBytes
            self.virtualBytes = virtualBytes
            self.processorTime = processorTime
            self.status = status
        }
    }

    /// A program beside the workers.
    public struct Program: Equatable, Sendable {
        /// The stations of a program's life.
        public static let phases = [
            "waiting", "starting", "ready", "pausing", "stopping", "finished", "failed", "stopped",
        ]

        public var name: String
        /// One of ``phases``.
        public var phase: String
        /// While it runs.
        public var pid: Int?
        /// How often it was started again.
        public var restarts: Int
        /// Failures in a row.
        public var failures: Int
        public var isEssential: Bool
        /// Seconds since it became ready, while it is.
        public var readyFor: Double?
        /// How it ended the last time.
        public var lastEnd: String?

        public init(
            name: String, phase: String, pid: Int?, restarts: Int, failures: Int = 0, isEssential: Bool = false,
            readyFor: Double? = nil, lastEnd: String? = nil
        ) {
            self.name = name
            self.phase = phase
            self.pid = pid
            self.restarts = restarts
            self.failures = failures
            self.isEssential = isEssential
            self.readyFor = readyFor
            self.lastEnd = lastEnd
        }
    }

    public var version = ""
    public var pid = 0
    public var uid = 0
    public var gid = 0
    public var directory = ""
    /// `process` or `thread`.
    public var mode = ""
    /// `starting`, `running`, `reloading`, `draining`, `ended`.
    public var phase = ""
    public var generation = 1
    /// How many workers there should be.
    public var target = 0
    /// Seconds since 1970.
    public var startedAt = 0
    /// Seconds.
    public var uptime = 0.0
    /// The moment, on the monotonic clock in nanoseconds.
    public var now: UInt64 = 0
    public var reloads = 0
    public var failedReloads = 0
    public var lastFailure: String?
    public var listeners: [Listener] = []
    public var workers: [Worker] = []
    /// In the order of the configuration.
    public var programs: [Program] = []
    /// How many workers were started in another's place, by reason.
    public var respawns: [(reason: String, count: Int)] = []
    /// How often the worker of each slot was started again.
    public var slotRespawns: [Int: Int] = [:]
    /// What the workers before those of now had counted, by slot (from 1).
    public var past: [Int: StatusSnapshot] = [:]

    public init() {}

    /// Whether the server takes requests: it is not about to end, and a worker is ready.
    public var isReady: Bool {
        switch phase {
        case "draining", "ended": false
        default: workers.contains { $0.phase == "ready" && $0.status.isReady }
        }
    }

    /// What was counted since the server exists.
    public var total: StatusSnapshot {
        var total = StatusSnapshot()
        for snapshot in past.values { total.merge(snapshot) }
        for worker in workers { total.merge(worker.status) }
        return total
    }

    /// The numbers of a slot: of its workers now and of all before.
    func slotTotal(_ slot: Int) -> StatusSnapshot {
        var total = past[slot] ?? StatusSnapshot()
        for worker in workers where worker.slot == slot { total.merge(worker.status) }
        return total
    }
}
