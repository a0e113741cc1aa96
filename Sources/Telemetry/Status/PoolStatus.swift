import Platform

/// What the threads for synchronous work say about themselves. Written under the lock of the pool's queue, except for what
/// is said to be shared.
public final class PoolStatus: Sendable {
    private let memory: SharedMemory
    private let start: StatusWord
    let waits: HistogramCells

    enum Word: Int { case threads, busy, queued, refused, lockWaits, lockWaitTime }

    init(_ memory: SharedMemory, at start: Int) {
        self.memory = memory
        self.start = StatusWord(memory.address, start)
        waits = HistogramCells(memory.address, start + 16)
    }

    func word(_ index: Word) -> StatusWord { start.advanced(by: index.rawValue) }

    /// How many threads there are.
    public func setThreads(_ count: Int) { word(.threads).set(UInt64(clamping: count)) }

    /// Jobs that wait for a thread now.
    public func setQueued(_ count: Int) { word(.queued).set(UInt64(clamping: count)) }

    /// Threads that run a job now. Shared.
    public func setBusy(_ count: Int) { word(.busy).set(UInt64(clamping: count)) }

    /// A thread has taken up a job that waited so long.
    public func started(afterNanoseconds waited: UInt64) { waits.record(waited) }

    /// Jobs were refused. Shared.
    public func refused(_ count: Int) { word(.refused).addShared(UInt64(clamping: count)) }

    /// Where Python's side counts how often its lock was asked for, and behind it how many nanoseconds that took. Valid as long
    /// as the region.
    public var lockWaits: UnsafeMutablePointer<UInt64> {
        UnsafeMutableRawPointer(word(.lockWaits).address).assumingMemoryBound(to: UInt64.self)
    }

    var snapshot: ThreadsSnapshot {
        var pool = ThreadsSnapshot()
        pool.threads = word(.threads).value
        pool.busy = word(.busy).value
        pool.queued = word(.queued).value
        pool.refused = word(.refused).value
        pool.lockWaits = word(.lockWaits).value
        pool.lockWaitNanoseconds = word(.lockWaitTime).value
        pool.queueTime = waits.value
        return pool
    }
}
