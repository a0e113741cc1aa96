import GRDB

/// Applies a site's migrations. Several processes may do so at once: each migration is one transaction that begins with
/// the write lock, and looks again whether it is still to do.
struct Migrator {
    let site: String
    let migrations: [Migration]

    /// How long to wait for another process that is migrating, in milliseconds.
    private static let patience = 60_000

    /// Each migration in order, applied or not.
    func plan(in database: Database) throws(DatabaseError) -> [MigrationStatus] {
        let applied = try applied(in: database)
        return migrations.map { MigrationStatus(name: $0.name, isApplied: applied.contains($0.name)) }
    }

    /// Applies what is pending, and says what that was. A migration that fails is rolled back and named; those before it
    /// stay.
    func apply(to database: Database) throws(DatabaseError) -> [String] {
        let pending = try plan(in: database).filter { !$0.isApplied }
        guard !pending.isEmpty else { return [] }
        return try database.withWriter { connection in
            try connection.execute(sql: "PRAGMA busy_timeout = \(Self.patience)")
            // A pragma takes no effect inside the transaction of a failed migration, so it is reset here.
            defer {
                try? connection.execute(sql: "PRAGMA busy_timeout = \(Int(database.lockTimeout / .milliseconds(1)))")
            }
            try connection.execute(
                sql: """
                    CREATE TABLE IF NOT EXISTS portico_migrations (
                        site TEXT NOT NULL, name TEXT NOT NULL, applied TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
                        PRIMARY KEY (site, name)
                    )
                    """)
            return try migrations.filter { migration in
                try apply(migration, connection, path: database.path)
            }.map(\.name)
        }
    }

    /// Throws when something is pending.
    func requireNothingPending(in database: Database) throws(DatabaseError) {
        let pending = try plan(in: database).filter { !$0.isApplied }.map(\.name)
        guard pending.isEmpty else { throw .migrationsPending(names: pending, site: site) }
    }

    /// Whether the migration was still to do, and now is done.
    private func apply(_ migration: Migration, _ connection: GRDB.Database, path: String) throws -> Bool {
        var isNew = false
        do {
            try connection.inTransaction(.immediate) {
                let transaction = Transaction(connection, path: path)
                let isApplied = try !transaction.rows(
                    "SELECT 1 FROM portico_migrations WHERE site = ? AND name = ?", [site, migration.name]
                ).isEmpty
                guard !isApplied else { return .rollback }
                try migration.apply(transaction)
                try connection.checkForeignKeys()
                try transaction.execute(
                    "INSERT INTO portico_migrations (site, name) VALUES (?, ?)", [site, migration.name])
                isNew = true
                return .commit
            }
        } catch {
            switch DatabaseError(error, path: path) {
            // These say what is wrong with the database, not with the migration.
            case .locked, .readOnly, .diskFull, .corrupt, .inputOutput: throw error
            case .constraint(let reason), .schema(let reason), .statement(let reason):
                throw DatabaseError.migrationFailed(name: "\(site).\(migration.name)", reason: reason)
            case let other: throw DatabaseError.migrationFailed(name: "\(site).\(migration.name)", reason: "\(other)")
            }
        }
        return isNew
    }

    private func applied(in database: Database) throws(DatabaseError) -> Set<String> {
        let hasTable = try !database.rows(
            "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'portico_migrations'"
        ).isEmpty
        guard hasTable else { return [] }
        let rows = try database.rows("SELECT name FROM portico_migrations WHERE site = ?", [site])
        return Set(
            rows.compactMap { row in
                guard case .text(let name)? = row.first else { return nil }
                return name
            })
    }
}
