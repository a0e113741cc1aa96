import Platform

@testable import Supervisor

/// A supervisor's state with a clock and process ids made up, for tests: process 100 + n is worker n.
struct Simulation {
    var state: SupervisorState
    var now = MonotonicTime(nanoseconds: 0)
    /// Everything done so far, log lines left out.
    var actions: [SupervisorAction] = []
    var logs: [SupervisorLog] = []
    /// Whether a spawn is answered at once with a process id.
    var spawnsAtOnce = true
    /// Whether a generation is prepared at once, with these options.
    var preparesAtOnce = true
    var nextOptions: SupervisorOptions?

    init(workers: Int, change: (inout SupervisorOptions) -> Void = { _ in }) {
        var options = SupervisorOptions(workers: workers, start: .seconds(60), drain: .seconds(30))
        change(&options)
        state = SupervisorState(options: options)
    }

    /// Started, and every worker ready.
    static func running(_ workers: Int, change: (inout SupervisorOptions) -> Void = { _ in }) -> Simulation {
        var simulation = Simulation(workers: workers, change: change)
        simulation.start()
        for number in 1...workers { simulation.ready(number) }
        simulation.actions = []
        simulation.logs = []
        return simulation
    }

    static func pid(_ number: Int) -> Int32 { Int32(100 + number) }

    /// Hands in an event and answers the actions, log lines left out.
    @discardableResult
    mutating func send(_ event: SupervisorEvent) -> [SupervisorAction] {
        var result: [SupervisorAction] = []
        var events = [event]
        while !events.isEmpty {
            for action in state.handle(events.removeFirst(), at: now) {
                if case .log(let line) = action {
                    logs.append(line)
                    continue
                }
                result.append(action)
                if spawnsAtOnce, case .spawn(let id, _, _) = action {
                    events.append(.spawned(id, pid: Simulation.pid(id.number)))
                }
                if preparesAtOnce, case .prepare(let generation, _) = action {
                    events.append(.prepared(generation: generation, nextOptions ?? state.options))
                }
            }
        }
        actions += result
        return result
    }

    @discardableResult
    mutating func start() -> [SupervisorAction] { send(.start) }

    @discardableResult
    mutating func ready(_ number: Int) -> [SupervisorAction] { send(.message(WorkerID(number), .ready)) }

    @discardableResult
    mutating func exit(_ number: Int, _ code: Int32 = 0) -> [SupervisorAction] {
        send(.exited(pid: Simulation.pid(number), .exited(code)))
    }

    @discardableResult
    mutating func crash(_ number: Int, signal: Signal = .kill) -> [SupervisorAction] {
        send(.exited(pid: Simulation.pid(number), .signaled(signal.rawValue, dumpedCore: false)))
    }

    @discardableResult
    mutating func signal(_ signal: Signal) -> [SupervisorAction] { send(.signal(signal)) }

    @discardableResult
    mutating func retire(_ number: Int, _ reason: RetireReason) -> [SupervisorAction] {
        send(.message(WorkerID(number), .retire(reason)))
    }

    @discardableResult
    mutating func heartbeat(_ number: Int, _ change: (inout WorkerReport) -> Void = { _ in }) -> [SupervisorAction] {
        var report = WorkerReport()
        change(&report)
        return send(.message(WorkerID(number), .heartbeat(report)))
    }

    /// Lets time pass and ticks.
    @discardableResult
    mutating func pass(_ duration: Duration) -> [SupervisorAction] {
        now = now + duration
        return send(.tick)
    }

    /// Lets time pass up to the next deadline and ticks.
    @discardableResult
    mutating func passToDeadline() -> [SupervisorAction] {
        now = state.nextDeadline ?? now
        return send(.tick)
    }

    /// Numbers of the workers that serve.
    var serving: [Int] { state.sortedWorkers.filter { $0.isReady && !$0.isLeaving }.map(\.id.number) }

    func said(_ level: SupervisorLog.Level, _ text: String) -> Bool {
        logs.contains { $0.level == level && $0.message.contains(text) }
    }
}

extension SupervisorAction {
    static func spawn(_ number: Int, slot: Int, generation: Int = 1) -> Self {
        .spawn(WorkerID(number), slot: slot, generation: generation)
    }
    static func drain(_ number: Int, _ purpose: DrainPurpose = .stop) -> Self { .drain(WorkerID(number), purpose) }
    static func kill(_ number: Int, _ signal: Signal = .kill) -> Self {
        .kill(WorkerID(number), pid: Simulation.pid(number), signal)
    }
    static func forget(_ number: Int) -> Self { .forget(WorkerID(number)) }
}
