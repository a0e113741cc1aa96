import FoundationEssentials
import GRDB

/// One connection to SQLite while a statement runs on it.
public struct Connection {
    private let connection: GRDB.Database
    /// Where statements are noted down; nil but for pages that show what they cost.
    private let profile: RequestProfile?

    init(_ connection: GRDB.Database, _ profile: RequestProfile? = nil) {
        self.connection = connection
        self.profile = profile
    }

    /// The number of rows the last statement changed.
    var changesCount: Int { connection.changesCount }

    /// The id of the last row inserted.
    var lastInsertedID: Int { Int(connection.lastInsertedRowID) }

    func execute(_ sql: String, _ values: [SQLValue] = []) throws {
        guard let profile else { return try run(sql, values) }
        try profile.statement(sql) { try run(sql, values) }
    }

    private func run(_ sql: String, _ values: [SQLValue]) throws {
        guard !values.isEmpty else { return try connection.execute(sql: sql) }
        let statement = try connection.cachedStatement(sql: sql)
        try statement.execute(arguments: StatementArguments(values.map(\.databaseValue)))
    }

    /// What `make` makes of each row.
    func rows<Element>(
        _ sql: String, _ values: [SQLValue], _ make: (Row) throws -> Element
    ) throws -> [Element] {
        guard let profile else { return try fetch(sql, values, make) }
        return try profile.statement(sql) { try fetch(sql, values, make) }
    }

    private func fetch<Element>(
        _ sql: String, _ values: [SQLValue], _ make: (Row) throws -> Element
    ) throws -> [Element] {
        // Statements are kept by the connection: SQL is compiled once.
        let statement = try connection.cachedStatement(sql: sql)
        let names = statement.columnNames
        let cursor = try GRDB.Row.fetchCursor(
            statement, arguments: StatementArguments(values.map(\.databaseValue)))
        var elements: [Element] = []
        while let row = try cursor.next() { elements.append(try make(Row(row, names))) }
        return elements
    }
}

/// A row of a query, as a model's initialiser reads it: valid only there.
public struct Row {
    private let row: GRDB.Row
    private let names: [String]

    init(_ row: GRDB.Row, _ names: [String]) {
        self.row = row
        self.names = names
    }

    /// The value of a model's column: `text = try row[Self.text]`.
    public subscript<Owner, Value>(column: Column<Owner, Value>) -> Value {
        get throws(DatabaseError) {
            // A handful of names: looking through them is quicker than hashing one.
            guard let index = names.firstIndex(of: column.name) else {
                throw .schema(reason: "no such column: \(column.name)")
            }
            let value = SQLValue(row[index] as DatabaseValue)
            guard let result = Value(sqlValue: value) else {
                throw .value(column: column.name, found: "\(value)", expected: "\(Value.self)")
            }
            return result
        }
    }

    /// All values in order.
    var values: [SQLValue] { names.indices.map { SQLValue(row[$0] as DatabaseValue) } }
}

extension SQLValue {
    fileprivate init(_ value: DatabaseValue) {
        self =
            switch value.storage {
            case .null: .null
            case .int64(let number): .integer(number)
            case .double(let number): .real(number)
            case .string(let text): .text(text)
            case .blob(let data): .blob(Array(data))
            }
    }

    fileprivate var databaseValue: DatabaseValue {
        switch self {
        case .null: .null
        case .integer(let number): number.databaseValue
        case .real(let number): number.databaseValue
        case .text(let text): text.databaseValue
        case .blob(let bytes): Data(bytes).databaseValue
        }
    }
}
