import NIOCore

/// Connections of one loop whose output leaves together at the end of the turn.
///
/// Whoever reads on another processor is woken once for all of it instead of once for each response, which can cost more
/// than to answer a quick request. Nothing waits for long: once the first has waited for ``longestWait``, all of it leaves
/// with the next. (A handler that blocks the loop holds up what waits, as it does everything else.)
final class FlushQueue {
    /// Bytes of an answer that is worth waiting for others.
    static let largest = 2 * 1024
    /// In nanoseconds.
    private static let longestWait: UInt64 = 500_000

    private let eventLoop: ServerLoop
    private var waiting: [HTTP1Connection] = []
    /// When the first of them began to wait.
    private var since: UInt64 = 0

    init(_ eventLoop: ServerLoop) { self.eventLoop = eventLoop }

    /// `connection` has something to send, and does not wait yet.
    func add(_ connection: HTTP1Connection) {
        waiting.append(connection)
        if waiting.count == 1 {
            since = eventLoop.clock
            eventLoop.assumeIsolated().execute { [self] in flush() }
        } else if eventLoop.clock &- since > Self.longestWait {
            flush()
        }
    }

    private func flush() {
        let connections = waiting
        waiting = []
        for connection in connections { connection.flushQueued() }
    }
}
