public import Logging
public import Platform
import Synchronization

/// Whether there is memory for more connections: closed from a share of the limit on, and open again only once a good part
/// of it is free, so that it does not flap. One for all acceptors of a process.
public final class MemoryGate: Sendable {
    /// Shares of the limit.
    public struct Shares: Sendable {
        public var closing = 0.9
        public var opening = 0.8

        public init(closing: Double = 0.9, opening: Double = 0.8) {
            self.closing = closing
            self.opening = opening
        }
    }

    private struct State {
        var isOpen = true
        var lookAgain = MonotonicTime(nanoseconds: 0)
    }

    /// Between two looks: the files of a cgroup are made anew for each reader.
    private static let interval = Duration.milliseconds(100)

    private let usage: @Sendable () -> MemoryUsage?
    private let shares: Shares
    private let logger: Logger
    private let state = Mutex(State())

    /// A gate that asks `usage` when it is looked at; nil is no limit. `logger` is told when it closes and opens.
    public init(shares: Shares = Shares(), logger: Logger, usage: @escaping @Sendable () -> MemoryUsage?) {
        self.usage = usage
        self.shares = shares
        self.logger = logger
    }

    /// Whether there is room, as of some instants ago at most. Called from any thread but event loops.
    public var isOpen: Bool {
        state.withLock { state in
            let now = MonotonicTime.now()
            guard now >= state.lookAgain else { return state.isOpen }
            state.lookAgain = now + Self.interval
            guard let usage = usage() else {
                state.isOpen = true
                return true
            }
            if state.isOpen, usage.share >= shares.closing {
                state.isOpen = false
                logger.warning("memory: \(Self.text(usage)) are in use; new connections wait until there is room")
                // What the allocator keeps for later, others need now.
                ResidentMemory.giveBackUnused()
            } else if !state.isOpen, usage.share < shares.opening {
                state.isOpen = true
                logger.notice("memory: \(Self.text(usage)) are in use; connections are accepted again")
            }
            return state.isOpen
        }
    }

    private static func text(_ usage: MemoryUsage) -> String {
        "\(usage.used >> 20) of \(usage.limit >> 20) MiB"
    }
}
