import Config
import Glibc
import Platform
import Supervisor
import Synchronization
import Telemetry

/// Puts together what status documents say: from the supervisor, from the memory of the workers, and from the kernel. No
/// worker is asked.
final class ServerStatusSource: Sendable {
    private let board: StatusBoard
    private let commands: SupervisorCommands
    private let programs: ProgramKeeper?
    private let listeners: Mutex<[ListeningSocket]>
    private let mode: Settings.Workers.Mode
    /// When the server was started, in seconds since 1970, and on the monotonic clock: the process stays when its program is
    /// replaced.
    private let startedAt: Int
    private let started: MonotonicTime

    init(
        board: StatusBoard, commands: SupervisorCommands, programs: ProgramKeeper?, listeners: [ListeningSocket],
        mode: Settings.Workers.Mode
    ) {
        self.board = board
        self.commands = commands
        self.programs = programs
        self.listeners = Mutex(listeners)
        self.mode = mode
        let age = ProcessUsage(pid: getpid())?.age ?? 0
        startedAt = Int(Double(Glibc.time(nil)) - age)
        started = .now() + .milliseconds(-Int64(age * 1000))
    }

    /// The sockets have changed.
    func setListeners(_ listeners: [ListeningSocket]) { self.listeners.withLock { $0 = listeners } }

    /// The pool, and what its workers say of themselves at that time: of two moments, the only one that seems to serve may have
    /// left in between.
    private func readTogether() -> (pool: PoolSnapshot, readings: StatusBoard.Readings) {
        var pool = commands.snapshot
        var readings = board.read()
        for _ in 0..<10 {
            let after = commands.snapshot
            if after == pool { break }
            pool = after
            readings = board.read()
        }
        return (pool, readings)
    }

    /// The server now.
    func read() -> ServerStatus {
        let (pool, readings) = readTogether()
        let now = MonotonicTime.now()
        var status = ServerStatus()
        status.version = Version.number
        status.pid = Int(getpid())
        status.uid = Int(geteuid())
        status.gid = Int(getegid())
        status.directory = Environment.workingDirectory
        status.mode = mode.rawValue
        status.startedAt = startedAt
        status.uptime = Self.seconds(now - started)
        status.now = UInt64(clamping: now.nanoseconds)
        status.phase = pool.phase.rawValue
        status.generation = pool.generation
        status.target = pool.target
        status.reloads = pool.reloads
        status.failedReloads = pool.failedReloads
        status.lastFailure = pool.lastFailure
        status.listeners = listeners.withLock { $0 }.map { listener in
            let queue = ListenQueue(of: listener.descriptor)
            return .init(name: listener.address.description, queue: queue?.length, limit: queue?.limit)
        }
        status.respawns = RespawnReason.allCases.map { ($0.rawValue, pool.respawns[$0] ?? 0) }
        for (slot, starts) in readings.starts { status.slotRespawns[slot + 1] = starts - 1 }
        for (slot, past) in readings.past { status.past[slot + 1] = past }
        let bySnapshot = Dictionary(readings.workers.map { ($0.worker, $0.status) }) { $1 }
        status.workers = pool.workers.map { worker in
            self.worker(worker, bySnapshot[worker.id.number] ?? StatusSnapshot(), now)
        }
        status.programs = (programs?.snapshot ?? []).map { self.program($0, now) }
        if pool.workers.isEmpty, mode == .thread {
            describeThisProcess(&status, readings.workers, now)
        } else {
            // One that is not in the pool any more, or not yet known to be: its counts are part of the whole.
            let known = Set(pool.workers.map(\.id.number))
            for reading in readings.workers where !known.contains(reading.worker) {
                status.past[reading.slot + 1, default: StatusSnapshot()].merge(reading.status.past)
            }
        }
        return status
    }

    private func worker(_ worker: WorkerSnapshot, _ status: StatusSnapshot, _ now: MonotonicTime) -> ServerStatus.Worker
    {
        let usage = worker.pid.flatMap { ProcessUsage(pid: $0) }
        let age = Self.seconds(now - worker.startedAt)
        return .init(
            slot: worker.slot + 1, pid: Int(worker.pid ?? 0), generation: worker.generation,
            phase: worker.phase.rawValue, retiring: worker.retiring?.name, age: age,
            spawnedAt: Int(Double(Glibc.time(nil)) - age), residentBytes: UInt64(usage?.resident ?? 0),
            virtualBytes: UInt64(usage?.virtual ?? 0), processorTime: usage?.processorTime ?? 0, status: status)
    }

    private func program(_ program: ProgramSnapshot, _ now: MonotonicTime) -> ServerStatus.Program {
        .init(
            name: program.name, phase: program.phase, pid: program.pid.map { Int($0) }, restarts: program.restarts,
            failures: program.failures, isEssential: program.isEssential,
            readyFor: program.readySince.map { Self.seconds(now - $0) }, lastEnd: program.lastEnd)
    }

    /// In thread mode this process is the only worker.
    private func describeThisProcess(
        _ status: inout ServerStatus, _ readings: [StatusBoard.Reading], _ now: MonotonicTime
    ) {
        // A successor that is not ready yet stands on the board already.
        guard let reading = readings.min(by: { $0.worker < $1.worker }) else { return }
        let usage = ProcessUsage(pid: getpid())
        let phase = reading.status.isReady ? "ready" : "starting"
        status.target = max(1, status.target)
        status.generation = max(reading.generation, status.generation)
        status.workers = [
            .init(
                slot: 1, pid: Int(getpid()), generation: status.generation, phase: phase, retiring: nil,
                age: status.uptime, spawnedAt: startedAt, residentBytes: UInt64(usage?.resident ?? 0),
                virtualBytes: UInt64(usage?.virtual ?? 0), processorTime: usage?.processorTime ?? 0,
                status: reading.status)
        ]
    }

    private static func seconds(_ duration: Duration) -> Double { Double(duration.wholeNanoseconds) / 1e9 }
}
