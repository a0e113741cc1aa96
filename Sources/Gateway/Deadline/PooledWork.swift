import Platform
import Synchronization

/// One piece of work for a thread of a pool: where it stands, as the event loop that asked for it, the thread, and the
/// ``Watchdog`` see it at the same time.
package final class PooledWork: Sendable {
    private enum Step {
        static let queued: UInt8 = 0
        static let running: UInt8 = 1
        /// Running on a thread that another one has taken the place of.
        static let replaced: UInt8 = 2
        static let done: UInt8 = 3
        /// Taken back before a thread took it up.
        static let revoked: UInt8 = 4
        /// Beside `running` and `replaced`: an exception was, or is being, sent to the thread.
        static let interrupted: UInt8 = 8
    }

    private let step = Atomic<UInt8>(Step.queued)
    private let thread = Atomic<Int32>(0)
    private let handle = Atomic<UInt>(0)
    private let cancelled = Atomic(false)
    private let pool: ThreadPool

    /// Work for a thread of `pool`.
    init(for pool: ThreadPool) { self.pool = pool }

    // MARK: On the thread

    /// A thread takes it up; false when it was taken back.
    func begin(on thread: PoolThread) -> Bool {
        self.thread.store(thread.id.number, ordering: .relaxed)
        handle.store(thread.handle, ordering: .relaxed)
        ThreadWork.begin(token: token)
        return step.compareExchange(expected: Step.queued, desired: Step.running, ordering: .acquiringAndReleasing)
            .exchanged
    }

    /// What the thread has to do after the work.
    struct End {
        /// An exception was sent that may not have been raised yet: it must not be raised in what comes next.
        let isInterrupted: Bool
        /// Another thread has taken this one's place.
        let isReplaced: Bool
    }

    /// It is done.
    func end() -> End {
        let before = step.exchange(Step.done, ordering: .sequentiallyConsistent)
        ThreadWork.begin(token: 0)
        return End(
            isInterrupted: before & Step.interrupted != 0, isReplaced: before & ~Step.interrupted == Step.replaced)
    }

    // MARK: Elsewhere

    /// Takes it back; false when a thread has taken it up.
    func revoke() -> Bool {
        cancelled.store(true, ordering: .sequentiallyConsistent)
        return step.compareExchange(expected: Step.queued, desired: Step.revoked, ordering: .acquiringAndReleasing)
            .exchanged
    }

    /// Whether nobody waits for it any more.
    var isCancelled: Bool { cancelled.load(ordering: .sequentiallyConsistent) }

    /// Whether a thread is at it.
    package var isRunning: Bool { Self.isAtWork(step.load(ordering: .sequentiallyConsistent)) }

    /// Whether a thread is at it or will be.
    var isUnfinished: Bool { isRunning || step.load(ordering: .relaxed) == Step.queued }

    /// What its thread's stack is known by while the thread is at it.
    var token: UInt { UInt(bitPattern: ObjectIdentifier(self)) }

    var threadID: ThreadID { ThreadID(number: thread.load(ordering: .relaxed)) }

    /// `pthread_self` of its thread.
    package var threadHandle: UInt { handle.load(ordering: .relaxed) }

    /// Notes that an exception is about to be sent to the thread; false when the work is done, and none must be.
    package func markInterrupted() -> Bool { change { Self.isAtWork($0) ? $0 | Step.interrupted : nil } }

    /// Puts another thread in the place of the one that is at it, which ends when it comes back. False when the pool has
    /// done so too often.
    func replaceThread() -> Bool {
        let handle = threadHandle
        let isReplaced = change { step in
            step & ~Step.interrupted == Step.running ? Step.replaced | step & Step.interrupted : nil
        }
        return !isReplaced || pool.replaceThread(handle)
    }

    private static func isAtWork(_ step: UInt8) -> Bool {
        let step = step & ~Step.interrupted
        return step == Step.running || step == Step.replaced
    }

    /// Goes to the step that follows from the present one; false when none does.
    private func change(_ next: (UInt8) -> UInt8?) -> Bool {
        var now = step.load(ordering: .acquiring)
        while let wanted = next(now) {
            let (isDone, found) = step.compareExchange(
                expected: now, desired: wanted, ordering: .acquiringAndReleasing)
            if isDone { return true }
            now = found
        }
        return false
    }
}

/// A thread of a pool.
struct PoolThread: Sendable {
    let id: ThreadID
    /// `pthread_self`, by which interpreters know it.
    let handle: UInt
}

/// Whether a deadline has passed, for code that can look.
public enum RequestDeadline {
    @TaskLocal static var work: PooledWork?

    /// Whether nobody waits any more for what the calling code does: its request's `timeouts.request` has passed, or its
    /// task was cancelled. For a synchronous view, or WSGI application, that takes long and can stop.
    public static var hasPassed: Bool { work?.isCancelled ?? false || Task.isCancelled }
}
