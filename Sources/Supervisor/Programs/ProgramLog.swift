import Glibc
import Logging
import Platform
import Synchronization

/// Writes the programs' lines to the log, on a thread of its own, so that a log nobody reads stops neither the programs nor
/// whoever watches over them: then lines are dropped, and counted.
final class ProgramLog: Sendable {
    /// So many bytes may wait.
    private static let limit = 1 << 20

    private struct State {
        var lines: [(program: String, text: String)] = []
        var bytes = 0
        var dropped: [String: Int] = [:]
        var isClosing = false
        var isWriting = false
    }
    private let state = Mutex(State())
    private let wake: EventCounter
    private let idle: EventCounter
    private let logger: @Sendable (String) -> Logger

    /// - Parameter logger: the logger of a program.
    init(logger: @escaping @Sendable (String) -> Logger) throws(SystemError) {
        wake = try EventCounter()
        idle = try EventCounter()
        self.logger = logger
        try DedicatedThread.start(name: "program-log", stackSize: 256 * 1024) { [self] in run() }
    }

    func add(_ lines: [String], of program: String) {
        guard !lines.isEmpty else { return }
        state.withLock { state in
            for line in lines {
                if state.bytes + line.utf8.count > Self.limit {
                    state.dropped[program, default: 0] += 1
                } else {
                    state.lines.append((program, line))
                    state.bytes += line.utf8.count + 64
                }
            }
        }
        wake.signal()
    }

    /// Waits until what was added is written, but not for long.
    func flush() {
        let deadline = MonotonicTime.now() + .seconds(2)
        while state.withLock({ $0.isWriting || !$0.lines.isEmpty }), MonotonicTime.now() < deadline { usleep(1_000) }
    }

    /// Waits until what was added is written, but not for long; nothing is written afterwards.
    func close() {
        state.withLock { $0.isClosing = true }
        wake.signal()
        idle.wait(within: .seconds(2))
    }

    private func run() {
        var loggers: [String: Logger] = [:]
        while true {
            wake.wait()
            let (lines, dropped, isClosing) = state.withLock { state in
                defer {
                    state.lines = []
                    state.bytes = 0
                    state.dropped = [:]
                }
                state.isWriting = true
                return (state.lines, state.dropped, state.isClosing)
            }
            for line in lines {
                let logger = loggers[line.program] ?? logger(line.program)
                loggers[line.program] = logger
                logger.info("\(line.text)")
            }
            for (program, count) in dropped.sorted(by: { $0.key < $1.key }) {
                logger(program).warning("\(count) lines were dropped: the log does not keep up")
            }
            state.withLock { $0.isWriting = false }
            if isClosing { return idle.signal() }
        }
    }
}
