import Synchronization

/// What a request spends its time on, and where an error was thrown, noted down while it is answered: for ``DebugToolbar`` and
/// ``DebugPage``. There is none without `debug`.
final class RequestProfile: Sendable {
    /// The one of the request that this task, or this call on a thread, works for.
    @TaskLocal static var current: RequestProfile?

    /// A statement that the database has run.
    struct Statement: Sendable {
        let sql: String
        let duration: Duration
    }

    /// A page, or a part of one, that was rendered.
    struct Rendered: Sendable {
        let template: String
        /// What it extends and includes.
        var others: [String]
        let duration: Duration
    }

    struct Notes: Sendable {
        var routing = Duration.zero
        var view = Duration.zero
        var statements: [Statement] = []
        var rendered: [Rendered] = []
        var thrown: [ThrowTrace] = []
    }

    /// Whether the page is to show it.
    let isShown: Bool
    private let begun = ContinuousClock.now
    private let state = Mutex(Notes())

    init(isShown: Bool) { self.isShown = isShown }

    /// Keeps where an error was thrown; of many, the last ones.
    func keep(_ trace: ThrowTrace) {
        note {
            guard !$0.thrown.contains(where: trace.isAgain) else { return }
            if $0.thrown.count == 4 { $0.thrown.removeFirst() }
            $0.thrown.append(trace)
        }
    }

    /// What was noted so far.
    var notes: Notes { state.withLock { $0 } }

    /// The time since the request began.
    var elapsed: Duration { begun.duration(to: .now) }

    func routing<Result>(_ body: () -> Result) -> Result {
        let begun = ContinuousClock.now
        defer { note { $0.routing += begun.duration(to: .now) } }
        return body()
    }

    nonisolated(nonsending) func view<Result>(_ body: () async throws -> Result) async rethrows -> Result {
        let begun = ContinuousClock.now
        defer { note { $0.view += begun.duration(to: .now) } }
        return try await body()
    }

    func statement<Result>(_ sql: String, _ body: () throws -> Result) rethrows -> Result {
        let begun = ContinuousClock.now
        defer { statement(sql, since: begun) }
        return try body()
    }

    func statement(_ sql: String, since begun: ContinuousClock.Instant) {
        note { $0.statements.append(Statement(sql: sql, duration: begun.duration(to: .now))) }
    }

    /// Renders `template`; `body` is given what to call with each further template.
    func rendering<Result, Failure: Error>(
        _ template: String, _ body: (@escaping @Sendable (String) -> Void) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let others = Others()
        let begun = ContinuousClock.now
        defer {
            note {
                $0.rendered.append(
                    Rendered(template: template, others: others.names, duration: begun.duration(to: .now)))
            }
        }
        return try body { others.add($0) }
    }

    private func note(_ change: (inout Notes) -> Void) { state.withLock { change(&$0) } }

    /// Names, each once, in the order they came.
    private final class Others: Sendable {
        private let list = Mutex<[String]>([])
        var names: [String] { list.withLock { $0 } }
        func add(_ name: String) { list.withLock { if !$0.contains(name) { $0.append(name) } } }
    }
}

/// Notes down how long a transaction waits for the lock, and how long it takes to be written.
struct TransactionWatch {
    private let profile: RequestProfile
    private var step = ContinuousClock.now

    init(_ profile: RequestProfile) { self.profile = profile }

    func hasBegun() { profile.statement("BEGIN IMMEDIATE", since: step) }

    mutating func isEnding() { step = .now }

    func hasEnded() { profile.statement("COMMIT", since: step) }
}
