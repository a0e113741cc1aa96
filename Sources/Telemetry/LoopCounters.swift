import Synchronization

/// What one event loop counts, without locks: only that loop writes, anybody may read.
///
/// A plain load and store instead of an atomic addition: there is one writer, so nothing can be lost, and the loop pays for no
/// bus lock. Each object lies in memory of its own, so loops do not slow each other down by sharing cache lines.
public final class LoopCounters: Sendable {
    private let padding0 = Padding()
    private let requests1 = Atomic<UInt64>(0)
    private let requests2 = Atomic<UInt64>(0)
    private let requests3 = Atomic<UInt64>(0)
    private let requests4 = Atomic<UInt64>(0)
    private let requests5 = Atomic<UInt64>(0)
    private let bytesIn = Atomic<UInt64>(0)
    private let bytesOut = Atomic<UInt64>(0)
    private let accepted = Atomic<UInt64>(0)
    private let closed = Atomic<UInt64>(0)
    private let started = Atomic<UInt64>(0)
    private let finished = Atomic<UInt64>(0)
    private let rejects = Atomic<UInt64>(0)
    private let padding1 = Padding()

    public init() {}

    /// A connection was accepted.
    public func connectionAccepted() { LoopCounters.add(1, to: accepted) }
    /// A connection was closed.
    public func connectionClosed() { LoopCounters.add(1, to: closed) }
    /// A request's head has arrived. To be followed by exactly one ``requestFinished(status:)``.
    public func requestStarted() { LoopCounters.add(1, to: started) }
    /// A request is answered, or was given up; status 0 when no status was sent.
    public func requestFinished(status: Int) {
        LoopCounters.add(1, to: finished)
        switch status {
        case 100..<200: LoopCounters.add(1, to: requests1)
        case 200..<300: LoopCounters.add(1, to: requests2)
        case 300..<400: LoopCounters.add(1, to: requests3)
        case 400..<500: LoopCounters.add(1, to: requests4)
        case 500..<600: LoopCounters.add(1, to: requests5)
        default: break
        }
    }
    /// Bytes came from clients.
    public func received(bytes: Int) { LoopCounters.add(UInt64(max(0, bytes)), to: bytesIn) }
    /// Bytes went to clients.
    public func sent(bytes: Int) { LoopCounters.add(UInt64(max(0, bytes)), to: bytesOut) }
    /// A request was refused because the queue in front of the threads was full.
    public func queueRejected() { LoopCounters.add(1, to: rejects) }

    /// The values now, readable from any thread; each is exact, but they are not of one instant.
    public var snapshot: WorkerCounters {
        // What ends is read before what begins, so that differences never become negative.
        let closed = closed.load(ordering: .acquiring)
        let finished = finished.load(ordering: .acquiring)
        var counters = WorkerCounters()
        counters.informational = requests1.load(ordering: .relaxed)
        counters.successful = requests2.load(ordering: .relaxed)
        counters.redirected = requests3.load(ordering: .relaxed)
        counters.clientErrors = requests4.load(ordering: .relaxed)
        counters.serverErrors = requests5.load(ordering: .relaxed)
        counters.requests = finished
        counters.inFlight = started.load(ordering: .relaxed) &- finished
        counters.connectionsAccepted = accepted.load(ordering: .relaxed)
        counters.connectionsOpen = counters.connectionsAccepted &- closed
        counters.bytesIn = bytesIn.load(ordering: .relaxed)
        counters.bytesOut = bytesOut.load(ordering: .relaxed)
        counters.queueRejects = rejects.load(ordering: .relaxed)
        return counters
    }

    @inline(__always)
    private static func add(_ amount: UInt64, to counter: borrowing Atomic<UInt64>) {
        counter.store(counter.load(ordering: .relaxed) &+ amount, ordering: .releasing)
    }

    /// Keeps neighbours in memory off the counters' cache lines.
    private struct Padding: Sendable {
        let bytes: (UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0, 0, 0, 0, 0)
    }
}
