import Glibc
import Synchronization
import TestSupport
import Testing

@testable import Web

@Suite struct Migrations {
    private static let steps = [
        Migration("0001_initial", sql: Book.creation),
        Migration("0002_books") { database in
            for number in 0..<50 { _ = try Book(title: "Book \(number)").created(in: database) }
        },
    ]

    @Test func appliedOnceAndRecorded() throws {
        let database = try Database(.memory)
        let migrator = Migrator(site: "books", migrations: Self.steps)
        #expect(try migrator.plan(in: database).map(\.isApplied) == [false, false])
        #expect(try migrator.apply(to: database) == ["0001_initial", "0002_books"])
        #expect(try migrator.apply(to: database) == [])
        #expect(try migrator.plan(in: database).map(\.isApplied) == [true, true])
        #expect(try Book.objects.count(in: database) == 50)
        // Another site's migrations of the same names are its own.
        #expect(
            try Migrator(site: "other", migrations: Self.steps).plan(in: database).map(\.isApplied) == [false, false])
    }

    @Test func failureHalfwayLeavesNothing() throws {
        let database = try Database(.memory)
        let broken = Migration("0003_broken") { database in
            try database.execute("ALTER TABLE book ADD COLUMN extra TEXT")
            try Book.objects.delete(in: database)
            try database.execute("INSERT INTO nowhere VALUES (1)")
        }
        let later = Migration("0004_later", sql: "CREATE TABLE later (id INTEGER)")
        let error = #expect(throws: DatabaseError.self) {
            try Migrator(site: "books", migrations: Self.steps + [broken, later]).apply(to: database)
        }
        #expect(error == .migrationFailed(name: "books.0003_broken", reason: "no such table: nowhere"))
        #expect(try Book.objects.count(in: database) == 50)
        #expect(try database.rows("SELECT name FROM pragma_table_info('book')").count == 6)
        #expect(try database.rows("SELECT name FROM sqlite_master WHERE name = 'later'").isEmpty)
        // Once it is mended, the rest is applied.
        let mended = Migration("0003_broken", sql: "ALTER TABLE book ADD COLUMN extra TEXT")
        let names = try Migrator(site: "books", migrations: Self.steps + [mended, later]).apply(to: database)
        #expect(names == ["0003_broken", "0004_later"])
    }

    @Test func brokenReferencesAreRefused() throws {
        let database = try Database(.memory)
        let migration = Migration("0001_orphans") { database in
            try database.execute("CREATE TABLE a (id INTEGER PRIMARY KEY)")
            try database.execute("CREATE TABLE b (a INTEGER REFERENCES a (id))")
            try database.execute("INSERT INTO b VALUES (1)")
        }
        #expect(throws: DatabaseError.self) {
            try Migrator(site: "x", migrations: [migration]).apply(to: database)
        }
        #expect(try database.rows("SELECT 1 FROM sqlite_master WHERE name = 'a'").isEmpty)
    }

    @Test func workersThatStartTogether() async throws {
        let directory = try Folder()
        let path = directory.path + "/books.sqlite3"
        let applied = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<6 {
                group.addTask {
                    try await DispatchExecutor().run {
                        // Connections of its own, as each worker process has.
                        let database = try Database(.file(path))
                        defer { database.close() }
                        return try Migrator(site: "books", migrations: Self.steps).apply(to: database)
                    }
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(applied.sorted() == ["0001_initial", "0002_books"])
        #expect(try Book.objects.count(in: Database(.file(path))) == 50)
    }

    @Test func requiredButPending() {
        var settings = SiteSettings(database: .memory)
        settings.migrationPolicy = .require
        let application = SiteApplication(Library(), settings: settings)
        #expect(throws: DatabaseError.migrationsPending(names: ["0001_initial"], site: "library")) {
            try application.start()
        }
    }

    @Test func planChangesNothing() throws {
        let directory = try Folder()
        let path = directory.path + "/library.sqlite3"
        let application = SiteApplication(Library(), settings: SiteSettings(database: .file(path)))
        #expect(try application.migrationPlan() == [MigrationStatus(name: "0001_initial", isApplied: false)])
        #expect(application.check().isEmpty)
        #expect(access(path, F_OK) != 0)
        #expect(try application.migrate() == ["0001_initial"])
        #expect(try application.migrationPlan() == [MigrationStatus(name: "0001_initial", isApplied: true)])
    }

    @Test func checksCompareModelsWithTables() throws {
        let directory = try Folder()
        let path = directory.path + "/library.sqlite3"
        let application = SiteApplication(Library(), settings: SiteSettings(database: .file(path)))
        _ = try Database(.file(path))
        #expect(application.check().map(\.id) == ["migrations.W001"])
        _ = try application.migrate()
        #expect(application.check() == [])
        try Database(.file(path)).execute("ALTER TABLE book RENAME COLUMN pages TO sheets")
        #expect(application.check().map(\.id) == ["models.E002"])
        try Database(.file(path)).execute("DROP TABLE book")
        #expect(application.check().map(\.id) == ["models.E001"])
    }
}

struct Library: Site {
    let name = "library"
    var urls: URLs {
        path("") { request in .text("\(try Book.objects.count(in: request.database))") }
        path("add/") { request in
            _ = try Book(title: "A").created(in: request.database)
            return .text("added")
        }
    }
    var migrations: [Migration] { [Migration("0001_initial", sql: Book.creation)] }
    var models: [any Model.Type] { [Book.self] }
}
