import Gateway
import Glibc
import Platform

/// How busy a worker is between two looks.
struct LoadMeter {
    private var lastLook = MonotonicTime.now()
    private var last: (started: UInt64, queueNanoseconds: UInt64) = (0, 0)
    private var lastProcessor = Self.processorTime

    /// How long requests wait for a thread, on average: those that got one since the last look, or, when none did though some
    /// wait, at least that long. And how busy the worker was, in thousandths: the share of one processor's time or of its
    /// threads, whichever is more.
    mutating func measure(_ counts: ThreadPool.Counts, threads: Int) -> (queue: Duration, busyPermille: UInt64) {
        let now = MonotonicTime.now()
        let processor = Self.processorTime
        let elapsed = max(1, (now - lastLook).wholeNanoseconds)
        let begun = counts.started &- last.started
        let queue: Duration
        if begun > 0 {
            queue = .nanoseconds(Int64(clamping: (counts.queueNanoseconds &- last.queueNanoseconds) / begun))
        } else {
            queue = counts.queued > 0 ? .nanoseconds(elapsed) : .zero
        }
        let processorShare = (processor - lastProcessor).wholeNanoseconds * 1000 / elapsed
        let threadShare = Int64(counts.busy * 1000 / max(1, threads))
        lastLook = now
        last = (counts.started, counts.queueNanoseconds)
        lastProcessor = processor
        return (queue, UInt64(clamping: min(1000, max(processorShare, threadShare))))
    }

    private static var processorTime: Duration {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
