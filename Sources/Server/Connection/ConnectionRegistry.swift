import Gateway
import NIOCore

/// The open connections of one event loop, looked through a few times a second for those whose time is up.
///
/// One timer a loop instead of one a connection: a sweep over ten thousand connections takes well under a millisecond,
/// and setting a deadline costs the request path one store.
final class ConnectionRegistry {
    private var head: HTTP1Connection?
    private(set) var count = 0
    private let eventLoop: ServerLoop
    private let interval: TimeAmount
    /// Between two sweeps while the server drains: those who wait for its end wait for them.
    private static let drainInterval = TimeAmount.milliseconds(50)
    private var isDraining = false
    private var isScheduled = false
    /// Calls whose clients have left before they were answered: they have their limit all the same.
    private var orphans: [Orphan] = []
    /// How many sweeps were scheduled: the number of the last.
    private var scheduled = 0
    /// Called with every sweep, and when the first connection comes after a pause.
    var onSweep: () -> Void = {}

    init(eventLoop: ServerLoop, interval: TimeAmount) {
        self.eventLoop = eventLoop
        self.interval = interval
    }

    func insert(_ connection: HTTP1Connection) {
        connection.nextInRegistry = head
        head?.previousInRegistry = connection
        head = connection
        count += 1
        if !isScheduled {
            onSweep()
            schedule()
        }
    }

    func remove(_ connection: HTTP1Connection) {
        if let previous = connection.previousInRegistry {
            previous.nextInRegistry = connection.nextInRegistry
        } else if head === connection {
            head = connection.nextInRegistry
        } else {
            return
        }
        connection.nextInRegistry?.previousInRegistry = connection.previousInRegistry
        connection.nextInRegistry = nil
        connection.previousInRegistry = nil
        count -= 1
    }

    /// Calls `body` with each connection; it may close the one it is given.
    func forEach(_ body: (HTTP1Connection) -> Void) {
        var current = head
        while let connection = current {
            current = connection.nextInRegistry
            body(connection)
        }
    }

    /// From now on connections are looked at often.
    func beginDraining() {
        isDraining = true
        // One more than is scheduled already, which comes too late for the first of them.
        if head != nil { schedule() }
    }

    private func schedule() {
        isScheduled = true
        let delay = isDraining ? min(interval, Self.drainInterval) : interval
        scheduled += 1
        eventLoop.assumeIsolated().scheduleTask(in: delay) { [weak self, scheduled] in
            // One that was overtaken does nothing.
            if let self, self.scheduled == scheduled { self.sweep() }
        }
    }

    private func sweep() {
        isScheduled = false
        onSweep()
        let now = NIODeadline.now()
        forEach { $0.checkDeadline(now) }
        if !orphans.isEmpty { sweepOrphans(now) }
        if head != nil || !orphans.isEmpty { schedule() }
    }

    /// A call without a client.
    private struct Orphan {
        let call: any ExchangeCall
        let limit: Int64
        let due: UInt64
    }

    /// Keeps an eye on a call whose client has left. `due` is 0 when it was not set yet.
    func adopt(_ call: any ExchangeCall, _ limit: Int64, due: UInt64) {
        guard call.isRunning else { return }
        let due = due == 0 ? NIODeadline.now().uptimeNanoseconds &+ UInt64(limit) : due
        orphans.append(Orphan(call: call, limit: limit, due: due))
        if !isScheduled { schedule() }
    }

    private func sweepOrphans(_ now: NIODeadline) {
        let looked = orphans
        orphans = []
        for orphan in looked where orphan.call.isRunning {
            if orphan.due > now.uptimeNanoseconds {
                orphans.append(orphan)
            } else {
                orphan.call.limitPassed(.nanoseconds(orphan.limit))
            }
        }
    }
}
