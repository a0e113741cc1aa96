import Platform
import Testing

@testable import Supervisor

@Suite struct SupervisorStateTests {
    // MARK: - Starting

    @Test func startsAllWorkersAndAnnouncesOnce() {
        var simulation = Simulation(workers: 2)
        #expect(simulation.start() == [.spawn(1, slot: 0), .spawn(2, slot: 1)])
        #expect(simulation.ready(2) == [])
        #expect(simulation.state.phase == .starting)
        #expect(simulation.ready(1) == [.announceReady])
        #expect(simulation.state.phase == .running)
        #expect(simulation.state.nextDeadline == nil)
        #expect(simulation.ready(1) == [])
        // A replacement does not announce again.
        #expect(simulation.crash(1) == [.forget(1), .spawn(3, slot: 0)])
        #expect(simulation.ready(3) == [])
    }

    @Test func killsAWorkerThatIsNeverReady() {
        var simulation = Simulation(workers: 1)
        simulation.start()
        #expect(simulation.pass(.milliseconds(59_999)) == [])
        #expect(simulation.pass(.milliseconds(1)) == [.kill(1)])
        #expect(simulation.pass(.seconds(60)) == [])
        #expect(simulation.crash(1) == [.forget(1)])
        #expect(simulation.passToDeadline() == [.spawn(2, slot: 0)])
    }

    @Test func givesUpAtOnceOnAConfigurationError() {
        var simulation = Simulation(workers: 3)
        simulation.start()
        simulation.send(.message(WorkerID(2), .failed("no such site: shop")))
        #expect(simulation.exit(2, 78) == [.forget(2), .kill(1), .kill(3), .closeListeners])
        #expect(simulation.crash(1) == [.forget(1)])
        #expect(simulation.crash(3) == [.forget(3), .exit(78)])
        #expect(simulation.logs.contains { $0.level == .error && $0.message.contains("no such site: shop") })
    }

    @Test(arguments: [(1, 1), (70, 70), (0, 70), (nil, 70)] as [(Int32?, Int32)])
    func givesUpAfterRepeatedFailures(code: Int32?, expected: Int32) {
        var simulation = Simulation(workers: 1)
        simulation.start()
        for attempt in 1...5 {
            if let code { simulation.exit(attempt, code) } else { simulation.crash(attempt, signal: .kill) }
            if attempt < 5 { #expect(simulation.passToDeadline() == [.spawn(attempt + 1, slot: 0)]) }
        }
        #expect(simulation.actions.suffix(2) == [.closeListeners, .exit(expected)])
        #expect(simulation.state.phase == .ended(exitCode: expected))
    }

    /// Where somebody serves meanwhile, one attempt is enough; once it serves itself, it has as many as any.
    @Test func givesUpSoonOnlyUntilAWorkerWasReady() {
        var simulation = Simulation(workers: 1)
        simulation.state.firstAttempts = 1
        simulation.start()
        #expect(simulation.exit(1, 70) == [.forget(1), .closeListeners, .exit(70)])
        simulation = Simulation(workers: 1)
        simulation.state.firstAttempts = 1
        simulation.start()
        simulation.ready(1)
        simulation.crash(1)
        #expect(simulation.exit(2, 70) == [.forget(2)])
        #expect(simulation.passToDeadline() == [.spawn(3, slot: 0)])
    }

    @Test func countsOnFromWhatWasBefore() {
        var beginning = PoolSnapshot()
        beginning.generation = 4
        beginning.reloads = 2
        beginning.failedReloads = 1
        beginning.respawns = [.maxAge: 1]
        let options = SupervisorOptions(workers: 1, start: .seconds(60), drain: .seconds(30))
        var simulation = Simulation(workers: 1)
        simulation.state = SupervisorState(options: options, beginning: beginning)
        #expect(simulation.start() == [.spawn(1, slot: 0, generation: 4)])
        simulation.ready(1)
        simulation.signal(.hangUp)
        simulation.ready(2)
        let snapshot = simulation.state.snapshot
        #expect(snapshot.generation == 5 && snapshot.reloads == 3 && snapshot.failedReloads == 1)
        #expect(snapshot.respawns == [.maxAge: 1, .reload: 1])
    }

    @Test func doesNotGiveUpOnceAWorkerWasReady() {
        var simulation = Simulation(workers: 2)
        simulation.start()
        simulation.ready(1)
        simulation.exit(2, 78)
        for number in 3...20 {
            #expect(simulation.passToDeadline() == [.spawn(number, slot: 1)])
            #expect(simulation.exit(number, 78) == [.forget(number)])
        }
        #expect(simulation.state.phase == .starting)
    }

    @Test func countsFailedSpawns() {
        var simulation = Simulation(workers: 1)
        simulation.spawnsAtOnce = false
        simulation.start()
        let error = SystemError(operation: "start /proc/self/exe", code: 11)
        for number in 1...4 {
            #expect(simulation.send(.spawnFailed(WorkerID(number), error)) == [.forget(number)])
            #expect(simulation.passToDeadline() == [.spawn(number + 1, slot: 0)])
        }
        #expect(
            simulation.send(.spawnFailed(WorkerID(5), error)) == [.forget(5), .closeListeners, .exit(70)])
    }

    @Test func givesUpWhenNobodyServesAnyMore() {
        var simulation = Simulation.running(1) { $0.bootAttempts = 3 }
        simulation.crash(1)
        for number in 2...3 {
            simulation.exit(number, 78)
            simulation.passToDeadline()
        }
        #expect(simulation.exit(4, 78) == [.forget(4), .closeListeners, .exit(78)])
        #expect(simulation.said(.error, "giving up"))
    }

    // MARK: - Restarting

    @Test func backsOffWhileAWorkerKeepsFailing() {
        var simulation = Simulation(workers: 1)
        simulation.start()
        simulation.ready(1)
        var pauses: [Duration] = []
        #expect(simulation.crash(1) == [.forget(1), .spawn(2, slot: 0)])
        for number in 2...10 {
            simulation.ready(number)
            simulation.crash(number)
            let before = simulation.now
            #expect(simulation.passToDeadline() == [.spawn(number + 1, slot: 0)])
            pauses.append(simulation.now - before)
        }
        #expect(
            pauses == [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000].map { Duration.milliseconds($0) })
    }

    @Test func forgivesAStableWorker() {
        var simulation = Simulation(workers: 1)
        simulation.start()
        simulation.ready(1)
        simulation.crash(1)
        simulation.ready(2)
        simulation.crash(2)
        simulation.passToDeadline()
        simulation.ready(3)
        simulation.pass(.seconds(30))
        #expect(simulation.crash(3) == [.forget(3), .spawn(4, slot: 0)])
    }

    @Test func slotsFailIndependently() {
        var simulation = Simulation(workers: 2)
        simulation.start()
        simulation.ready(1)
        simulation.ready(2)
        simulation.crash(1)
        simulation.crash(3)
        #expect(simulation.crash(2) == [.forget(2), .spawn(4, slot: 1)])
        #expect(simulation.passToDeadline() == [.spawn(5, slot: 0)])
    }

    @Test func endsAWorkerThatClosedItsChannelAndStays() {
        var simulation = Simulation(workers: 1)
        simulation.start()
        simulation.ready(1)
        #expect(simulation.send(.channelClosed(WorkerID(1))) == [])
        #expect(simulation.pass(.seconds(2)) == [.kill(1)])
        #expect(simulation.crash(1) == [.forget(1), .spawn(2, slot: 0)])
    }

    @Test func ignoresStrangers() {
        var simulation = Simulation(workers: 1)
        simulation.start()
        simulation.ready(1)
        #expect(simulation.send(.exited(pid: 4711, .exited(1))) == [])
        #expect(simulation.send(.message(WorkerID(99), .ready)) == [])
        #expect(simulation.send(.channelClosed(WorkerID(99))) == [])
        #expect(simulation.send(.spawned(WorkerID(1), pid: 1)) == [])
        #expect(simulation.send(.message(WorkerID(1), .drain(.stop))) == [])
        #expect(simulation.signal(.child) == [])
        #expect(simulation.state.phase == .running)
    }

    @Test func remembersReports() {
        var simulation = Simulation(workers: 1)
        simulation.start()
        simulation.ready(1)
        simulation.now = simulation.now + .seconds(5)
        var report = WorkerReport()
        report.requests = 12
        #expect(simulation.send(.message(WorkerID(1), .heartbeat(report))) == [])
        #expect(simulation.state.workers[WorkerID(1)]?.report == report)
        #expect(simulation.state.workers[WorkerID(1)]?.lastHeard == simulation.now)
    }

    @Test func logFilesAreReopenedByEveryWorker() {
        var simulation = Simulation.running(2)
        #expect(simulation.signal(.user1) == [.tell(WorkerID(1), .reopenLogs), .tell(WorkerID(2), .reopenLogs)])
        #expect(simulation.state.phase == .running)
    }

    @Test func anAnnouncementIsMadeToWhoeverComesLater() {
        var simulation = Simulation.running(1)
        let first = simulation.send(.command(1, .announce("a")))
        #expect(first == [.tell(WorkerID(1), .tell("a")), .answer(1, .done)])
        simulation.send(.command(2, .announce("b")))
        #expect(simulation.crash(1) == [.forget(1), .spawn(2, slot: 0), .tell(WorkerID(2), .tell("b"))])
        // What is merely told is not kept.
        #expect(simulation.send(.command(3, .tell("c"))) == [.tell(WorkerID(2), .tell("c")), .answer(3, .done)])
        #expect(SupervisorState(simulation.state.records)?.announcement == "b")
    }

    // MARK: - Ending

    @Test func servesForAWhileBeforeItDrains() {
        var simulation = Simulation.running(2) { $0.preDrain = .seconds(5) }
        #expect(simulation.signal(.terminate) == [.tell(WorkerID(1), .unready), .tell(WorkerID(2), .unready)])
        #expect(simulation.state.snapshot.phase == .draining)
        // Whoever is lost meanwhile is replaced, and says no at once.
        #expect(simulation.crash(1) == [.forget(1), .spawn(3, slot: 0)])
        #expect(simulation.ready(3) == [.tell(WorkerID(3), .unready)])
        #expect(simulation.pass(.milliseconds(4_999)) == [])
        #expect(simulation.pass(.milliseconds(1)) == [.drain(2), .drain(3), .closeListeners])
        #expect(simulation.exit(2) == [.forget(2)])
        #expect(simulation.exit(3) == [.forget(3), .exit(0)])
    }

    @Test func aSecondSignalDoesNotWaitForThePreDrain() {
        var simulation = Simulation.running(1) { $0.preDrain = .seconds(5) }
        simulation.signal(.terminate)
        #expect(simulation.signal(.terminate) == [.kill(1), .closeListeners])
        #expect(simulation.crash(1) == [.forget(1), .exit(0)])
    }

    @Test(arguments: [Signal.terminate, .interrupt])
    func drainsOnTheFirstSignal(signal: Signal) {
        var simulation = Simulation(workers: 2)
        simulation.start()
        simulation.ready(1)
        simulation.ready(2)
        #expect(simulation.signal(signal) == [.drain(1), .drain(2), .closeListeners])
        #expect(simulation.exit(2) == [.forget(2)])
        #expect(simulation.exit(1) == [.forget(1), .exit(0)])
        #expect(simulation.signal(signal) == [])
    }

    @Test func tellsStartingWorkersByASignalToo() {
        var simulation = Simulation(workers: 1)
        simulation.start()
        #expect(simulation.signal(.terminate) == [.drain(1), .kill(1, .terminate), .closeListeners])
        #expect(simulation.crash(1, signal: .terminate) == [.forget(1), .exit(0)])
        #expect(!simulation.logs.contains { $0.level == .error })
    }

    @Test func drainsAWorkerWhoseProcessAppearsLate() {
        var simulation = Simulation(workers: 1)
        simulation.spawnsAtOnce = false
        simulation.start()
        #expect(simulation.signal(.terminate) == [.closeListeners])
        #expect(simulation.send(.spawned(WorkerID(1), pid: 101)) == [.drain(1), .kill(1, .terminate)])
        #expect(simulation.exit(1) == [.forget(1), .exit(0)])
    }

    @Test func killsAtTheDrainDeadlineAndStillSucceeds() {
        var simulation = Simulation(workers: 3)
        simulation.start()
        for number in 1...3 { simulation.ready(number) }
        simulation.signal(.terminate)
        simulation.exit(2)
        #expect(simulation.pass(.seconds(30)) == [.kill(1), .kill(3)])
        #expect(simulation.logs.contains { $0.message.contains("killing 2 of 3 workers") })
        #expect(simulation.crash(1) == [.forget(1)])
        #expect(simulation.crash(3) == [.forget(3), .exit(0)])
    }

    @Test func killsAtOnceOnTheSecondSignal() {
        var simulation = Simulation(workers: 2)
        simulation.start()
        simulation.ready(1)
        simulation.signal(.interrupt)
        #expect(simulation.signal(.interrupt) == [.kill(1), .kill(2)])
        #expect(simulation.crash(1) == [.forget(1)])
        #expect(simulation.crash(2) == [.forget(2), .exit(0)])
    }

    @Test func doesNotWaitForTheUnkillable() {
        var simulation = Simulation(workers: 1)
        simulation.start()
        simulation.signal(.terminate)
        simulation.signal(.terminate)
        #expect(simulation.passToDeadline() == [.exit(0)])
    }

    @Test func endsAtOnceWhenNothingRuns() {
        var simulation = Simulation(workers: 1)
        simulation.start()
        simulation.exit(1, 1)
        #expect(simulation.signal(.terminate) == [.closeListeners, .exit(0)])
        #expect(simulation.state.nextDeadline == nil)
    }

    @Test func startsNothingWhileDraining() {
        var simulation = Simulation(workers: 2)
        simulation.start()
        simulation.ready(1)
        simulation.ready(2)
        simulation.signal(.terminate)
        #expect(simulation.crash(1) == [.forget(1)])
        #expect(simulation.pass(.seconds(29)) == [])
    }
}
