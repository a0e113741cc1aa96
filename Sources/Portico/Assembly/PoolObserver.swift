import Gateway
import Telemetry

/// Writes what the threads for synchronous work do into the status memory.
struct PoolObserver: ThreadPoolObserver {
    let status: PoolStatus

    func jobStarted(waited nanoseconds: UInt64, waiting: Int, busy: Int) {
        status.started(afterNanoseconds: nanoseconds)
        status.setQueued(waiting)
        status.setBusy(busy)
    }

    func queueChanged(waiting: Int) { status.setQueued(waiting) }

    func jobEnded(busy: Int) { status.setBusy(busy) }

    func jobsRefused(_ count: Int) { status.refused(count) }
}
