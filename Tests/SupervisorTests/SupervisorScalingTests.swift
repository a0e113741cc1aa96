import Platform
import Testing

@testable import Supervisor

@Suite struct SupervisorScalingTests {
    // MARK: - As told

    @Test func oneMoreAndOneLess() {
        var simulation = Simulation.running(1)
        #expect(simulation.signal(.moreWorkers) == [.spawn(2, slot: 1)])
        simulation.ready(2)
        #expect(simulation.signal(.fewerWorkers) == [.drain(2, .replace)])
        #expect(simulation.exit(2) == [.forget(2)])
        #expect(simulation.serving == [1])
        #expect(simulation.state.snapshot.respawns == [:])
    }

    @Test func neverNone() {
        var simulation = Simulation.running(1)
        #expect(simulation.signal(.fewerWorkers) == [])
        #expect(simulation.said(.warning, "0 workers (SIGTTOU): refused"))
        #expect(simulation.serving == [1])
    }

    /// As where one process has all event loops.
    @Test func alwaysOne() {
        var simulation = Simulation.running(1) { $0.bounds = 1...1 }
        #expect(simulation.signal(.moreWorkers) == [])
        #expect(simulation.said(.warning, "2 workers (SIGTTIN): refused, there is always 1"))
        #expect(simulation.send(.command(1, .scale(to: 2))) == [.answer(1, .refused("there is always 1"))])
        #expect(simulation.serving == [1])
    }

    @Test func aStormHasItsLimit() {
        var simulation = Simulation.running(1)
        for _ in 0..<300 { simulation.signal(.moreWorkers) }
        #expect(simulation.state.workers.count == SupervisorOptions.mostWorkers)
    }

    @Test func byCommand() {
        var simulation = Simulation.running(2)
        #expect(
            simulation.send(.command(1, .scale(to: 4)))
                == [.answer(1, .done), .spawn(3, slot: 2), .spawn(4, slot: 3)])
        simulation.ready(3)
        simulation.ready(4)
        #expect(
            simulation.send(.command(2, .scale(to: 1))) == [
                .answer(2, .done), .drain(2, .replace), .drain(3, .replace), .drain(4, .replace),
            ])
        let refusal = simulation.send(.command(3, .scale(to: 0)))
        #expect(refusal.count == 1)
        guard case .answer(3, .refused) = refusal.first else {
            Issue.record("\(refusal)")
            return
        }
    }

    @Test func aPlaceThatIsFreedIsTakenAgain() {
        var simulation = Simulation.running(2)
        simulation.signal(.fewerWorkers)
        // Worker 2 still drains.
        #expect(simulation.signal(.moreWorkers) == [.spawn(3, slot: 1)])
        simulation.ready(3)
        simulation.exit(2)
        #expect(simulation.serving == [1, 3])
    }

    @Test func whileANewGenerationComesIn() {
        var simulation = Simulation.running(2)
        simulation.signal(.hangUp)
        simulation.signal(.moreWorkers)
        simulation.ready(3)
        simulation.exit(1)
        simulation.signal(.moreWorkers)
        for number in 4...9 where simulation.state.workers[WorkerID(number)] != nil { simulation.ready(number) }
        simulation.exit(2)
        for number in 4...9 where simulation.state.workers[WorkerID(number)] != nil { simulation.ready(number) }
        #expect(simulation.serving.count == 4)
        #expect(simulation.state.workers.values.allSatisfy { $0.generation == 2 })
        #expect(simulation.state.rollout == nil)
    }

    @Test func notWhileDraining() {
        var simulation = Simulation.running(1)
        simulation.signal(.terminate)
        #expect(
            simulation.send(.command(1, .scale(to: 3))) == [.answer(1, .refused("the server is stopping"))])
    }

    // MARK: - By load

    private func elastic(_ bounds: ClosedRange<Int>) -> Simulation {
        .running(bounds.lowerBound) {
            $0.bounds = bounds
            $0.isElastic = true
        }
    }

    /// Seconds of a load, with new workers becoming ready and old ones ending at once.
    private func load(
        _ simulation: inout Simulation, seconds: Int, queue: Duration, busy: Double
    ) {
        for _ in 0..<seconds {
            for number in simulation.serving {
                simulation.heartbeat(number) {
                    $0.queueMicroseconds = UInt64(queue.wholeNanoseconds / 1000)
                    $0.busyPermille = UInt64(busy * 1000)
                }
            }
            simulation.pass(.seconds(1))
            for worker in simulation.state.sortedWorkers {
                if worker.isLeaving { simulation.exit(worker.id.number) } else { simulation.ready(worker.id.number) }
            }
        }
    }

    @Test func growsWhileRequestsWaitUpToItsLimit() {
        var simulation = elastic(2...4)
        load(&simulation, seconds: 2, queue: .milliseconds(80), busy: 1)
        #expect(simulation.serving.count == 2)
        load(&simulation, seconds: 3, queue: .milliseconds(80), busy: 1)
        #expect(simulation.serving.count == 3)
        load(&simulation, seconds: 60, queue: .milliseconds(80), busy: 1)
        #expect(simulation.serving.count == 4)
    }

    @Test func shrinksWhenIdleDownToItsLimit() {
        var simulation = elastic(2...4)
        load(&simulation, seconds: 30, queue: .milliseconds(80), busy: 1)
        #expect(simulation.serving.count == 4)
        load(&simulation, seconds: 29, queue: .zero, busy: 0)
        #expect(simulation.serving.count == 4)
        load(&simulation, seconds: 4, queue: .zero, busy: 0)
        #expect(simulation.serving.count == 3)
        load(&simulation, seconds: 200, queue: .zero, busy: 0)
        #expect(simulation.serving.count == 2)
    }

    @Test(arguments: [(30, 0.9), (20, 0.1), (1, 0.7)] as [(Int, Double)])
    func staysInBetween(milliseconds: Int, busy: Double) {
        var simulation = elastic(1...4)
        load(&simulation, seconds: 10, queue: .milliseconds(80), busy: 1)
        let count = simulation.serving.count
        load(&simulation, seconds: 300, queue: .milliseconds(milliseconds), busy: busy)
        #expect(simulation.serving.count == count)
    }

    @Test func aMomentIsNoReason() {
        var simulation = elastic(1...4)
        for _ in 0..<50 {
            load(&simulation, seconds: 1, queue: .milliseconds(500), busy: 1)
            load(&simulation, seconds: 1, queue: .zero, busy: 0)
        }
        #expect(simulation.serving.count == 1)
    }

    @Test func aFixedPoolDoesNotGrow() {
        var simulation = Simulation.running(1)
        load(&simulation, seconds: 60, queue: .seconds(5), busy: 1)
        #expect(simulation.serving.count == 1)
    }

    @Test func staysWithinItsBoundsWhenTold() {
        var simulation = elastic(2...3)
        simulation.signal(.fewerWorkers)
        #expect(simulation.state.snapshot.target == 2)
        simulation.signal(.moreWorkers)
        simulation.signal(.moreWorkers)
        #expect(simulation.state.snapshot.target == 3)
        #expect(simulation.said(.warning, "from 2 to 3"))
    }
}
