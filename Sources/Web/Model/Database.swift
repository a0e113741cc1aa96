import FoundationEssentials
import GRDB
import Glibc

/// Where a site's data is.
public enum DatabaseLocation: Sendable, Equatable {
    /// In memory, gone with the application: for tests.
    case memory
    /// In this SQLite file, made when it does not exist.
    case file(String)
}

/// A site's SQLite database: one writer and several readers at a time (WAL). Shared by all threads; calls block, so they
/// belong into synchronous views.
public final class Database: DatabaseAccess, Sendable {
    /// The file's path, or `:memory:`.
    public let path: String
    private let writer: any DatabaseWriter
    private let watcher: ChangeWatcher
    /// Whether statements are noted down for the request they are run for.
    private let isProfiled: Bool

    /// How long a connection waits for another's lock.
    let lockTimeout: Duration

    /// Opens the database, and makes it when there is none.
    public init(
        _ location: DatabaseLocation, readerCount: Int = 8, lockTimeout: Duration = .seconds(5),
        isProfiled: Bool = false
    ) throws(DatabaseError) {
        self.isProfiled = isProfiled
        self.lockTimeout = lockTimeout
        var configuration = Configuration()
        configuration.busyMode = .timeout(lockTimeout / .seconds(1))
        configuration.foreignKeysEnabled = true
        configuration.maximumReaderCount = readerCount
        configuration.prepareDatabase { connection in
            // With WAL, NORMAL loses nothing to a crash of the process, and no consistency to one of the machine.
            try connection.execute(sql: "PRAGMA synchronous = NORMAL; PRAGMA secure_delete = OFF")
        }
        switch location {
        case .memory:
            path = ":memory:"
            do {
                let queue = try DatabaseQueue(configuration: configuration)
                writer = queue
                watcher = ChangeWatcher(memory: queue)
            } catch {
                throw DatabaseError(error, path: ":memory:")
            }
        case .file(let file):
            path = file
            watcher = ChangeWatcher(path: file)
            try Self.checkDirectory(of: file)
            do { writer = try DatabasePool(path: file, configuration: configuration) } catch {
                throw Self.openError(error, file)
            }
        }
    }

    /// Whether there is a database at `location`. Throws when even its directory is missing.
    static func exists(_ location: DatabaseLocation) throws(DatabaseError) -> Bool {
        guard case .file(let file) = location else { return false }
        try checkDirectory(of: file)
        return access(file, F_OK) == 0
    }

    private static func checkDirectory(of file: String) throws(DatabaseError) {
        let directory = directory(of: file)
        var status = stat()
        guard stat(directory, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw .missingDirectory(path: file)
        }
    }

    /// SQLite calls much "unable to open"; what the file system says about it helps more.
    private static func openError(_ error: any Error, _ file: String) -> DatabaseError {
        let error = DatabaseError(error, path: file)
        guard case .cannotOpen = error else { return error }
        let directory = Self.directory(of: file)
        if access(file, F_OK) == 0 {
            var status = stat()
            if stat(file, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
                return .cannotOpen(path: file, reason: "it is a directory")
            }
            if access(file, R_OK) == 0 { return .readOnly(path: file) }
        } else if access(directory, W_OK) != 0 {
            return .readOnly(path: file)
        }
        return error
    }

    /// Closes all connections once they are idle.
    public func close() {
        watcher.stop()
        let turn = takeTurn()
        defer { if turn >= 0 { _ = Glibc.close(turn) } }
        // What stands in the log goes into the file, as far as that needs no waiting for others: the file is then whole
        // by itself. Whatever fails here is done by whoever opens the database next.
        try? writer.writeWithoutTransaction { try $0.execute(sql: "PRAGMA wal_checkpoint(PASSIVE)") }
        // The connections that only read go first: the last one of all has to be one that may take the log away.
        (writer as? DatabasePool)?.invalidateReadOnlyConnections()
        try? writer.close()
    }

    /// A descriptor to be closed when the database is: of several processes that closed it at once none would be the last,
    /// which alone may take the log away. Goes ahead where its turn does not come within two seconds; -1 where there is nothing
    /// to wait with.
    private func takeTurn() -> CInt {
        guard writer is DatabasePool else { return -1 }
        let directory = open(Self.directory(of: path), O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { return -1 }
        for _ in 0..<400 {
            if flock(directory, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK { break }
            usleep(5_000)
        }
        return directory
    }

    private static func directory(of file: String) -> String {
        file.lastIndex(of: "/").map { String(file[...$0]) } ?? "."
    }

    /// Tells of changes: one element at once, and one soon after each commit to the database, by this process or another
    /// one. Several commits may come to one element. The sequence ends when the database is closed.
    public var changes: AsyncStream<Void> { watcher.changes() }

    /// Runs `body` in one transaction that can write (`BEGIN IMMEDIATE`): all of it happens, or, when `body` throws, none.
    public func transaction<Result>(_ body: (Transaction) throws -> Result) throws -> Result {
        let profile = profile
        return try translated {
            try writer.writeWithoutTransaction { connection in
                var result: Result?
                var watch = profile.map(TransactionWatch.init)
                try connection.inTransaction(.immediate) {
                    watch?.hasBegun()
                    result = try body(Transaction(connection, profile, path: path))
                    watch?.isEnding()
                    return .commit
                }
                watch?.hasEnded()
                guard let result else { throw DatabaseError.statement(reason: "the transaction was not run") }
                return result
            }
        }
    }

    /// Runs `body` with the writing connection outside a transaction.
    func withWriter<Result>(_ body: (GRDB.Database) throws -> Result) throws(DatabaseError) -> Result {
        do { return try writer.writeWithoutTransaction(body) } catch { throw DatabaseError(error, path: path) }
    }

    public func read<Result>(_ body: (Connection) throws -> Result) throws(DatabaseError) -> Result {
        let profile = profile
        // One statement is consistent by itself: it needs no transaction around it.
        do { return try writer.unsafeRead { try body(Connection($0, profile)) } } catch {
            throw DatabaseError(error, path: path)
        }
    }

    public func write<Result>(_ body: (Connection) throws -> Result) throws(DatabaseError) -> Result {
        let profile = profile
        do { return try writer.writeWithoutTransaction { try body(Connection($0, profile)) } } catch {
            throw DatabaseError(error, path: path)
        }
    }

    private var profile: RequestProfile? { isProfiled ? RequestProfile.current : nil }

    /// Errors of SQLite as ``DatabaseError``; the caller's own as they are.
    private func translated<Result>(_ body: () throws -> Result) throws -> Result {
        do { return try body() } catch let error as GRDB.DatabaseError { throw DatabaseError(error, path: path) }
    }
}

/// What queries run on: a database, each query by itself, or a transaction, all together.
public protocol DatabaseAccess {
    /// Runs one reading statement.
    func read<Result>(_ body: (Connection) throws -> Result) throws(DatabaseError) -> Result
    /// Runs one writing statement.
    func write<Result>(_ body: (Connection) throws -> Result) throws(DatabaseError) -> Result
}

extension DatabaseAccess {
    /// Runs statements of SQL; `?` stands for the values in order (only with a single statement).
    public func execute(_ sql: String, _ values: [any ColumnValue] = []) throws(DatabaseError) {
        try write { try $0.execute(sql, values.map(\.sqlValue)) }
    }

    /// The rows of a query in SQL.
    public func rows(_ sql: String, _ values: [any ColumnValue] = []) throws(DatabaseError) -> [[SQLValue]] {
        try read { connection in try connection.rows(sql, values.map(\.sqlValue)) { $0.values } }
    }
}

/// Queries that happen all or not at all; see ``Database/transaction(_:)``. Not to be kept beyond it.
public struct Transaction: DatabaseAccess {
    private let connection: GRDB.Database
    private let profile: RequestProfile?
    private let path: String

    init(_ connection: GRDB.Database, _ profile: RequestProfile? = nil, path: String) {
        self.connection = connection
        self.profile = profile
        self.path = path
    }

    public func read<Result>(_ body: (Connection) throws -> Result) throws(DatabaseError) -> Result {
        do { return try body(Connection(connection, profile)) } catch { throw DatabaseError(error, path: path) }
    }

    public func write<Result>(_ body: (Connection) throws -> Result) throws(DatabaseError) -> Result {
        try read(body)
    }
}
