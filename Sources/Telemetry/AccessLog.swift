import Synchronization

/// One event loop's side of the access log: lines collect here, and the writer's thread takes them.
///
/// Appending never waits for a disk or a pipe. The lock is only ever contended for the instant in which the writer swaps the
/// buffer, some times a second.
public final class AccessLog: Sendable {
    private struct State {
        var formatter: AccessLogFormatter
        var bytes: [UInt8] = []
        var dropped = 0
    }
    private let state: Mutex<State>
    private let limit: Int
    private let wake: @Sendable () -> Void

    init(format: AccessLogFormat, limit: Int, wake: @escaping @Sendable () -> Void) {
        state = Mutex(State(formatter: AccessLogFormatter(format)))
        self.limit = limit
        self.wake = wake
    }

    /// Writes a line, or drops and counts it when the writer has fallen too far behind.
    public func append(_ record: AccessRecord) {
        let wasEmpty = state.withLock { state -> Bool in
            guard state.bytes.count < limit else {
                state.dropped += 1
                return false
            }
            let wasEmpty = state.bytes.isEmpty
            state.formatter.append(record, to: &state.bytes)
            return wasEmpty
        }
        if wasEmpty { wake() }
    }

    /// Takes what has collected, leaving the (empty) replacement.
    /// - Returns: how many lines were dropped since the last time.
    func take(replacement: inout [UInt8]) -> Int {
        state.withLock { state in
            swap(&state.bytes, &replacement)
            defer { state.dropped = 0 }
            return state.dropped
        }
    }
}
