import Glibc
import Platform
import Supervisor
import Synchronization
import Telemetry

/// Gives every worker the memory in which it says how it is, and tells the supervisor what stands there.
final class StatusAttachments: SupervisorObserver {
    /// The name under which a worker finds its memory.
    static let name = "status"
    /// The name under which it keeps, for whoever takes the supervisor's place, what those before it had counted.
    static let pastName = "past"
    /// What requests waited is looked at over so many nanoseconds.
    private static let window: UInt64 = 2_000_000_000

    /// The names of the ends of the queue by which workers pass connections on to their successors, in development.
    static let queueNames = (input: "passin", output: "passout")

    private let board: StatusBoard
    private let passesConnections: Bool
    private var queue: DescriptorQueue?
    private var queueTimes: [Int: (since: MonotonicTime, histogram: DurationHistogram, last: Duration?)] = [:]

    init(board: StatusBoard, passesConnections: Bool = false) {
        self.board = board
        self.passesConnections = passesConnections
    }

    func attachments(for worker: WorkerSnapshot) throws(SystemError) -> [WorkerAttachment] {
        let (region, past) = try board.enter(
            worker: worker.id.number, slot: worker.slot, generation: worker.generation)
        return [
            WorkerAttachment(name: Self.name, descriptor: try region.duplicateDescriptor()),
            WorkerAttachment(name: Self.pastName, descriptor: try past.duplicateDescriptor()),
        ] + (try queueEnds())
    }

    private func queueEnds() throws(SystemError) -> [WorkerAttachment] {
        guard passesConnections else { return [] }
        let queue = if let queue { queue } else { try DescriptorQueue() }
        self.queue = queue
        return [
            WorkerAttachment(name: Self.queueNames.input, descriptor: try queue.input.duplicate()),
            WorkerAttachment(name: Self.queueNames.output, descriptor: try queue.output.duplicate()),
        ]
    }

    func inherited(_ worker: WorkerSnapshot, _ attachments: [WorkerAttachment]) {
        func named(_ name: String) -> WorkerAttachment? { attachments.first { $0.name == name } }
        if queue == nil, let input = named(Self.queueNames.input), let output = named(Self.queueNames.output) {
            // Without it there is a new one: what the old workers give then waits for themselves.
            queue = try? DescriptorQueue(input: input.descriptor.duplicate(), output: output.descriptor.duplicate())
        }
        // Memory of another version is not read: that worker then shows its process alone.
        func region(_ name: String) -> StatusRegion? {
            attachments.first { $0.name == name }.flatMap { try? StatusRegion(descriptor: $0.descriptor.duplicate()) }
        }
        board.adopt(
            region(Self.name), past: region(Self.pastName), worker: worker.id.number, slot: worker.slot,
            generation: worker.generation)
    }

    func ended(_ worker: WorkerID) {
        board.leave(worker: worker.number)
        queueTimes[worker.number] = nil
    }

    func vitals(of worker: WorkerID) -> WorkerVitals? {
        guard let region = board.region(of: worker.number) else { return nil }
        let since = region.loops.map(\.busySince).filter { $0 > 0 }.min()
        return WorkerVitals(
            busySince: since.map { MonotonicTime(nanoseconds: Int64(clamping: $0)) },
            queueTime: queueTime(of: worker.number, region))
    }

    /// What nine of ten requests did not exceed lately, at the loop or in front of the threads.
    private func queueTime(of worker: Int, _ region: StatusRegion) -> Duration? {
        let now = MonotonicTime.now()
        var entry = queueTimes[worker] ?? (now, DurationHistogram(), nil)
        if queueTimes[worker] == nil || now - entry.since >= .nanoseconds(Int64(Self.window)) {
            let (loops, threads) = region.queueTimes()
            var histogram = loops
            histogram.merge(threads)
            let recent = histogram.since(entry.histogram)
            entry = (now, histogram, recent.quantile(0.9).map { .nanoseconds(Int64($0)) })
            queueTimes[worker] = entry
        }
        return entry.last
    }
}
