package import NIOCore
import Platform
import Synchronization

/// A call whose deadline has passed and whose client was answered, until the application has left.
package final class OverdueCall: Sendable {
    /// `GET /path`
    let line: String
    let requestID: String
    let limit: TimeAmount
    let answer: OverdueAnswer
    /// Where the application stood, when that is known without a thread.
    private let stack: String?
    /// Has an exception raised in the application. May wait for an interpreter's lock.
    let interrupt: (@Sendable () -> Void)?
    /// What the application does on threads of pools.
    private let works = Mutex<[PooledWork]>([])
    private let isOver = Atomic(false)

    /// The one whose task is being cancelled: what the task has on a thread is added to it.
    @TaskLocal static var cancelling: OverdueCall?

    /// Answers `exchange` in place of the application; then `stack` says where that stands, if it knows.
    package init(
        answering exchange: any Exchange, _ limit: TimeAmount, interrupt: (@Sendable () -> Void)? = nil,
        stack: () -> String? = { nil }
    ) {
        line = exchange.requestLine
        requestID = exchange.requestID
        self.limit = limit
        self.interrupt = interrupt
        answer = exchange.answerOverdue()
        self.stack = stack()
    }

    /// The application has left.
    package func left() { isOver.store(true, ordering: .releasing) }

    var hasLeft: Bool { isOver.load(ordering: .acquiring) }

    func add(_ work: PooledWork) { works.withLock { $0.append(work) } }

    /// What still runs of it on threads.
    var running: [PooledWork] { works.withLock { $0 }.filter(\.isRunning) }

    /// Where it stands, by what was known or by the stacks of its threads; asked on a thread that may wait.
    func standing(_ reader: StackReader) -> String? {
        if let stack { return stack }
        let stacks = running.compactMap { work -> String? in
            // It may have left meanwhile, and its thread be at something else.
            guard let stack = ThreadStack(of: work.threadID), stack.token == work.token else { return nil }
            return reader.text(stack)
        }
        return stacks.isEmpty ? nil : stacks.joined(separator: "\n")
    }
}

/// Makes text of a thread's stack.
struct StackReader: Sendable {
    /// Makes what an interpreter says of its stack readable.
    let format: @Sendable (String) -> String
    /// Frames that the compiler made: they say nothing that the next one does not.
    private static let glue = ["partial apply", "reabstraction thunk", "thunk for", "protocol witness"]

    func text(_ stack: ThreadStack) -> String {
        // Nothing is left of what an interpreter says when the thread runs none of its code.
        let interpreted = stack.text.map(format) ?? ""
        if !interpreted.isEmpty { return interpreted }
        return StackSymbols.lines(stack.addresses)
            .filter { line in !Self.glue.contains { line.hasPrefix($0) } }
            .map { "  \($0)" }.joined(separator: "\n")
    }
}
