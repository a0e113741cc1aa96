import Templates

/// A model's column: its name in the table, the property it is kept in, and what forms and the admin need to know.
public struct Column<Owner: Model, Value: ColumnValue>: Sendable {
    /// The name in the table and in templates.
    public let name: String
    /// What people call it.
    public let label: String
    /// The longest text, in characters; nil without a limit.
    public let maxLength: Int?
    let property: any KeyPath<Owner, Value> & Sendable

    /// A column kept in `property`. Without a label it is called by its name, underscores as spaces.
    public init(
        _ name: String, _ property: any KeyPath<Owner, Value> & Sendable, label: String? = nil, maxLength: Int? = nil
    ) {
        self.name = name
        self.property = property
        self.label = label ?? name.replacing("_", with: " ")
        self.maxLength = maxLength
    }

    /// Rows with the smallest value first.
    public var ascending: Ordering<Owner> { Ordering(sql: quoted(name)) }
    /// Rows with the greatest value first.
    public var descending: Ordering<Owner> { Ordering(sql: "\(quoted(name)) DESC") }

    /// Sets the column to a value, in ``QuerySet/update(_:in:)``.
    public func set(to value: Value) -> Assignment<Owner> {
        Assignment(sql: "\(quoted(name)) = ?", values: [value.sqlValue])
    }

    /// Whether the value is one of these.
    public func isOne(of values: [Value]) -> Condition<Owner> {
        let marks = values.map { _ in "?" }.joined(separator: ", ")
        return Condition(sql: "\(quoted(name)) IN (\(marks))", values: values.map(\.sqlValue))
    }
}

extension Column where Value: Numeric {
    /// Adds to the column in the database, so that no two requests can undo each other (Django's `F("votes") + 1`).
    public func increment(by amount: Value = 1) -> Assignment<Owner> {
        Assignment(sql: "\(quoted(name)) = \(quoted(name)) + ?", values: [amount.sqlValue])
    }
}

extension Column where Value == String {
    /// Whether the text contains `part`, ASCII letters in either case.
    public func contains(_ part: String) -> Condition<Owner> {
        let pattern = part.replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing("_", with: "\\_")
        return Condition(sql: "\(quoted(name)) LIKE ? ESCAPE '\\'", values: [.text("%\(pattern)%")])
    }
}

/// A column of a model, whatever the type of its values.
public struct AnyColumn<Owner: Model>: Sendable {
    public let name: String
    public let label: String
    public let maxLength: Int?
    /// Whether NULL may stand in it.
    public let isNullable: Bool
    /// `INTEGER`, `REAL`, `TEXT` or `BLOB`.
    public let sqlType: String
    let sqlValue: @Sendable (Owner) -> SQLValue
    let templateValue: @Sendable (Owner) -> TemplateValue

    init<Value>(_ column: Column<Owner, Value>) {
        name = column.name
        label = column.label
        maxLength = column.maxLength
        isNullable = Value.isNullable
        sqlType = Value.sqlType
        let property = column.property
        sqlValue = { $0[keyPath: property].sqlValue }
        templateValue = { $0[keyPath: property].columnTemplateValue }
    }
}

/// A model's columns in order.
public struct Columns<Owner: Model>: Sendable {
    /// The columns.
    public let all: [AnyColumn<Owner>]
    /// Their names for a SELECT.
    let list: String

    /// These columns.
    public init<each Value: ColumnValue>(_ column: repeat Column<Owner, each Value>) {
        var all: [AnyColumn<Owner>] = []
        repeat all.append(AnyColumn(each column))
        self.all = all
        list = all.map { quoted($0.name) }.joined(separator: ", ")
    }
}

/// An order of rows.
public struct Ordering<Owner: Model>: Sendable {
    let sql: String
}

/// A change of one column.
public struct Assignment<Owner: Model>: Sendable {
    let sql: String
    let values: [SQLValue]
}
