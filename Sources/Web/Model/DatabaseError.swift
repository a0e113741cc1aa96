import GRDB

/// Why the database cannot do what was asked, each with its remedy.
public enum DatabaseError: Error, Equatable, CustomStringConvertible {
    /// The site has no database configured.
    case notConfigured(site: String)
    /// The directory the file should be in does not exist.
    case missingDirectory(path: String)
    /// The file cannot be opened or created.
    case cannotOpen(path: String, reason: String)
    /// Another connection held its lock for longer than the busy timeout.
    case locked(path: String)
    /// File, directory or file system may not be written.
    case readOnly(path: String)
    /// The file is no SQLite database, or a damaged one.
    case corrupt(path: String, reason: String)
    /// There is no space left.
    case diskFull(path: String)
    /// The disk failed.
    case inputOutput(path: String, reason: String)
    /// A UNIQUE, NOT NULL, CHECK or FOREIGN KEY constraint refused the change.
    case constraint(reason: String)
    /// A table or column is missing, as with migrations that were not applied.
    case schema(reason: String)
    /// A statement is wrong, or SQLite refused it for another reason.
    case statement(reason: String)
    /// A column holds what its Swift type cannot take.
    case value(column: String, found: String, expected: String)
    /// A migration failed and was rolled back; nothing of it remains.
    case migrationFailed(name: String, reason: String)
    /// Migrations are pending while the site may not apply them by itself.
    case migrationsPending(names: [String], site: String)
    /// ``QuerySet/get(in:)`` found nothing.
    case doesNotExist(table: String)
    /// ``QuerySet/get(in:)`` found more than one.
    case severalFound(table: String)

    /// Whether trying again may help: answered by 503 instead of 500.
    public var isTemporary: Bool {
        switch self {
        case .locked, .diskFull, .readOnly, .missingDirectory, .cannotOpen, .migrationsPending: true
        default: false
        }
    }

    /// Whether the site can never start until somebody has changed something: trying again is of no use.
    public var isFinal: Bool {
        switch self {
        case .notConfigured, .missingDirectory, .cannotOpen, .corrupt, .migrationsPending: true
        default: false
        }
    }

    public var description: String {
        switch self {
        case .notConfigured(let site): "site '\(site)' has no database; set 'sites: {\(site): {database: FILE}}'"
        case .missingDirectory(let path):
            "the directory of database '\(path)' does not exist; create it, or name another file under 'database'"
        case .cannotOpen(let path, let reason):
            "cannot open database '\(path)': \(reason); check that file and directory belong to the user the site runs as"
        case .locked(let path):
            "database '\(path)' is locked by another connection; end the program or transaction that holds it"
        case .readOnly(let path):
            "database '\(path)' cannot be written; make the file and its directory writable for the user the site runs as"
        case .corrupt(let path, let reason):
            "database '\(path)' is damaged or no SQLite database (\(reason)); restore it from a backup, or name another file"
        case .diskFull(let path): "no space is left for database '\(path)'; free some, nothing was changed"
        case .inputOutput(let path, let reason): "the disk failed under database '\(path)': \(reason)"
        case .constraint(let reason): "the database refused the change: \(reason)"
        case .schema(let reason): "\(reason); apply the site's migrations with 'app migrate'"
        case .statement(let reason): "the database refused the statement: \(reason)"
        case .value(let column, let found, let expected): "column '\(column)' holds \(found), expected \(expected)"
        case .migrationFailed(let name, let reason):
            "migration \(name) failed and was rolled back: \(reason)"
        case .migrationsPending(let names, let site):
            "migrations of site '\(site)' are pending: \(names.joined(separator: ", ")); run 'app migrate \(site)'"
        case .doesNotExist(let table): "no row of '\(table)' matches the query"
        case .severalFound(let table): "more than one row of '\(table)' matches the query"
        }
    }
}

extension DatabaseError {
    /// What SQLite's error means for the database at `path`.
    init(_ error: any Error, path: String) {
        if let error = error as? DatabaseError {
            self = error
            return
        }
        guard let error = error as? GRDB.DatabaseError else {
            self = .statement(reason: "\(error)")
            return
        }
        let reason = error.message ?? "\(error.resultCode)"
        self =
            switch error.resultCode {
            case .SQLITE_BUSY, .SQLITE_LOCKED: .locked(path: path)
            case .SQLITE_READONLY, .SQLITE_PERM: .readOnly(path: path)
            case .SQLITE_CANTOPEN: .cannotOpen(path: path, reason: reason)
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: .corrupt(path: path, reason: reason)
            case .SQLITE_FULL: .diskFull(path: path)
            case .SQLITE_IOERR: .inputOutput(path: path, reason: reason)
            case .SQLITE_CONSTRAINT: .constraint(reason: reason)
            case .SQLITE_ERROR where reason.hasPrefix("no such table") || reason.hasPrefix("no such column"):
                .schema(reason: reason)
            default: .statement(reason: reason)
            }
    }
}
