import Platform
import Testing

@testable import Supervisor

@Suite struct SupervisorReloadTests {
    // MARK: - One worker at a time

    @Test func replacesOneWorkerAtATime() {
        var simulation = Simulation.running(3)
        #expect(
            simulation.signal(.hangUp) == [.prepare(generation: 2, .reload), .spawn(4, slot: 0, generation: 2)])
        #expect(simulation.ready(4) == [.drain(1, .replace)])
        #expect(simulation.exit(1) == [.forget(1), .spawn(5, slot: 1, generation: 2)])
        #expect(simulation.ready(5) == [.drain(2, .replace)])
        #expect(simulation.exit(2) == [.forget(2), .spawn(6, slot: 2, generation: 2)])
        #expect(simulation.state.snapshot.phase == .reloading)
        #expect(simulation.state.snapshot.generation == 1)
        #expect(simulation.ready(6) == [.drain(3, .replace), .announceGeneration(2), .dropGeneration(1)])
        #expect(simulation.exit(3) == [.forget(3)])
        #expect(simulation.state.snapshot.phase == .running)
        #expect(simulation.state.snapshot.generation == 2)
        #expect(simulation.state.snapshot.reloads == 1)
        #expect(simulation.state.snapshot.respawns == [.reload: 3])
        #expect(simulation.state.nextDeadline == nil)
    }

    @Test func surgeIsHowManyMayLiveMore() {
        var simulation = Simulation.running(4) { $0.surge = 2 }
        simulation.signal(.hangUp)
        #expect(simulation.state.workers.count == 6)
        #expect(simulation.ready(5) == [.drain(1, .replace)])
        #expect(simulation.ready(6) == [.drain(2, .replace)])
        #expect(simulation.exit(2) == [.forget(2), .spawn(7, slot: 2, generation: 2)])
        #expect(simulation.exit(1) == [.forget(1), .spawn(8, slot: 3, generation: 2)])
    }

    @Test func killsAPredecessorThatDoesNotFinish() {
        var simulation = Simulation.running(1) { $0.linger = .seconds(10) }
        simulation.signal(.hangUp)
        simulation.ready(2)
        #expect(simulation.pass(.milliseconds(39_999)) == [])
        #expect(simulation.pass(.milliseconds(1)) == [.kill(1)])
        #expect(simulation.crash(1) == [.forget(1)])
        #expect(simulation.serving == [2])
    }

    // MARK: - Failing

    @Test func keepsTheOldWhenTheNewCannotBePrepared() {
        var simulation = Simulation.running(2)
        simulation.preparesAtOnce = false
        #expect(simulation.send(.command(7, .reload)) == [.prepare(generation: 2, .reload)])
        #expect(
            simulation.send(.preparationFailed(generation: 2, "app.yaml:3:1: no such key"))
                == [.answer(7, .failed("app.yaml:3:1: no such key"))])
        #expect(simulation.said(.error, "generation 1 goes on: app.yaml:3:1: no such key"))
        #expect(simulation.state.snapshot.failedReloads == 1)
        #expect(simulation.state.snapshot.lastFailure == "app.yaml:3:1: no such key")
        #expect(simulation.serving == [1, 2])
        // A number is used once.
        #expect(simulation.signal(.hangUp) == [.prepare(generation: 3, .reload)])
    }

    @Test func keepsTheOldWhenTheFirstNewWorkerDoesNotStart() {
        var simulation = Simulation.running(2)
        simulation.send(.command(7, .reload))
        simulation.send(.message(WorkerID(3), .failed("ImportError: shop")))
        #expect(
            simulation.exit(3, 78) == [
                .forget(3), .answer(7, .failed("worker 1 did not start: exit status 78: ImportError: shop")),
                .dropGeneration(2),
            ])
        #expect(simulation.serving == [1, 2])
        #expect(simulation.state.generation == 1)
        #expect(simulation.state.nextDeadline == nil)
    }

    @Test func keepsTheOldWhenReadyNeverComes() {
        var simulation = Simulation.running(2)
        simulation.send(.command(7, .reload))
        #expect(
            simulation.pass(.seconds(60)) == [
                .kill(3), .answer(7, .failed("worker 1 (pid 103) was not ready within 60.0 seconds")),
                .dropGeneration(2),
            ])
        #expect(simulation.crash(3) == [.forget(3)])
        #expect(simulation.serving == [1, 2])
    }

    @Test func goesBackWorkerByWorkerWhenALaterOneFails() {
        var simulation = Simulation.running(3)
        simulation.send(.command(7, .reload))
        simulation.ready(4)
        #expect(simulation.exit(1) == [.forget(1), .spawn(5, slot: 1, generation: 2)])
        // Two of the old serve, one of the new: that one is replaced by one of the old generation, and serves until then.
        #expect(
            simulation.exit(5, 1) == [
                .forget(5), .answer(7, .failed("worker 2 did not start: exit status 1")),
                .spawn(6, slot: 0, generation: 1),
            ])
        #expect(simulation.serving == [2, 3, 4])
        #expect(simulation.ready(6) == [.drain(4, .replace), .dropGeneration(2)])
        #expect(simulation.exit(4) == [.forget(4)])
        #expect(simulation.serving == [2, 3, 6])
    }

    @Test func theNewWorkerServesOnWhenTheOldGenerationCannotComeBack() {
        var simulation = Simulation.running(2)
        simulation.signal(.hangUp)
        simulation.ready(3)
        simulation.exit(1)
        simulation.exit(4, 1)
        // The code on disk is what fails, whichever generation asks for it.
        for number in 5...8 {
            simulation.exit(number, 1)
            #expect(simulation.serving == [2, 3])
            simulation.passToDeadline()
        }
        simulation.ready(9)
        simulation.exit(3)
        #expect(simulation.serving == [2, 9])
        #expect(simulation.state.phase == .running)
    }

    @Test func aNewGenerationHealsWorkersThatDoNotStart() {
        var simulation = Simulation.running(1)
        simulation.crash(1)
        simulation.exit(2, 1)
        #expect(simulation.serving == [])
        #expect(
            simulation.signal(.hangUp) == [.prepare(generation: 2, .reload), .spawn(3, slot: 0, generation: 2)])
        #expect(simulation.ready(3) == [.announceGeneration(2), .dropGeneration(1)])
    }

    // MARK: - At other times

    @Test func aStormOfReloadsIsTwo() {
        var simulation = Simulation.running(1)
        simulation.preparesAtOnce = false
        for number in 1...100 {
            let actions = simulation.send(.command(number, .reload))
            #expect(actions == (number == 1 ? [.prepare(generation: 2, .reload)] : []))
        }
        simulation.preparesAtOnce = true
        simulation.send(.prepared(generation: 2, simulation.state.options))
        #expect(
            simulation.ready(2) == [
                .drain(1, .replace), .announceGeneration(2), .answer(1, .done), .prepare(generation: 3, .reload),
                .dropGeneration(1),
            ])
        simulation.exit(1)
        let actions = simulation.ready(3)
        for number in 2...100 { #expect(actions.contains(.answer(number, .done))) }
        simulation.exit(2)
        #expect(simulation.serving == [3])
        #expect(simulation.state.pendingWish == nil)
        #expect(simulation.logs.count { $0.message.contains("another will follow") } == 1)
    }

    @Test func waitsForTheStart() {
        var simulation = Simulation(workers: 2)
        simulation.start()
        simulation.ready(1)
        #expect(simulation.signal(.hangUp) == [])
        #expect(simulation.said(.notice, "waits until the workers are ready"))
        #expect(
            simulation.ready(2) == [
                .announceReady, .prepare(generation: 2, .reload), .spawn(3, slot: 0, generation: 2),
            ])
    }

    @Test func doesNotWaitForAStartThatFails() {
        var simulation = Simulation(workers: 2)
        simulation.start()
        simulation.ready(1)
        simulation.exit(2, 1)
        let actions = simulation.signal(.hangUp)
        #expect(actions.first == .prepare(generation: 2, .reload))
        #expect(actions.contains { if case .spawn(_, _, 2) = $0 { true } else { false } })
    }

    @Test func isRefusedWhileDraining() {
        var simulation = Simulation.running(1)
        simulation.signal(.terminate)
        #expect(
            simulation.send(.command(7, .reload)) == [.answer(7, .refused("the server is stopping"))])
        #expect(simulation.signal(.hangUp) == [])
        #expect(simulation.said(.warning, "refused, the server is stopping"))
    }

    @Test func isGivenUpWhenTheServerStops() {
        var simulation = Simulation.running(1)
        simulation.send(.command(7, .reload))
        #expect(
            simulation.signal(.terminate) == [
                .answer(7, .refused("the server is stopping")), .drain(1, .stop), .drain(2, .stop),
                .kill(2, .terminate), .closeListeners,
            ])
        simulation.exit(1)
        #expect(simulation.crash(2, signal: .terminate) == [.forget(2), .exit(0)])
    }

    @Test func whatComesTooLateIsDropped() {
        var simulation = Simulation.running(1)
        simulation.preparesAtOnce = false
        simulation.signal(.hangUp)
        simulation.signal(.terminate)
        #expect(
            simulation.send(.prepared(generation: 2, simulation.state.options)) == [.dropGeneration(2)])
    }

    @Test func aWorkerThatIsLostMeanwhileIsStartedAsWhatIsProven() {
        var simulation = Simulation.running(3)
        simulation.signal(.hangUp)
        // Nothing is known of the new generation yet.
        #expect(simulation.crash(2) == [.forget(2), .spawn(5, slot: 1, generation: 1)])
        simulation.ready(4)
        #expect(simulation.crash(3).contains(.spawn(6, slot: 2, generation: 2)))
    }

    // MARK: - Other numbers

    @Test func bringsMoreWorkersOnceOneIsReady() {
        var simulation = Simulation.running(1)
        simulation.nextOptions = SupervisorOptions(workers: 3, start: .seconds(60), drain: .seconds(30))
        #expect(
            simulation.signal(.hangUp) == [.prepare(generation: 2, .reload), .spawn(2, slot: 0, generation: 2)])
        #expect(
            simulation.ready(2) == [
                .spawn(3, slot: 1, generation: 2), .spawn(4, slot: 2, generation: 2), .drain(1, .replace),
            ])
        simulation.ready(3)
        #expect(simulation.ready(4) == [.announceGeneration(2), .dropGeneration(1)])
        #expect(simulation.state.snapshot.target == 3)
    }

    @Test func letsFewerWorkersGoInTheEnd() {
        var simulation = Simulation.running(3)
        simulation.nextOptions = SupervisorOptions(workers: 1, start: .seconds(60), drain: .seconds(30))
        simulation.signal(.hangUp)
        #expect(
            simulation.ready(4) == [
                .drain(1, .replace), .announceGeneration(2), .drain(2, .replace), .drain(3, .replace),
                .dropGeneration(1),
            ])
        for number in 1...3 { simulation.exit(number) }
        #expect(simulation.serving == [4])
    }

    @Test func aNumberThatWasSetWhileRunningStays() {
        var simulation = Simulation.running(2)
        simulation.signal(.moreWorkers)
        simulation.ready(3)
        simulation.signal(.hangUp)
        simulation.ready(4)
        simulation.exit(1)
        simulation.ready(5)
        simulation.exit(2)
        simulation.ready(6)
        simulation.exit(3)
        #expect(simulation.serving == [4, 5, 6])
    }

    // MARK: - Another program

    @Test func anUpgradeHandsOverInTheEnd() {
        var simulation = Simulation.running(2)
        #expect(simulation.signal(.user2).first == .prepare(generation: 2, .upgrade(executable: nil)))
        simulation.ready(3)
        simulation.exit(1)
        #expect(
            simulation.ready(4) == [.drain(2, .replace), .handOver(generation: 2, answering: [])])
        #expect(simulation.state.snapshot.respawns == [.upgrade: 2])
    }

    @Test func anUpgradeThatIsNotTakenOverGoesBack() {
        var simulation = Simulation.running(1)
        simulation.send(.command(7, .upgrade(executable: "/srv/app")))
        #expect(simulation.ready(2) == [.drain(1, .replace), .handOver(generation: 2, answering: [7])])
        #expect(
            simulation.send(.handOverFailed("no room")) == [.answer(7, .failed("no room"))])
        #expect(simulation.exit(1) == [.forget(1), .spawn(3, slot: 0, generation: 1)])
        #expect(simulation.ready(3) == [.drain(2, .replace), .dropGeneration(2)])
        #expect(simulation.state.snapshot.failedReloads == 1)
    }

    @Test func aReloadAndAnUpgradeThatWaitAreOneUpgrade() {
        var simulation = Simulation.running(1)
        simulation.preparesAtOnce = false
        simulation.signal(.hangUp)
        simulation.signal(.hangUp)
        simulation.signal(.user2)
        #expect(
            simulation.send(.preparationFailed(generation: 2, "x")).contains(
                .prepare(generation: 3, .upgrade(executable: nil))))
    }

    @Test func theStateSurvivesTheWayToAnotherProgram() throws {
        var simulation = Simulation.running(3) { $0.maxAge = .seconds(3600) }
        simulation.crash(2)
        simulation.retire(3, .requestStuck("GET /slow/ for 61 s"))
        simulation.signal(.hangUp)
        simulation.signal(.hangUp)
        let records = simulation.state.records
        let document = try #require(Record.document(records.map { $0.line + "\n" }.joined()))
        let copy = try #require(SupervisorState(document))
        #expect(copy.workers.keys == simulation.state.workers.keys)
        for (id, worker) in simulation.state.workers {
            var copied = try #require(copy.workers[id])
            copied.report = worker.report
            #expect(copied == worker)
        }
        #expect(copy.slots == simulation.state.slots)
        #expect(copy.options == simulation.state.options)
        #expect(copy.generation == simulation.state.generation)
        #expect(copy.lastID == simulation.state.lastID)
        #expect(copy.pendingWish == simulation.state.pendingWish)
        #expect(copy.respawns == simulation.state.respawns)
        #expect(copy.phase == .running)
    }

    @Test func aDocumentWithoutTheEssentialsIsNone() {
        #expect(SupervisorState([]) == nil)
        #expect(SupervisorState([Record("pool", ["generation": "1"])]) == nil)
        #expect(Record.document("worker id") == nil)
        #expect(Record.document("a b=%4") == nil)
        #expect(Record(line: Record("a", ["b": "c d\n%=ü"]).line) == Record("a", ["b": "c d\n%=ü"]))
    }
}
