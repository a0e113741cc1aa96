import Glibc
import Platform
import Synchronization
import Testing

@testable import Supervisor

/// The worker's side, with the test as the supervisor at the other end of a real channel.
@Suite struct WorkerControlTests {
    /// What happened to a worker, in order, and a way to wait for it.
    private final class Events: Sendable {
        private let list = Mutex<[String]>([])
        private let counter: EventCounter

        init() throws {
            counter = try EventCounter()
        }

        func add(_ event: String) {
            list.withLock { $0.append(event) }
            counter.signal()
        }

        func wait(for count: Int) -> [String] {
            while true {
                let events = list.withLock { $0 }
                if events.count >= count { return events }
                counter.wait()
            }
        }
    }

    private let events: Events

    init() throws {
        events = try Events()
    }

    private func makeWorker(
        _ channel: borrowing ControlChannel.Pair, payload: [UInt8] = [], drain: Duration = .seconds(60),
        listeners: [ListeningSocket] = []
    ) throws -> WorkerControl {
        var launch = WorkerLaunch(id: WorkerID(1), slot: 0, generation: 1, drain: drain, listenerCount: 0)
        launch.control = try channel.worker.duplicate().release()
        launch.config = try MemoryFile.make(name: "test", payload).release()
        launch.listeners = try listeners.map { try $0.duplicate().release() }
        let events = events
        let control = try WorkerControl(launch: launch) { events.add("exit \($0)") }
        control.onDrain { events.add("drain \($0)") }
        return control
    }

    @Test func saysItIsReadyAndDrainsWhenTold() throws {
        let pair = try ControlChannel.Pair()
        let worker = try makeWorker(pair, payload: [1, 2, 3])
        #expect(worker.payload == [1, 2, 3])
        try worker.start(signals: nil)
        worker.ready()
        let channel = pair.takeSupervisor()
        #expect(channel.receive(waits: true) == .message(.ready))
        worker.heartbeat(WorkerReport())
        #expect(channel.receive(waits: true) == .message(.heartbeat(WorkerReport())))
        #expect(worker.drainReason == nil)
        channel.send(.drain(.stop))
        channel.send(.drain(.stop))
        #expect(events.wait(for: 1) == ["drain requested(Supervisor.DrainPurpose.stop)"])
        #expect(worker.drainReason == .requested(.stop))
    }

    @Test func doesWhatElseItIsTold() throws {
        let pair = try ControlChannel.Pair()
        let worker = try makeWorker(pair)
        let events = events
        worker.onUnready { events.add("unready") }
        worker.onReopenLogs { events.add("reopen") }
        worker.onHurry { events.add("hurry") }
        worker.ready()
        try worker.start(signals: nil)
        let channel = pair.takeSupervisor()
        for message in [ControlMessage.unready, .reopenLogs, .drain(.replace), .reopenLogs, .drain(.stop)] {
            channel.send(message)
        }
        #expect(
            events.wait(for: 5) == [
                "unready", "reopen", "drain requested(Supervisor.DrainPurpose.replace)", "reopen", "hurry",
            ])
        #expect(worker.drainReason == .requested(.replace))
    }

    @Test func hearsWhatItWasToldBeforeItListened() throws {
        let pair = try ControlChannel.Pair()
        let worker = try makeWorker(pair)
        let events = events
        worker.onUnready { events.add("unready") }
        try worker.start(signals: nil)
        let channel = pair.takeSupervisor()
        for message in [ControlMessage.tell("a"), .tell("b"), .unready] { channel.send(message) }
        #expect(events.wait(for: 1) == ["unready"])
        worker.onTell { events.add($0) }
        channel.send(.tell("c"))
        #expect(events.wait(for: 4) == ["unready", "a", "b", "c"])
    }

    @Test func drainsWhenTheSupervisorIsGone() throws {
        let pair = try ControlChannel.Pair()
        let worker = try makeWorker(pair)
        worker.ready()
        try worker.start(signals: nil)
        do { _ = pair.takeSupervisor() }
        #expect(events.wait(for: 1) == ["drain supervisorGone"])
    }

    @Test func endsAtOnceWhenToldBeforeItIsReady() throws {
        let pair = try ControlChannel.Pair()
        let worker = try makeWorker(pair)
        let channel = pair.takeSupervisor()
        channel.send(.drain(.stop))
        try worker.start(signals: nil)
        #expect(events.wait(for: 1) == ["exit 0"])
    }

    @Test func endsADrainThatTakesTooLong() throws {
        let pair = try ControlChannel.Pair()
        // A worker gives its supervisor a second beyond the limit to be the one who ends it; here that is all but over.
        let worker = try makeWorker(pair, drain: .milliseconds(-990))
        worker.ready()
        let channel = pair.takeSupervisor()
        channel.send(.drain(.stop))
        try worker.start(signals: nil)
        #expect(events.wait(for: 2) == ["drain requested(Supervisor.DrainPurpose.stop)", "exit 1"])
    }

    @Test func drainsOnASignalAndEndsOnTheSecond() async {
        await #expect(processExitsWith: .exitCode(0)) {
            let pair = try ControlChannel.Pair()
            var launch = WorkerLaunch(id: WorkerID(1), slot: 0, generation: 1, drain: .seconds(60), listenerCount: 0)
            launch.control = try pair.worker.duplicate().release()
            launch.config = try MemoryFile.make(name: "test", []).release()
            let control = try WorkerControl.fromEnvironment(launch.variables)
            control.onDrain { reason in
                if reason == .signal { Signal.terminate.send(to: getpid()) }
            }
            control.ready()
            // Neither ends a worker: the terminal sends them to the whole group.
            Signal.interrupt.send(to: getpid())
            Signal.hangUp.send(to: getpid())
            Signal.terminate.send(to: getpid())
            // The supervisor's end stays open meanwhile.
            while pair.supervisor.rawValue >= 0 { pause() }
        }
    }

    @Test func adoptsListeners() throws {
        let listener = try ListeningSocket.bind(.tcp(host: "127.0.0.1", port: 0))
        let pair = try ControlChannel.Pair()
        let worker = try makeWorker(pair, listeners: [listener])
        #expect(worker.listeners.map(\.address) == [listener.address])
    }

    @Test func reportsWhyItCannotStart() throws {
        let pair = try ControlChannel.Pair()
        let worker = try makeWorker(pair)
        worker.failed("no database")
        let channel = pair.takeSupervisor()
        #expect(channel.receive() == .message(.failed("no database")))
        #expect(channel.receive() == .nothing)
    }

    @Test func neverBlocksOnAHeartbeatNobodyReads() throws {
        let pair = try ControlChannel.Pair()
        let worker = try makeWorker(pair)
        for _ in 0..<10_000 { worker.heartbeat(WorkerReport()) }
        let channel = pair.takeSupervisor()
        #expect(channel.receive() == .message(.heartbeat(WorkerReport())))
    }
}
