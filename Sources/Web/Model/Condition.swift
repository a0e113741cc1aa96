/// What rows of a query have in common: made by comparing columns, joined by `&&`, `||` and `!`.
public struct Condition<Owner: Model>: Sendable {
    let sql: String
    let values: [SQLValue]

    public static func && (a: Self, b: Self) -> Self {
        Condition(sql: "(\(a.sql) AND \(b.sql))", values: a.values + b.values)
    }

    public static func || (a: Self, b: Self) -> Self {
        Condition(sql: "(\(a.sql) OR \(b.sql))", values: a.values + b.values)
    }

    public static prefix func ! (a: Self) -> Self { Condition(sql: "NOT (\(a.sql))", values: a.values) }
}

extension Column {
    private func compared(_ operation: String, _ value: Value) -> Condition<Owner> {
        Condition(sql: "\(quoted(name)) \(operation) ?", values: [value.sqlValue])
    }

    // IS and IS NOT are equality that also knows NULL.
    public static func == (column: Self, value: Value) -> Condition<Owner> { column.compared("IS", value) }
    public static func != (column: Self, value: Value) -> Condition<Owner> { column.compared("IS NOT", value) }
    public static func < (column: Self, value: Value) -> Condition<Owner> { column.compared("<", value) }
    public static func <= (column: Self, value: Value) -> Condition<Owner> { column.compared("<=", value) }
    public static func > (column: Self, value: Value) -> Condition<Owner> { column.compared(">", value) }
    public static func >= (column: Self, value: Value) -> Condition<Owner> { column.compared(">=", value) }
}
