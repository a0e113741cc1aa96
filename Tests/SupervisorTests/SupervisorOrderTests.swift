import Platform
import Testing

@testable import Supervisor

/// Every order of what can happen to three workers, a few steps deep, and what must hold in each.
@Suite struct SupervisorOrderTests {
    /// The kinds of step; those about a worker are meant for each of the three slots.
    private enum Step: CaseIterable {
        case ready, exitClean, exitConfiguration, crash, channelClosed, terminate, deadline
    }

    /// `#expect` without its cost: this is asked some hundred thousand times.
    private func promise(_ condition: Bool, _ message: @autoclosure () -> String) {
        if !condition { Issue.record("\(message())") }
    }

    /// What must hold after the event, from the state and from everything done so far.
    private func check(_ simulation: Simulation, _ path: [String]) {
        let live = simulation.state.workers.values
        let bySlot = Dictionary(grouping: live, by: \.slot)
        promise(bySlot.values.allSatisfy { $0.count == 1 }, "two workers in one slot: \(path)")

        var hasClosed = false
        var exits = 0
        var gone: Set<WorkerID> = []
        var announcements = 0
        for action in simulation.actions {
            promise(exits == 0, "something done after the end: \(path)")
            switch action {
            case .spawn: promise(!hasClosed, "a worker started without listeners: \(path)")
            case .kill(let id, _, _), .drain(let id, _): promise(!gone.contains(id), "a dead worker addressed: \(path)")
            case .forget(let id): promise(gone.insert(id).inserted, "forgotten twice: \(path)")
            case .closeListeners:
                promise(!hasClosed, "listeners closed twice: \(path)")
                hasClosed = true
            case .announceReady: announcements += 1
            case .exit:
                exits += 1
                promise(hasClosed, "ended with open listeners: \(path)")
            case .log: break
            }
        }
        promise(announcements <= 1, "announced twice: \(path)")

        switch simulation.state.phase {
        case .starting, .running:
            // Each slot has a worker or a date for one.
            for (index, slot) in simulation.state.slots.enumerated() {
                promise((bySlot[index] != nil) != (slot.respawnAt != nil), "slot \(index) abandoned: \(path)")
            }
        case .draining, .killing:
            promise(!live.isEmpty, "waiting for nobody: \(path)")
            promise(simulation.state.nextDeadline != nil, "waiting without a limit: \(path)")
        case .ended: promise(exits == 1, "ended without saying so: \(path)")
        }
    }

    private func explore(_ simulation: Simulation, depth: Int, path: [String], visited: inout Int) {
        visited += 1
        check(simulation, path)
        guard depth > 0 else { return }
        if case .ended = simulation.state.phase { return }
        for step in Step.allCases {
            switch step {
            case .terminate:
                var next = simulation
                next.signal(.terminate)
                explore(next, depth: depth - 1, path: path + ["TERM"], visited: &visited)
            case .deadline:
                guard simulation.state.nextDeadline != nil else { continue }
                var next = simulation
                next.passToDeadline()
                explore(next, depth: depth - 1, path: path + ["deadline"], visited: &visited)
            case .ready, .exitClean, .exitConfiguration, .crash, .channelClosed:
                for worker in simulation.state.workers.keys.sorted() {
                    var next = simulation
                    switch step {
                    case .ready: next.ready(worker.number)
                    case .exitClean: next.exit(worker.number)
                    case .exitConfiguration: next.exit(worker.number, 78)
                    case .crash: next.crash(worker.number)
                    case .channelClosed: next.send(.channelClosed(worker))
                    case .terminate, .deadline: continue
                    }
                    explore(next, depth: depth - 1, path: path + ["\(step) \(worker)"], visited: &visited)
                }
            }
        }
    }

    @Test func everyOrderKeepsThePromises() {
        var simulation = Simulation(workers: 3)
        simulation.start()
        var visited = 0
        explore(simulation, depth: 4, path: [], visited: &visited)
        #expect(visited > 10_000)
    }

    /// However it came there: with TERM and every worker ending, the supervisor ends with status 0.
    @Test(arguments: [[1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1]])
    func everyOrderOfReadySignalAndExitEndsWell(order: [Int]) {
        for readyBefore in 0...3 {
            for exitBefore in 0...3 {
                var simulation = Simulation(workers: 3)
                simulation.start()
                for number in order.prefix(readyBefore) { simulation.ready(number) }
                for number in order.prefix(exitBefore) { simulation.exit(number) }
                simulation.signal(.terminate)
                for worker in simulation.state.workers.keys.sorted() {
                    simulation.ready(worker.number)
                    simulation.exit(worker.number)
                }
                #expect(simulation.actions.last == .exit(0))
            }
        }
    }
}
