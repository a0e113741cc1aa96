import Platform
public import Synchronization

/// How an event loop shows that it is alive: a number that changes with everything it does, and is odd while it is at work.
///
/// The loop alone writes, and pays two moves for it; the ``Watchdog`` reads, and brings the clock.
public final class LoopPulse: Sendable {
    @usableFromInline let beats = Atomic<UInt64>(0)
    @usableFromInline let allowance = Atomic<Int64>(0)
    private let inline = Atomic(false)
    private let thread = Atomic<Int32>(0)
    private let blocked = Atomic(false)
    private let interrupter = Mutex<(any LoopInterrupter)?>(nil)

    public init() {}

    // MARK: On the loop

    /// The calling thread is the loop's.
    public func adoptThread() {
        thread.store(ThreadID.current.number, ordering: .relaxed)
        ThreadStack.allowHere()
    }

    /// The loop begins something.
    @inlinable @inline(__always)
    public func beat() { beats.store((beats.load(ordering: .relaxed) &+ 2) | 1, ordering: .relaxed) }

    /// The loop is about to wait.
    @inlinable @inline(__always)
    public func rest() { beats.store((beats.load(ordering: .relaxed) &+ 2) & ~1, ordering: .relaxed) }

    /// What runs now is a request's, and may take so many nanoseconds; 0 says that it is not, any more.
    @inlinable @inline(__always)
    public func allow(_ nanoseconds: Int64) { allowance.store(nanoseconds, ordering: .relaxed) }

    /// Applications are called on the loop and may wait there: blocking it is what they are allowed to do, for as long as
    /// their request may take.
    public func servesInline() { inline.store(true, ordering: .relaxed) }

    // MARK: Elsewhere

    /// The number; odd while the loop is at work.
    public var value: UInt64 { beats.load(ordering: .relaxed) }

    /// Whether the loop has been at one thing for long enough that it should be given nothing more to do.
    public package(set) var isBlocked: Bool {
        get { blocked.load(ordering: .relaxed) }
        set { blocked.store(newValue, ordering: .relaxed) }
    }

    /// Nil before it runs.
    var threadID: ThreadID? {
        let number = thread.load(ordering: .relaxed)
        return number == 0 ? nil : ThreadID(number: number)
    }

    var isInline: Bool { inline.load(ordering: .relaxed) }

    /// How long the loop may be at what it does now; nil is for ever.
    func limit(stuck: Duration?) -> Duration? {
        let own = allowance.load(ordering: .relaxed)
        guard own != 0 else { return stuck }
        if isInline { return own == .max ? nil : .nanoseconds(own) }
        return min(.nanoseconds(own), stuck ?? .nanoseconds(Int64.max))
    }

    /// Who can stop what blocks the loop, on a loop that runs an interpreter.
    package func setInterrupter(_ interrupter: any LoopInterrupter) {
        self.interrupter.withLock { $0 = interrupter }
    }

    var currentInterrupter: (any LoopInterrupter)? { interrupter.withLock { $0 } }
}

/// Stops what blocks a loop, from another thread.
package protocol LoopInterrupter: Sendable {
    /// Has an exception raised in what the loop runs while its pulse is `value`, and in nothing after that, when its thread
    /// gets the signal that is the result.
    func arm(at value: UInt64) -> Int32
    /// Whether the exception that was asked for last was neither raised nor found to come too late.
    var isPending: Bool { get }
    /// Whether the exception was raised.
    func hasRaised(at value: UInt64) -> Bool
    /// Where the loop stands, without disturbing it. May wait for an interpreter's lock.
    func stack() -> String?
}

/// An event loop that the ``Watchdog`` may watch.
public protocol WatchedLoop: AnyObject {
    var pulse: LoopPulse { get }
}
