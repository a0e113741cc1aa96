import Glibc
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Supervisor

/// A supervisor on a thread of its own, with shell scripts as workers; the next generation's script stands in its payload.
///
/// Descriptors in the scripts: `$APP_FDS` names them; the channel comes after the listeners, the payload after that.
private final class Pool: Sendable {
    let commands: SupervisorCommands
    private let result = Mutex<Int32?>(nil)
    private let plan: Mutex<GenerationPlan>
    private let failure = Mutex<String?>(nil)

    /// Runs the script that the payload holds.
    private static let starter = """
        control=${APP_FDS#*control:} control=${control%%,*}
        config=${APP_FDS#*config:} config=${config%%,*}
        script=$(cat /proc/self/fd/$config)
        ready() { eval "printf ready >&$control"; }
        word() { eval "dd bs=4096 count=1 <&$control 2>/dev/null"; }
        eval "$script"
        """

    init(
        _ script: String, listeners: [BoundListener] = [], workers: Int = 2, watched: [String] = [],
        change: (inout SupervisorOptions) -> Void = { _ in }, log: RecordedLog, directory: String
    ) throws {
        var options = SupervisorOptions(workers: workers, start: .seconds(60), drain: .seconds(60))
        options.backoff = .milliseconds(1)
        change(&options)
        let first = GenerationPlan(
            options: options, listeners: listeners.map(\.address), payload: Array(script.utf8), watched: watched)
        plan = Mutex(first)
        commands = try SupervisorCommands()
        try DedicatedThread.start(name: "supervisor") { [self] in
            var setup = SupervisorProcess.Setup(
                program: .init(
                    executable: "/bin/sh", arguments: ["sh", "-c", Self.starter],
                    environment: ["PATH": "/usr/bin:/bin", "DIR": directory]),
                commands: commands, logger: log.logger)
            setup.reapsOrphans = false
            setup.planner = { [self] _ throws(GenerationError) in
                if let reason = failure.withLock({ $0 }) { throw GenerationError(reason) }
                return plan.withLock { $0 }
            }
            let status = try? SupervisorProcess.run(setup, plan: first, listeners: listeners)
            result.withLock { $0 = status ?? -1 }
        }
    }

    /// What the next generation is.
    func change(_ change: (inout GenerationPlan) -> Void) { plan.withLock { change(&$0) } }

    func planFails(_ reason: String?) { failure.withLock { $0 = reason } }

    var snapshot: PoolSnapshot { commands.snapshot }
    var pids: [Int32] { snapshot.workers.compactMap(\.pid) }
    func areReady(_ count: Int, generation: Int) -> Bool {
        snapshot.workers.count == count
            && snapshot.workers.allSatisfy { $0.phase == .ready && $0.generation == generation }
    }

    /// Sends a wish and waits for what becomes of it.
    func send(_ request: SupervisorCommands.Request) throws -> SupervisorCommands.Outcome {
        let outcome = Shared<SupervisorCommands.Outcome?>(nil)
        commands.send(request) { answer in outcome.value.withLock { $0 = answer } }
        return try outcome.waitForValue()
    }

    /// Ends it; its exit status.
    func stop() throws -> Int32 {
        commands.send(.stop)
        try eventually("the end") { result.withLock { $0 != nil } }
        return result.withLock { $0 } ?? -1
    }
}

private final class Shared<Value: Sendable>: Sendable {
    let value: Mutex<Value>
    init(_ value: Value) { self.value = Mutex(value) }
}

extension Shared {
    fileprivate func waitForValue<Wrapped: Sendable>() throws -> Wrapped where Value == Wrapped? {
        try eventually("an outcome") { value.withLock { $0 != nil } }
        return try #require(value.withLock { $0 })
    }
}

/// New generations, with real processes and sockets.
extension SupervisorProcessTests {
    private static let serve = "ready; word >$DIR/said-$APP_WORKER"

    private func pool(
        _ script: String = serve, listeners: [BoundListener] = [], workers: Int = 2, watched: [String] = [],
        change: (inout SupervisorOptions) -> Void = { _ in }
    ) throws -> Pool {
        let pool = try Pool(
            script, listeners: listeners, workers: workers, watched: watched, change: change, log: log,
            directory: directory.path)
        try eventually("the start; \(log.text)") { pool.areReady(workers, generation: 1) }
        return pool
    }

    @Test func bringsInANewGeneration() throws {
        let pool = try pool()
        let before = pool.pids
        #expect(try pool.send(.reload) == .done)
        try eventually("only the new are left") { pool.areReady(2, generation: 2) }
        #expect(Set(pool.pids).isDisjoint(with: before))
        #expect(try pool.stop() == 0)
        #expect(try directory.text(of: "said-id:1,slot:0,generation:1,drain:60000") == "drain replace")
        #expect(try directory.text(of: "said-id:3,slot:0,generation:2,drain:60000") == "drain")
    }

    @Test func keepsTheOldGenerationWhenThePlanFails() throws {
        let pool = try pool()
        let before = pool.pids
        pool.planFails("app.yaml:1:1: nonsense")
        #expect(try pool.send(.reload) == .failed("app.yaml:1:1: nonsense"))
        #expect(pool.pids == before)
        pool.planFails(nil)
        #expect(try pool.send(.reload) == .done)
        #expect(try pool.stop() == 0)
    }

    @Test func keepsTheOldGenerationWhenTheNewDoesNotStart() throws {
        let pool = try pool()
        let before = pool.pids
        pool.change { $0.payload = Array("eval \"printf 'failed no database' >&$control\"; exit 3".utf8) }
        #expect(try pool.send(.reload) == .failed("worker 1 did not start: exit status 3: no database"))
        #expect(pool.pids == before)
        #expect(pool.areReady(2, generation: 1))
        #expect(try pool.stop() == 0)
    }

    @Test func keepsTheOldGenerationWhenReadyNeverComes() throws {
        let pool = try pool()
        let before = pool.pids
        pool.change {
            $0.payload = Array("trap '' TERM; exec sleep 600".utf8)
            $0.options.start = .milliseconds(100)
        }
        guard case .failed(let reason) = try pool.send(.reload) else {
            Issue.record("it did not fail")
            return
        }
        #expect(reason.contains("was not ready within"))
        try eventually("it is gone") { pool.pids == before }
        #expect(try pool.stop() == 0)
    }

    @Test func opensAndClosesListeners() throws {
        func bound(_ address: ListenAddress) throws -> BoundListener { BoundListener(address, try .bind(address)) }
        let kept = try bound(.tcp(host: "127.0.0.1", port: 0))
        let removed = try bound(.unix(path: directory["removed.sock"]))
        let added = ListenAddress.unix(path: directory["added.sock"])
        // Each worker says which sockets it has.
        let script = "readlink /proc/$$/fd/3 /proc/$$/fd/4 >$DIR/sockets-$APP_WORKER; \(Self.serve)"
        let pool = try pool(script, listeners: [kept, removed], workers: 1)
        let inode = kept.socket.descriptor
        pool.change { $0.listeners = [added, kept.address] }
        #expect(try pool.send(.reload) == .done)
        try eventually("the predecessor is gone") { pool.areReady(1, generation: 2) }
        #expect(kept.socket.descriptor == inode)
        #expect(removed.socket.descriptor == -1)
        #expect(access(directory["removed.sock"], F_OK) != 0)
        #expect(access(directory["added.sock"], F_OK) == 0)
        let first = try directory.text(of: "sockets-id:1,slot:0,generation:1,drain:60000").split(separator: "\n")
        let second = try directory.text(of: "sockets-id:2,slot:0,generation:2,drain:60000").split(separator: "\n")
        #expect(first.first == second.last)
        #expect(first.last != second.first)
        #expect(try pool.stop() == 0)
        #expect(access(directory["added.sock"], F_OK) != 0)
    }

    @Test func aListenerThatCannotBeHadChangesNothing() throws {
        let other = try ListeningSocket.bind(.tcp(host: "127.0.0.1", port: 0))
        let port = try #require(other.address.port)
        let pool = try pool(workers: 1)
        let before = pool.pids
        let path = directory["new.sock"]
        pool.change { $0.listeners = [.unix(path: path), .tcp(host: "127.0.0.1", port: port)] }
        guard case .failed(let reason) = try pool.send(.reload) else {
            Issue.record("it did not fail")
            return
        }
        #expect(reason.contains("127.0.0.1:\(port)"))
        #expect(access(path, F_OK) != 0, "what was opened is closed again")
        pool.change { $0.listeners = [.descriptor(0)] }
        guard case .failed = try pool.send(.reload) else {
            Issue.record("it did not fail")
            return
        }
        #expect(pool.pids == before)
        #expect(try pool.stop() == 0)
    }

    @Test func aTouchedFileReloads() throws {
        try directory.write("", to: "touch-me")
        let pool = try pool(workers: 1, watched: [directory["touch-me"]])
        try directory.write("now", to: "touch-me")
        try eventually("the new generation; \(log.text)") { pool.areReady(1, generation: 2) }
        #expect(log.text.contains("touch-me changed"))
        #expect(try pool.stop() == 0)
    }

    @Test func scalesByCommand() throws {
        let pool = try pool(workers: 1)
        #expect(try pool.send(.scale(to: 3)) == .done)
        try eventually("three") { pool.areReady(3, generation: 1) }
        #expect(try pool.send(.scale(to: 1)) == .done)
        try eventually("one") { pool.areReady(1, generation: 1) }
        guard case .refused = try pool.send(.scale(to: 0)) else {
            Issue.record("none is not a number of workers")
            return
        }
        #expect(try pool.stop() == 0)
    }

    @Test func replacesAWorkerThatAsksForIt() throws {
        let script = """
            ready
            if mkdir $DIR/first 2>/dev/null; then eval "printf 'retire max-requests' >&$control"; fi
            word >$DIR/said-$APP_WORKER
            """
        let pool = try Pool(script, workers: 1, log: log, directory: directory.path)
        try eventually("its successor") {
            pool.snapshot.workers.map(\.id) == [WorkerID(2)] && pool.areReady(1, generation: 1)
        }
        #expect(pool.snapshot.respawns == [.maxRequests: 1])
        #expect(try directory.text(of: "said-id:1,slot:0,generation:1,drain:60000") == "drain replace")
        #expect(try pool.stop() == 0)
    }

    @Test func aStoppedWorkerIsReplacedAndKilled() throws {
        let script = """
            ready
            eval "printf heartbeat >&$control"
            if mkdir $DIR/first 2>/dev/null; then kill -STOP $$; fi
            (while :; do sleep 0.02; eval "printf heartbeat >&$control" || exit; done) &
            beating=$!
            word >/dev/null
            kill $beating
            """
        let pool = try Pool(
            script, workers: 1,
            change: {
                $0.stuck = .seconds(4)
                $0.drain = .milliseconds(100)
            }, log: log, directory: directory.path)
        try eventually("its successor; \(log.text)") {
            pool.snapshot.workers.map(\.id) == [WorkerID(2)] && pool.areReady(1, generation: 1)
        }
        #expect(pool.snapshot.respawns == [.loopStuck: 1])
        #expect(log.text.contains("no heartbeat for "))
        #expect(try pool.stop() == 0)
    }

    @Test func anUpgradeNeedsAnExecutable() throws {
        let pool = try pool(workers: 1)
        guard case .failed = try pool.send(.upgrade()) else {
            Issue.record("it did not fail")
            return
        }
        #expect(pool.areReady(1, generation: 1))
        #expect(try pool.stop() == 0)
        #expect(try pool.send(.reload) == .refused("the server has ended"))
    }
}
