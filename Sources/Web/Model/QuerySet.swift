/// A query as a value: nothing is asked before one of the methods that take a database.
///
/// ```swift
/// try Question.objects
///     .filter(Question.published <= .now)
///     .ordered(by: Question.published.descending)
///     .limited(to: 5)
///     .all(in: database)
/// ```
public struct QuerySet<Element: Model>: Sendable {
    private var conditions: [Condition<Element>] = []
    private var orderings: [Ordering<Element>] = []
    private var limit: Int?
    private var offset = 0

    init() {}

    /// Only rows that also meet `condition`.
    public func filter(_ condition: Condition<Element>) -> Self { with { $0.conditions.append(condition) } }

    /// Only rows that do not meet `condition`.
    public func exclude(_ condition: Condition<Element>) -> Self { filter(!condition) }

    /// In this order, replacing any before.
    public func ordered(by orderings: Ordering<Element>...) -> Self { with { $0.orderings = orderings } }

    /// At most `count` rows, after leaving out the first `offset`.
    public func limited(to count: Int, offset: Int = 0) -> Self {
        with {
            $0.limit = count
            $0.offset = offset
        }
    }

    private func with(_ change: (inout Self) -> Void) -> Self {
        var copy = self
        change(&copy)
        return copy
    }
}

extension QuerySet {
    /// All rows of the query.
    public func all(in database: some DatabaseAccess) throws(DatabaseError) -> [Element] {
        try database.read { try $0.rows(sql("SELECT \(Element.columns.list)"), values) { try Element(row: $0) } }
    }

    /// The first row, or nil.
    public func first(in database: some DatabaseAccess) throws(DatabaseError) -> Element? {
        try limited(to: min(1, limit ?? 1), offset: offset).all(in: database).first
    }

    /// The only row. Throws ``DatabaseError/doesNotExist(table:)`` or ``DatabaseError/severalFound(table:)``.
    public func get(in database: some DatabaseAccess) throws(DatabaseError) -> Element {
        let found = try limited(to: min(2, limit ?? 2), offset: offset).all(in: database)
        guard let first = found.first else { throw .doesNotExist(table: Element.table) }
        guard found.count == 1 else { throw .severalFound(table: Element.table) }
        return first
    }

    /// The row with this id, where the query has it.
    public func get(_ id: Int, in database: some DatabaseAccess) throws(DatabaseError) -> Element {
        try with(id: id).get(in: database)
    }

    /// The row with this id; throws ``Http404`` where the query has none (Django's `get_object_or_404`).
    public func getOr404(_ id: Int, in database: some DatabaseAccess) throws -> Element {
        guard let element = try with(id: id).first(in: database) else { throw Http404() }
        return element
    }

    /// How many rows there are.
    public func count(in database: some DatabaseAccess) throws(DatabaseError) -> Int {
        let rows = try database.read {
            try $0.rows("SELECT COUNT(*) FROM (\(sql("SELECT 1")))", values) { $0.values.first }
        }
        guard case .integer(let count)?? = rows.first else { return 0 }
        return Int(count)
    }

    /// Whether there is any row.
    public func exists(in database: some DatabaseAccess) throws(DatabaseError) -> Bool {
        try !database.read { try $0.rows(limited(to: 1).sql("SELECT 1"), values) { _ in true } }.isEmpty
    }

    /// Changes the rows in the database, and says how many there were. The query's order and limit do not count.
    @discardableResult
    public func update(
        _ assignments: Assignment<Element>..., in database: some DatabaseAccess
    ) throws(DatabaseError) -> Int {
        try database.write { connection in
            let changes = assignments.map(\.sql).joined(separator: ", ")
            try connection.execute(
                "UPDATE \(quoted(Element.table)) SET \(changes)\(filterSQL)",
                assignments.flatMap(\.values) + values)
            return connection.changesCount
        }
    }

    /// Deletes the rows, and says how many there were. The query's order and limit do not count.
    @discardableResult
    public func delete(in database: some DatabaseAccess) throws(DatabaseError) -> Int {
        try database.write { connection in
            try connection.execute("DELETE FROM \(quoted(Element.table))\(filterSQL)", values)
            return connection.changesCount
        }
    }

    private func with(id: Int) -> Self { filter(Condition(sql: "\"id\" = ?", values: [.integer(Int64(id))])) }

    private var values: [SQLValue] { conditions.flatMap(\.values) }

    private var filterSQL: String {
        conditions.isEmpty ? "" : " WHERE " + conditions.map(\.sql).joined(separator: " AND ")
    }

    private func sql(_ start: String) -> String {
        var sql = "\(start) FROM \(quoted(Element.table))\(filterSQL)"
        if !orderings.isEmpty { sql += " ORDER BY " + orderings.map(\.sql).joined(separator: ", ") }
        // SQLite takes an offset only together with a limit; -1 is none.
        if limit != nil || offset > 0 { sql += " LIMIT \(limit ?? -1)" }
        if offset > 0 { sql += " OFFSET \(offset)" }
        return sql
    }
}
