public import Platform
import Synchronization

/// The status memory of all workers of a pool, and what those that are gone had counted, by slot: so that counters never
/// go backwards. Used from any thread.
///
/// What is past lies in memory of the same kind, one for each slot, that can be handed to whoever takes this process's place.
public final class StatusBoard: Sendable {
    /// A worker, and what it says.
    public struct Reading: Sendable {
        /// The worker's number in the supervisor's life.
        public let worker: Int
        public let slot: Int
        public let generation: Int
        public let status: StatusSnapshot
    }

    /// What stands on the board at one moment.
    public struct Readings: Sendable {
        /// By slot and age.
        public var workers: [Reading] = []
        /// What the workers before those had counted, by slot.
        public var past: [Int: StatusSnapshot] = [:]
        /// How many workers each slot has had.
        public var starts: [Int: Int] = [:]
    }

    private struct Occupant {
        let slot: Int
        let generation: Int
        let region: StatusRegion
    }

    private struct State {
        var occupants: [Int: Occupant] = [:]
        var past: [Int: StatusRegion] = [:]
    }

    private let loopCount: Int
    private let state = Mutex(State())

    /// A board for workers with so many event loops each.
    public init(loopCount: Int) { self.loopCount = loopCount }

    /// Makes the memory of a worker that is about to start. The second result is that of the workers before it in its slot, to
    /// be kept beside.
    public func enter(
        worker: Int, slot: Int, generation: Int
    ) throws(SystemError) -> (region: StatusRegion, past: StatusRegion) {
        let region = try StatusRegion(loopCount: loopCount)
        let past = try state.withLock { (state) throws(SystemError) -> StatusRegion in
            let past = if let known = state.past[slot] { known } else { try StatusRegion(loopCount: 1) }
            state.past[slot] = past
            past.starts += 1
            state.occupants[worker] = Occupant(slot: slot, generation: generation, region: region)
            return past
        }
        return (region, past)
    }

    /// Takes over the memory of a worker that another process has started, and of those before it in its slot.
    public func adopt(_ region: StatusRegion?, past: StatusRegion?, worker: Int, slot: Int, generation: Int) {
        state.withLock { state in
            if let past, state.past[slot] == nil { state.past[slot] = past }
            if let region { state.occupants[worker] = Occupant(slot: slot, generation: generation, region: region) }
        }
    }

    /// A worker is gone: what it counted is kept for its slot.
    public func leave(worker: Int) {
        state.withLock { state in
            guard let gone = state.occupants.removeValue(forKey: worker) else { return }
            state.past[gone.slot]?.absorb(gone.region.snapshot().past)
        }
    }

    /// The memory of a worker that has not left.
    public func region(of worker: Int) -> StatusRegion? { state.withLock { $0.occupants[worker]?.region } }

    /// What stands here now. Nobody enters or leaves meanwhile, so that nothing is counted twice or not at all.
    public func read() -> Readings {
        state.withLock { state in
            var readings = Readings()
            for (slot, region) in state.past {
                readings.past[slot] = region.snapshot().past
                readings.starts[slot] = region.starts
            }
            for (worker, occupant) in state.occupants.sorted(by: { ($0.value.slot, $0.key) < ($1.value.slot, $1.key) })
            {
                readings.workers.append(
                    Reading(
                        worker: worker, slot: occupant.slot, generation: occupant.generation,
                        status: occupant.region.snapshot()))
            }
            return readings
        }
    }

    /// What was counted since the pool exists.
    public var total: StatusSnapshot {
        let readings = read()
        var total = StatusSnapshot()
        for snapshot in readings.past.values { total.merge(snapshot) }
        for reading in readings.workers { total.merge(reading.status) }
        return total
    }
}
