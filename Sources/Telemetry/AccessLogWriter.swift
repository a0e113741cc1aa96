import Platform
import Synchronization

/// Something an operator should hear about the access log; said on the writer's thread.
public enum AccessLogProblem: Equatable, Sendable, CustomStringConvertible {
    /// So many lines were lost because writing was slower than serving.
    case dropped(lines: Int)
    /// So many lines were lost because they could not be written: a full disk, a closed pipe.
    case writeFailed(SystemError, lines: Int)
    /// The file could not be opened anew; the old one goes on being used.
    case reopenFailed(SystemError)

    public var description: String {
        switch self {
        case .dropped(let lines): "access log: \(lines) lines dropped, writing is too slow"
        case .writeFailed(let error, let lines): "access log: \(lines) lines lost: \(error)"
        case .reopenFailed(let error): "access log: not reopened, the old file stays in use: \(error)"
        }
    }
}

/// Writes the access log on one thread, for all event loops of a process.
///
/// Memory is bounded: each loop keeps at most `bufferLimit` bytes and drops lines beyond. Losses are counted and reported, at
/// most once in ten seconds. SIGPIPE must be ignored in the process.
public final class AccessLogWriter: Sendable {
    private let format: AccessLogFormat
    private let bufferLimit: Int
    private let onProblem: @Sendable (AccessLogProblem) -> Void
    private let wake: EventCounter

    private struct State {
        var logs: [AccessLog] = []
        var wantsReopen = false
        var isStopping = false
        var hasStopped = false
        /// Threads that wait until what they appended is written.
        var waiters: [EventCounter] = []
    }
    private let state = Mutex(State())

    /// How long lines may collect before they are written.
    private static let interval: Duration = .milliseconds(100)
    private static let reportInterval: Duration = .seconds(10)

    /// Opens the destination and starts the thread.
    /// - Parameters:
    ///   - bufferLimit: bytes that one loop may be ahead of the writer.
    ///   - onProblem: told about losses, on the writer's thread.
    public init(
        _ destination: AccessLogDestination, format: AccessLogFormat, bufferLimit: Int = 4 << 20,
        onProblem: @escaping @Sendable (AccessLogProblem) -> Void
    ) throws(SystemError) {
        self.format = format
        self.bufferLimit = bufferLimit
        self.onProblem = onProblem
        wake = try EventCounter()
        let output = try AccessLogOutput(destination)
        try DedicatedThread.start(name: "access-log", stackSize: 256 * 1024) { [self] in run(output) }
    }

    /// A new buffer, for one event loop.
    public func makeLog() -> AccessLog {
        let log = AccessLog(format: format, limit: bufferLimit) { [wake] in wake.signal() }
        state.withLock { $0.logs.append(log) }
        return log
    }

    /// Opens the file anew, after a log rotation has moved it away. Does nothing for the standard output.
    public func reopen() {
        state.withLock { $0.wantsReopen = true }
        wake.signal()
    }

    /// Waits until everything appended before is written (or lost, and said so).
    /// - Returns: false when that took longer than the limit, or the writer was closed before.
    @discardableResult
    public func flush(within limit: Duration = .seconds(2)) -> Bool {
        guard let waiter = try? EventCounter() else { return false }
        let isRunning = state.withLock { state in
            if !state.hasStopped { state.waiters.append(waiter) }
            return !state.hasStopped
        }
        guard isRunning else { return false }
        wake.signal()
        return waiter.wait(within: limit)
    }

    /// Writes what is left and ends the thread; to be called before the process exits.
    @discardableResult
    public func close(within limit: Duration = .seconds(2)) -> Bool {
        state.withLock { $0.isStopping = true }
        return flush(within: limit)
    }

    private func run(_ output: AccessLogOutput) {
        var buffer: [UInt8] = []
        var dropped = 0
        var unwritten = 0
        var failure: SystemError?
        var lastReport: MonotonicTime?
        while true {
            wake.wait()
            let isUrgent = state.withLock { !$0.waiters.isEmpty || $0.isStopping || $0.wantsReopen }
            if !isUrgent { wake.wait(within: AccessLogWriter.interval) }

            let task = state.withLock { state in
                defer {
                    state.wantsReopen = false
                    state.waiters = []
                    state.hasStopped = state.isStopping
                }
                return state
            }
            if task.wantsReopen {
                do { try output.reopen() } catch { onProblem(.reopenFailed(error)) }
            }
            for log in task.logs {
                dropped += log.take(replacement: &buffer)
                if let loss = output.write(buffer) {
                    unwritten += loss.lines
                    failure = loss.error
                }
                buffer.removeAll(keepingCapacity: buffer.capacity <= 1 << 20)
            }
            let isReportDue = lastReport.map { .now() - $0 >= AccessLogWriter.reportInterval } ?? true
            if isReportDue || task.isStopping {
                if let error = failure { onProblem(.writeFailed(error, lines: unwritten)) }
                if dropped > 0 { onProblem(.dropped(lines: dropped)) }
                if failure != nil || dropped > 0 { lastReport = .now() }
                (dropped, unwritten, failure) = (0, 0, nil)
            }
            for waiter in task.waiters { waiter.signal() }
            if task.isStopping { return }
        }
    }
}
