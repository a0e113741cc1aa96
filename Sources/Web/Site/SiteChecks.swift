import Templates

extension SiteApplication {
    /// What is wrong with the site as far as can be told without serving it: its URL table, templates, database and
    /// migrations. Opens the database, changes nothing.
    public func check() -> [CheckMessage] { urlChecks + templateChecks + databaseChecks }

    private var urlChecks: [CheckMessage] {
        var seen: Set<String> = []
        return table.problems
            + table.routes.map(\.pattern.source).filter { !seen.insert($0).inserted }.map {
                CheckMessage(
                    "urls.W003", .warning, "The pattern '\($0)' stands twice; the second is never reached.",
                    hint: "Remove one of them.")
            }
    }

    private var templateChecks: [CheckMessage] {
        pages.engine(at: "").checkAll().map {
            CheckMessage("templates.E001", .error, $0.description)
        }
    }

    private var databaseChecks: [CheckMessage] {
        var messages: [CheckMessage] = []
        var names: Set<String> = []
        for migration in site.migrations where !names.insert(migration.name).inserted {
            messages.append(
                CheckMessage(
                    "migrations.E001", .error, "The migration '\(migration.name)' stands twice.",
                    hint: "Give each migration a name of its own."))
        }
        guard let location = settings.database else {
            if !site.migrations.isEmpty {
                messages.append(
                    CheckMessage(
                        "database.E001", .error, "Site '\(site.name)' has migrations, but no database.",
                        hint: "Name a file under 'database'."))
            }
            return messages
        }
        do throws(DatabaseError) {
            // A file that is not there yet is made when the site starts: a check makes none.
            guard try Database.exists(location) else { return messages }
            let database = try Database(location, readerCount: 1)
            defer { database.close() }
            let migrator = Migrator(site: site.name, migrations: site.migrations)
            let pending = try migrator.plan(in: database).filter { !$0.isApplied }.map(\.name)
            guard pending.isEmpty else {
                messages.append(
                    CheckMessage(
                        "migrations.W001", .warning, "Migrations are pending: \(pending.joined(separator: ", ")).",
                        hint: "Run 'app migrate \(site.name)'."))
                return messages
            }
            for model in site.models { messages += try Self.check(model, in: database) }
        } catch {
            messages.append(CheckMessage("database.E002", .error, "\(error)"))
        }
        return messages
    }

    /// The columns of a model that its table lacks.
    private static func check<Checked: Model>(
        _ model: Checked.Type, in database: Database
    ) throws(DatabaseError) -> [CheckMessage] {
        let rows = try database.rows("SELECT name FROM pragma_table_info(?)", [model.table])
        let present = rows.flatMap(\.self)
        guard !present.isEmpty else {
            return [
                CheckMessage(
                    "models.E001", .error, "\(model): there is no table '\(model.table)'.",
                    hint: "Add a migration that creates it.")
            ]
        }
        return model.columns.all.filter { !present.contains(.text($0.name)) }.map {
            CheckMessage(
                "models.E002", .error, "\(model): table '\(model.table)' has no column '\($0.name)'.",
                hint: "Add a migration that adds it.")
        }
    }

    /// Each migration in order, applied or not: what `app migrate --plan` prints.
    public func migrationPlan() throws(DatabaseError) -> [MigrationStatus] {
        guard let location = settings.database else { return [] }
        guard try Database.exists(location) else {
            return site.migrations.map { MigrationStatus(name: $0.name, isApplied: false) }
        }
        let database = try Database(location, readerCount: 1)
        defer { database.close() }
        return try Migrator(site: site.name, migrations: site.migrations).plan(in: database)
    }

    /// Applies pending migrations whatever the policy, and says which they were: what `app migrate` does.
    public func migrate() throws(DatabaseError) -> [String] {
        guard let location = settings.database else { throw .notConfigured(site: site.name) }
        let database = try Database(location, readerCount: 1)
        defer { database.close() }
        return try Migrator(site: site.name, migrations: site.migrations).apply(to: database)
    }
}
