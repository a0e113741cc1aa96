import Platform
import Testing

@testable import Supervisor

/// Every order of what can happen to three workers, a few steps deep, random orders many steps deep, and what must hold in
/// each.
@Suite struct SupervisorOrderTests {
    /// The kinds of step; those about a worker are meant for each of them.
    private enum Step: CaseIterable {
        case ready, exitClean, exitConfiguration, crash, channelClosed, retire, stuck
        case terminate, hangUp, upgrade, moreWorkers, fewerWorkers, deadline, preparationFailed, handOverFailed

        var isAboutAWorker: Bool {
            switch self {
            case .ready, .exitClean, .exitConfiguration, .crash, .channelClosed, .retire, .stuck: true
            default: false
            }
        }

        /// What can happen without a wish of anybody's.
        static let ofTheStart: [Step] = [
            .ready, .exitClean, .exitConfiguration, .crash, .channelClosed, .terminate, .deadline,
        ]
    }

    /// `#expect` without its cost: this is asked some hundred thousand times.
    private func promise(_ condition: Bool, _ message: @autoclosure () -> String) {
        if !condition { Issue.record("\(message())") }
    }

    /// What must hold after the event, from the state and from everything done so far.
    private func check(_ simulation: Simulation, _ path: [String]) {
        let state = simulation.state
        let staying = state.workers.values.filter { !$0.isLeaving }
        let bySlot = Dictionary(grouping: staying, by: \.slot)
        promise(bySlot.values.allSatisfy { $0.count <= 2 }, "three workers in one slot: \(path)")

        var hasClosed = false
        var exits = 0
        var gone: Set<WorkerID> = []
        var dropped: Set<Int> = []
        var announcements = 0
        for action in simulation.actions {
            promise(exits == 0, "something done after the end: \(path)")
            switch action {
            case .spawn(_, _, let generation):
                promise(!hasClosed, "a worker started without listeners: \(path)")
                promise(!dropped.contains(generation), "a worker started in a generation that was dropped: \(path)")
            case .kill(let id, _, _), .drain(let id, _):
                promise(!gone.contains(id), "a dead worker addressed: \(path)")
            case .forget(let id): promise(gone.insert(id).inserted, "forgotten twice: \(path)")
            case .closeListeners:
                promise(!hasClosed, "listeners closed twice: \(path)")
                hasClosed = true
            case .announceReady: announcements += 1
            case .dropGeneration(let generation):
                promise(dropped.insert(generation).inserted, "dropped twice: \(path)")
            case .exit:
                exits += 1
                promise(hasClosed, "ended with open listeners: \(path)")
            case .log, .prepare, .announceGeneration, .handOver, .answer, .tell, .told: break
            }
        }
        promise(announcements <= 1, "announced twice: \(path)")

        switch state.phase {
        case .starting, .running:
            // Each slot has a worker or a date for one.
            for (index, slot) in state.slots.enumerated() {
                promise((bySlot[index] != nil) != (slot.respawnAt != nil), "slot \(index) abandoned: \(path)")
            }
            promise(
                staying.allSatisfy { !dropped.contains($0.generation) }, "a worker of a dropped generation: \(path)")
        case .draining, .killing:
            promise(!state.workers.isEmpty, "waiting for nobody: \(path)")
            promise(state.nextDeadline != nil, "waiting without a limit: \(path)")
            promise(state.rollout == nil && state.pendingWish == nil, "a reload forgotten: \(path)")
        case .ended: promise(exits == 1, "ended without saying so: \(path)")
        }
    }

    /// What must hold of the actions that one event brought.
    private func check(
        _ before: Simulation, _ after: Simulation, _ actions: [SupervisorAction], _ path: [String]
    ) {
        guard after.state.phase == .starting || after.state.phase == .running else { return }
        for case .drain(let id, .replace) in actions {
            guard let worker = before.state.workers[id], worker.isReady else { continue }
            let isSurplus = worker.slot >= after.state.slots.count
            let hasSuccessor = after.state.occupants(of: worker.slot).contains(where: \.isReady)
            promise(isSurplus || hasSuccessor, "a worker sent away before its successor was ready: \(path)")
        }
        let replaces = actions.contains { action in
            guard case .spawn(let id, _, _) = action else { return false }
            return after.state.workers[id]?.isReplacement ?? false
        }
        let isStuck = after.state.workers.values.contains { $0.retiring?.isStuck ?? false }
        if replaces, !isStuck {
            let rollout = after.state.rollout
            let most = max(after.state.slots.count, rollout?.previous.workers ?? 0, rollout?.target ?? 0)
            promise(after.state.workers.count <= most + after.state.options.surge, "too many: \(path)")
        }
    }

    private func take(_ step: Step, _ worker: Int?, _ simulation: inout Simulation) -> [SupervisorAction]? {
        switch (step, worker) {
        case (.ready, let number?): return simulation.ready(number)
        case (.exitClean, let number?): return simulation.exit(number)
        case (.exitConfiguration, let number?): return simulation.exit(number, 78)
        case (.crash, let number?): return simulation.crash(number)
        case (.channelClosed, let number?): return simulation.send(.channelClosed(WorkerID(number)))
        case (.retire, let number?): return simulation.retire(number, .maxRequests)
        case (.stuck, let number?): return simulation.retire(number, .loopStuck(""))
        case (.terminate, _): return simulation.signal(.terminate)
        case (.hangUp, _): return simulation.signal(.hangUp)
        case (.upgrade, _): return simulation.signal(.user2)
        case (.moreWorkers, _):
            return simulation.state.slots.count < 5 ? simulation.signal(.moreWorkers) : nil
        case (.fewerWorkers, _): return simulation.signal(.fewerWorkers)
        case (.deadline, _): return simulation.state.nextDeadline == nil ? nil : simulation.passToDeadline()
        case (.preparationFailed, _):
            guard let rollout = simulation.state.rollout, rollout.stage == .preparing else { return nil }
            return simulation.send(.preparationFailed(generation: rollout.generation, "x"))
        case (.handOverFailed, _):
            guard simulation.state.rollout?.stage == .handingOver else { return nil }
            return simulation.send(.handOverFailed("x"))
        default: return nil
        }
    }

    private func explore(
        _ simulation: Simulation, _ steps: [Step], depth: Int, path: [String], visited: inout Int
    ) {
        visited += 1
        check(simulation, path)
        guard depth > 0 else { return }
        if case .ended = simulation.state.phase { return }
        for step in steps {
            let workers: [Int?] =
                step.isAboutAWorker ? simulation.state.workers.keys.sorted().map(\.number) : [nil]
            for worker in workers {
                var next = simulation
                guard let actions = take(step, worker, &next) else { continue }
                let path = path + ["\(step) \(worker.map(String.init) ?? "")"]
                check(simulation, next, actions, path)
                explore(next, steps, depth: depth - 1, path: path, visited: &visited)
            }
        }
    }

    @Test func everyOrderOfAStartKeepsThePromises() {
        var simulation = Simulation(workers: 3)
        simulation.start()
        var visited = 0
        explore(simulation, Step.ofTheStart, depth: 4, path: [], visited: &visited)
        #expect(visited > 10_000)
    }

    @Test func everyOrderWhileRunningKeepsThePromises() {
        var visited = 0
        explore(.running(3), Step.allCases, depth: 3, path: ["running"], visited: &visited)
        #expect(visited > 5_000)
    }

    @Test func everyOrderWithinAReloadKeepsThePromises() {
        var simulation = Simulation.running(3)
        simulation.signal(.hangUp)
        simulation.ready(4)
        var visited = 0
        explore(simulation, Step.allCases, depth: 3, path: ["reloading"], visited: &visited)
        #expect(visited > 5_000)
    }

    /// Deeper than every order can be tried; the seed makes a failure come again.
    @Test(arguments: 0..<20)
    func longLivesKeepThePromises(seed: Int) {
        var generator = SplitMix(state: UInt64(seed) &* 7919 + 1)
        for _ in 0..<20 {
            var simulation = Simulation(workers: 3) { $0.surge = Int.random(in: 1...2, using: &generator) }
            simulation.start()
            var path: [String] = ["seed \(seed)"]
            for _ in 0..<80 {
                if case .ended = simulation.state.phase { break }
                // A life has one end: most steps are others.
                let step =
                    Step.allCases.filter { $0 != .terminate || Int.random(in: 0..<20, using: &generator) == 0 }
                    .randomElement(using: &generator) ?? .ready
                let worker = simulation.state.workers.keys.sorted().randomElement(using: &generator)?.number
                let before = simulation
                simulation.preparesAtOnce = Bool.random(using: &generator)
                guard !step.isAboutAWorker || worker != nil,
                    let actions = take(step, step.isAboutAWorker ? worker : nil, &simulation)
                else { continue }
                path.append("\(step) \(worker.map(String.init) ?? "")")
                check(before, simulation, actions, path)
                check(simulation, path)
            }
        }
    }

    /// However it came there: with TERM and every worker ending, the supervisor ends with status 0.
    @Test(arguments: [[1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1]])
    func everyOrderOfReadySignalAndExitEndsWell(order: [Int]) {
        for signals in [[], [Signal.hangUp], [.moreWorkers], [.fewerWorkers], [.user2], [.hangUp, .hangUp]] {
            for readyBefore in 0...3 {
                for exitBefore in 0...3 {
                    var simulation = Simulation(workers: 3)
                    simulation.start()
                    for number in order.prefix(readyBefore) { simulation.ready(number) }
                    for signal in signals { simulation.signal(signal) }
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
}

/// Random numbers that are the same every time.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }
}
