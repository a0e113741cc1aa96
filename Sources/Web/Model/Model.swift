public import Templates

/// A table's row as a Swift type.
///
/// ```swift
/// struct Question: Model {
///     static let table = "polls_question"
///     static let text = Field("question_text", \.text, label: "question", maxLength: 200)
///     static let columns = Columns(id, text)
///
///     var id = 0
///     var text: String
/// }
///
/// extension Question {
///     init(row: Row) throws(DatabaseError) {
///         id = try row[Self.id]
///         text = try row[Self.text]
///     }
/// }
/// ```
public protocol Model: TemplateObject, TemplateRepresentable {
    /// The table's name.
    static var table: String { get }
    /// The columns in order; `id` is the primary key.
    static var columns: Columns<Self> { get }
    /// The primary key; 0 until the row is inserted.
    var id: Int { get set }
    /// The model of a row.
    init(row: Row) throws(DatabaseError)
}

extension Model {
    /// A column of this model.
    public typealias Field<Value: ColumnValue> = Column<Self, Value>

    /// The primary key's column.
    public static var id: Column<Self, Int> { Column("id", \.id) }

    /// All rows: where queries begin.
    public static var objects: QuerySet<Self> { QuerySet() }

    /// Columns are seen by templates under their names, as in Django.
    public func member(_ name: String) -> TemplateValue? { columnMember(name) }

    /// The value of the column `name`, for models with members of their own.
    public func columnMember(_ name: String) -> TemplateValue? {
        if name == "pk" { return .int(id) }
        return Self.columns.all.first { $0.name == name }?.templateValue(self)
    }

    /// Inserts the row, and takes over the id it gets.
    public mutating func insert(in database: some DatabaseAccess) throws(DatabaseError) {
        let columns = Self.columns.all.filter { $0.name != "id" || id != 0 }
        let names = columns.map { quoted($0.name) }.joined(separator: ", ")
        let marks = columns.map { _ in "?" }.joined(separator: ", ")
        let model = self
        id = try database.write { connection in
            try connection.execute(
                "INSERT INTO \(quoted(Self.table)) (\(names)) VALUES (\(marks))",
                columns.map { $0.sqlValue(model) })
            return connection.lastInsertedID
        }
    }

    /// The row inserted: `let question = try Question(text: …).created(in: database)`.
    public func created(in database: some DatabaseAccess) throws(DatabaseError) -> Self {
        var model = self
        try model.insert(in: database)
        return model
    }

    /// Writes every column of the row of this id. To change a number by what it is, use ``QuerySet/update(_:in:)`` with
    /// ``Column/increment(by:)``: this would overwrite what others wrote since it was read.
    public func update(in database: some DatabaseAccess) throws(DatabaseError) {
        let columns = Self.columns.all.filter { $0.name != "id" }
        let changed = try database.write { connection in
            try connection.execute(
                "UPDATE \(quoted(Self.table)) SET \(columns.map { "\(quoted($0.name)) = ?" }.joined(separator: ", "))"
                    + " WHERE \"id\" = ?", columns.map { $0.sqlValue(self) } + [.integer(Int64(id))])
            return connection.changesCount
        }
        guard changed == 1 else { throw .doesNotExist(table: Self.table) }
    }

    /// Deletes the row of this id; nothing happens when it is gone already.
    public func delete(in database: some DatabaseAccess) throws(DatabaseError) {
        try database.write { connection in
            try connection.execute("DELETE FROM \(quoted(Self.table)) WHERE \"id\" = ?", [.integer(Int64(id))])
        }
    }
}

/// A name in SQL, whatever its characters.
func quoted(_ name: String) -> String { "\"\(name.replacing("\"", with: "\"\""))\"" }
