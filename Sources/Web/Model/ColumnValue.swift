public import FoundationEssentials
public import Templates

/// A value as SQLite stores it.
public enum SQLValue: Sendable, Equatable {
    case null
    case integer(Int64)
    case real(Double)
    case text(String)
    case blob([UInt8])
}

/// A Swift type a column can have.
public protocol ColumnValue: Sendable {
    /// The value out of what is stored; nil where that is something else.
    init?(sqlValue: SQLValue)
    /// The value as it is stored.
    var sqlValue: SQLValue { get }
    /// The value as templates see it.
    var columnTemplateValue: TemplateValue { get }
    /// Whether NULL is a value of the type.
    static var isNullable: Bool { get }
    /// SQLite's name of the type: `INTEGER`, `REAL`, `TEXT` or `BLOB`.
    static var sqlType: String { get }
}

extension ColumnValue {
    public static var isNullable: Bool { false }
}

extension Int: ColumnValue {
    public init?(sqlValue: SQLValue) {
        guard case .integer(let value) = sqlValue else { return nil }
        self = Int(value)
    }
    public var sqlValue: SQLValue { .integer(Int64(self)) }
    public var columnTemplateValue: TemplateValue { .int(self) }
    public static var sqlType: String { "INTEGER" }
}

extension Double: ColumnValue {
    public init?(sqlValue: SQLValue) {
        switch sqlValue {
        case .real(let value): self = value
        case .integer(let value): self = Double(value)
        default: return nil
        }
    }
    public var sqlValue: SQLValue { .real(self) }
    public var columnTemplateValue: TemplateValue { .double(self) }
    public static var sqlType: String { "REAL" }
}

extension Bool: ColumnValue {
    public init?(sqlValue: SQLValue) {
        guard case .integer(let value) = sqlValue else { return nil }
        self = value != 0
    }
    public var sqlValue: SQLValue { .integer(self ? 1 : 0) }
    public var columnTemplateValue: TemplateValue { .bool(self) }
    public static var sqlType: String { "INTEGER" }
}

extension String: ColumnValue {
    public init?(sqlValue: SQLValue) {
        guard case .text(let value) = sqlValue else { return nil }
        self = value
    }
    public var sqlValue: SQLValue { .text(self) }
    public var columnTemplateValue: TemplateValue { .string(self) }
    public static var sqlType: String { "TEXT" }
}

/// Stored as Django stores it: `2026-05-01 12:00:00`, with microseconds where there are any, in UTC.
extension Date: ColumnValue {
    public init?(sqlValue: SQLValue) {
        guard case .text(let text) = sqlValue, let date = Timestamp.date(text) else { return nil }
        self = date
    }
    public var sqlValue: SQLValue { .text(Timestamp.text(self)) }
    public var columnTemplateValue: TemplateValue {
        .date(TemplateDate(secondsSince1970: timeIntervalSince1970))
    }
    public static var sqlType: String { "TEXT" }
}

extension Optional: ColumnValue where Wrapped: ColumnValue {
    public init?(sqlValue: SQLValue) {
        if case .null = sqlValue {
            self = .none
        } else {
            guard let value = Wrapped(sqlValue: sqlValue) else { return nil }
            self = value
        }
    }
    public var sqlValue: SQLValue { self?.sqlValue ?? .null }
    public var columnTemplateValue: TemplateValue { self?.columnTemplateValue ?? .null }
    public static var isNullable: Bool { true }
    public static var sqlType: String { Wrapped.sqlType }
}

/// A date is a moment in templates.
extension Date: TemplateRepresentable {
    public var templateValue: TemplateValue { columnTemplateValue }
}
