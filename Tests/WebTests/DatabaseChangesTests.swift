import TestSupport
import Testing
import Web

/// What a database tells of its changes.
@Suite(.timeLimit(.minutes(10)))
struct DatabaseChangesTests {
    /// Another process has connections of its own, as the second database here.
    @Test func tellsOfOthersCommits() async throws {
        let directory = try Folder()
        let file = DatabaseLocation.file(directory.path + "/d.sqlite3")
        let first = try Database(file)
        let second = try Database(file)
        try first.execute("CREATE TABLE t (n INTEGER)")
        var changes = first.changes.makeAsyncIterator()
        var others = first.changes.makeAsyncIterator()
        for count in 1...3 {
            try second.execute("INSERT INTO t VALUES (1)")
            // Elements may come early, never late: after the last one the rows are there.
            repeat { #expect(await changes.next() != nil) } while try first.rows("SELECT n FROM t").count < count
            repeat { #expect(await others.next() != nil) } while try first.rows("SELECT n FROM t").count < count
        }
        first.close()
        while await changes.next() != nil {}
        var late = first.changes.makeAsyncIterator()
        #expect(await late.next() == nil, "a closed database has no changes")
        second.close()
    }

    /// Whoever stops listening is forgotten, and whoever comes later is served anew.
    @Test func startsAgain() async throws {
        let directory = try Folder()
        let database = try Database(.file(directory.path + "/d.sqlite3"))
        try database.execute("CREATE TABLE t (n INTEGER)")
        for round in 1...3 {
            let changes = database.changes
            let listener = Task {
                for await _ in changes where try database.rows("SELECT n FROM t").count == round { return true }
                return false
            }
            try database.execute("INSERT INTO t VALUES (1)")
            #expect(try await listener.value)
        }
        database.close()
    }
}
