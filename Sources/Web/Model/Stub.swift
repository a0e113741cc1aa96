public protocol Model {}
public struct Migration: Sendable {}
public enum DatabaseLocation: Sendable { case memory, file(String) }
public enum DatabaseError: Error {
    case notConfigured(site: String)
    var isTemporary: Bool { false }
    var description: String { "" }
}
public final class Database: Sendable {
    init(_ l: DatabaseLocation) throws(DatabaseError) {}
    func close() {}
}
struct Migrator {
    init(site: String, migrations: [Migration]) {}
    func apply(to: Database) throws(DatabaseError) -> [String] { [] }
    func requireNothingPending(in: Database) throws(DatabaseError) {}
}
