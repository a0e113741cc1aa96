import Platform
import Testing

@testable import Supervisor

@Suite struct SupervisorRecyclingTests {
    @Test(arguments: [RetireReason.maxRequests, .maxAge, .maxMemory, .requestStuck("x"), .loopStuck("y")])
    func aSuccessorIsReadyFirst(reason: RetireReason) {
        var simulation = Simulation.running(2)
        #expect(simulation.retire(1, reason) == [.spawn(3, slot: 0)])
        #expect(simulation.serving == [1, 2])
        // Asked for once more: nothing new.
        #expect(simulation.retire(1, reason) == [])
        #expect(simulation.ready(3) == [.drain(1, .replace)])
        #expect(simulation.exit(1) == [.forget(1)])
        #expect(simulation.serving == [2, 3])
        #expect(simulation.state.snapshot.respawns == [RespawnReason(reason): 1])
    }

    @Test func oneAtATime() {
        var simulation = Simulation.running(3) { $0.surge = 3 }
        #expect(simulation.retire(1, .maxRequests) == [.spawn(4, slot: 0)])
        #expect(simulation.retire(2, .maxRequests) == [])
        #expect(simulation.ready(4) == [.drain(1, .replace), .spawn(5, slot: 1)])
    }

    @Test func withTheUsualSurgeThePredecessorIsGoneFirst() {
        var simulation = Simulation.running(2)
        simulation.retire(1, .maxAge)
        simulation.retire(2, .maxAge)
        #expect(simulation.ready(3) == [.drain(1, .replace)])
        #expect(simulation.exit(1) == [.forget(1), .spawn(4, slot: 1)])
    }

    @Test func theStuckGoFirstAndDoNotWait() {
        var simulation = Simulation.running(3)
        simulation.retire(1, .maxAge)
        simulation.ready(4)
        // Worker 1 is still draining.
        simulation.retire(2, .maxAge)
        #expect(simulation.retire(3, .loopStuck("busy")) == [.spawn(5, slot: 2)])
        #expect(simulation.ready(5) == [.drain(3, .replace)])
        #expect(simulation.pass(.seconds(30)) == [.kill(1), .kill(3)])
    }

    @Test func whatIsLostWithAStuckWorkerIsCounted() {
        var simulation = Simulation.running(1)
        simulation.heartbeat(1) { $0.inFlight = 7 }
        simulation.retire(1, .loopStuck("GET /hang"))
        simulation.ready(2)
        #expect(simulation.pass(.seconds(30)) == [.kill(1)])
        #expect(simulation.said(.warning, "did not finish within its time; 7 requests were in flight in it"))
    }

    @Test func aSuccessorThatDoesNotStartIsTriedAgainAndNothingIsLost() {
        var simulation = Simulation.running(1)
        simulation.retire(1, .maxRequests)
        #expect(simulation.exit(2, 1) == [.forget(2)])
        #expect(simulation.serving == [1])
        #expect(simulation.passToDeadline() == [.spawn(3, slot: 0)])
        #expect(simulation.exit(3, 78) == [.forget(3)])
        simulation.passToDeadline()
        #expect(simulation.ready(4) == [.drain(1, .replace)])
    }

    @Test func oneThatCrashesWhileItsSuccessorStartsIsReplacedByThat() {
        var simulation = Simulation.running(1)
        simulation.retire(1, .maxMemory)
        #expect(simulation.crash(1) == [.forget(1)])
        #expect(simulation.ready(2) == [])
        #expect(simulation.serving == [2])
    }

    // MARK: - Limits

    @Test func limitsOfRequestsAndMemory() {
        var simulation = Simulation.running(1) {
            $0.maxRequests = 100
            $0.maxMemory = 1000
        }
        #expect(simulation.heartbeat(1) { $0.requests = 99 } == [])
        #expect(simulation.heartbeat(1) { $0.requests = 100 } == [.spawn(2, slot: 0)])
        simulation.ready(2)
        simulation.exit(1)
        #expect(simulation.heartbeat(2) { $0.residentBytes = 999 } == [])
        #expect(simulation.heartbeat(2) { $0.residentBytes = 1000 } == [.spawn(3, slot: 0)])
        #expect(simulation.state.snapshot.respawns == [.maxRequests: 1, .maxMemory: 1])
    }

    @Test func limitOfAge() {
        var simulation = Simulation.running(1) { $0.maxAge = .seconds(3600) }
        #expect(simulation.pass(.seconds(3599)) == [])
        #expect(simulation.passToDeadline() == [.spawn(2, slot: 0)])
        #expect(simulation.now.nanoseconds == 3_600_000_000_000)
    }

    @Test func jitterSpreadsTheLimits() {
        var simulation = Simulation.running(50) {
            $0.maxAge = .seconds(1000)
            $0.jitter = 10
            $0.surge = 50
        }
        simulation.pass(.seconds(899))
        #expect(simulation.state.sortedWorkers.allSatisfy { $0.retiring == nil })
        simulation.pass(.seconds(51))
        let early = simulation.state.sortedWorkers.count { $0.retiring != nil }
        #expect((10...40).contains(early))
        simulation.pass(.seconds(50))
        #expect(simulation.state.sortedWorkers.filter { $0.id.number <= 50 }.allSatisfy { $0.retiring != nil })
    }

    // MARK: - Stuck

    @Test func silenceIsBeingStuck() {
        var simulation = Simulation.running(2) { $0.stuck = .seconds(30) }
        simulation.heartbeat(1)
        // Worker 2 has never sent a heartbeat: it does not send any.
        #expect(simulation.pass(.milliseconds(29_999)) == [])
        #expect(simulation.passToDeadline() == [.spawn(3, slot: 0)])
        #expect(simulation.said(.error, "loop-stuck: no heartbeat for 30 s"))
    }

    @Test func aBusyLoopIsBeingStuck() {
        var simulation = Simulation.running(1) { $0.stuck = .seconds(30) }
        simulation.now = simulation.now + .seconds(100)
        let now = simulation.now
        #expect(
            simulation.send(.vitals(WorkerID(1), WorkerVitals(busySince: now + .seconds(-29)))) == [])
        #expect(
            simulation.send(.vitals(WorkerID(1), WorkerVitals(busySince: now + .seconds(-30))))
                == [.spawn(2, slot: 0)])
    }

    @Test func withoutALimitNothingIsStuck() {
        var simulation = Simulation.running(1)
        simulation.heartbeat(1)
        simulation.send(.vitals(WorkerID(1), WorkerVitals(busySince: simulation.now)))
        #expect(simulation.pass(.seconds(100_000)) == [])
    }

    // MARK: - A supervisor that was stopped

    @Test func nobodyIsPunishedForTheTimeTheSupervisorSlept() {
        var simulation = Simulation.running(2) { $0.stuck = .seconds(30) }
        simulation.heartbeat(1)
        simulation.crash(2)
        // Worker 3 starts. Everything stands still for an hour.
        simulation.now = simulation.now + .seconds(3600)
        #expect(simulation.send(.overslept(.seconds(3599))) == [])
        simulation.send(
            .vitals(WorkerID(1), WorkerVitals(busySince: MonotonicTime(nanoseconds: 0))))
        #expect(simulation.send(.tick) == [])
        #expect(simulation.state.workers[WorkerID(1)]?.retiring == nil)
        // The limits count on from there.
        #expect(simulation.pass(.seconds(29)) == [.spawn(4, slot: 0)])
        #expect(simulation.pass(.seconds(30)) == [.kill(3)])
    }

    @Test func aDrainIsNotCutShortEither() {
        var simulation = Simulation.running(1)
        simulation.signal(.terminate)
        simulation.now = simulation.now + .seconds(3600)
        simulation.send(.overslept(.seconds(3600)))
        #expect(simulation.send(.tick) == [])
        #expect(simulation.pass(.seconds(30)).first == .kill(1))
    }
}
