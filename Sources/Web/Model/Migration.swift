/// One change of a database's schema or data, applied once and recorded. Once published a migration is never changed: the
/// next change is a migration of its own.
public struct Migration: Sendable {
    /// The name, with a number that keeps them in order: `0001_initial`.
    public let name: String
    let apply: @Sendable (Transaction) throws -> Void

    /// A migration in Swift; what it throws rolls it back.
    public init(_ name: String, _ apply: @escaping @Sendable (Transaction) throws -> Void) {
        self.name = name
        self.apply = apply
    }

    /// A migration in SQL: one or several statements.
    public init(_ name: String, sql: String) {
        self.init(name) { try $0.execute(sql) }
    }
}

/// A migration and whether it was applied, for `app migrate --plan`.
public struct MigrationStatus: Sendable, Equatable {
    public let name: String
    public let isApplied: Bool
}
