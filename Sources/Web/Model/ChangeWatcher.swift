import Dispatch
import GRDB
import Synchronization

/// Notices commits to a database, by whatever process, and tells those who wait for them.
///
/// SQLite keeps a number for that (`PRAGMA data_version`), which is asked a few times a second while somebody waits, by
/// one connection for all of them, and not at all while nobody does.
final class ChangeWatcher: Sendable {
    private struct State {
        var waiting: [Int: AsyncStream<Void>.Continuation] = [:]
        var nextID = 0
        var isRunning = false
        var isStopped = false
    }

    /// What the version of the data is asked of; used on `queue` alone.
    private struct Source {
        var connection: DatabaseQueue?
        var version: Int64?
    }

    private static let interval = DispatchTimeInterval.milliseconds(200)

    private let state = Mutex(State())
    private let source = Mutex(Source())
    private let queue = DispatchQueue(label: "database changes")
    private let open: @Sendable () throws -> DatabaseQueue
    private let query: String

    /// Watches the file at `path`.
    init(path: String) {
        open = {
            var configuration = Configuration()
            configuration.readonly = true
            return try DatabaseQueue(path: path, configuration: configuration)
        }
        query = "PRAGMA data_version"
    }

    /// Watches a database in memory, which has one connection alone.
    init(memory: DatabaseQueue) {
        open = { memory }
        query = "SELECT total_changes()"
    }

    /// One element at once, and one after each commit from now on; several commits may come to one.
    func changes() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let (id, starts) = state.withLock { state in
            guard !state.isStopped else { return (-1, false) }
            state.nextID += 1
            state.waiting[state.nextID] = continuation
            defer { state.isRunning = true }
            return (state.nextID, !state.isRunning)
        }
        guard id >= 0 else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            self?.state.withLock { $0.waiting[id] = nil }
        }
        continuation.yield()
        if starts { queue.async { self.look() } }
        return stream
    }

    /// The database closes: nobody waits any longer.
    func stop() {
        let waiting = state.withLock { state in
            defer { state.waiting = [:] }
            state.isStopped = true
            return state.waiting.values
        }
        for continuation in waiting { continuation.finish() }
        queue.sync { source.withLock { $0 = Source() } }
    }

    private func look() {
        let goesOn = state.withLock { state in
            state.isRunning = !state.waiting.isEmpty
            return state.isRunning
        }
        guard goesOn else { return source.withLock { $0 = Source() } }
        if hasChanged() {
            for continuation in state.withLock({ $0.waiting.values }) { continuation.yield() }
        }
        queue.asyncAfter(deadline: .now() + Self.interval) { [weak self] in self?.look() }
    }

    /// Whether the version differs from the last one that was seen. A database that cannot be asked now is asked again
    /// the next time.
    private func hasChanged() -> Bool {
        source.withLock { source in
            do {
                let connection = try source.connection ?? open()
                source.connection = connection
                let version = try connection.inDatabase { try Int64.fetchOne($0, sql: query) }
                defer { source.version = version }
                return source.version != version
            } catch {
                return false
            }
        }
    }
}
