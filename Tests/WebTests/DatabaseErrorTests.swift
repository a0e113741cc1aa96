import Gateway
import Glibc
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import Web

@Suite struct DatabaseTroubles {
    private let directory: Folder
    private let path: String

    init() throws {
        directory = try Folder()
        path = directory.path + "/library.sqlite3"
    }

    private func client(_ path: String) -> TestClient {
        TestClient(SiteApplication(Library(), settings: SiteSettings(database: .file(path))))
    }

    @Test func missingDirectory() async throws {
        let missing = directory.path + "/nowhere/library.sqlite3"
        #expect(throws: DatabaseError.missingDirectory(path: missing)) { try Database(.file(missing)) }
        #expect(try await client(missing).get("/").status == 503)
        #expect(access(directory.path + "/nowhere", F_OK) != 0)
    }

    @Test func directoryInsteadOfAFile() {
        #expect(throws: DatabaseError.cannotOpen(path: directory.path, reason: "it is a directory")) {
            try Database(.file(directory.path))
        }
    }

    @Test func noDatabase() async throws {
        try directory.write(
            String(repeating: "this is a text, and no database\n", count: 100), to: "library.sqlite3")
        let error = #expect(throws: DatabaseError.self) { try Database(.file(path)) }
        #expect(error == .corrupt(path: path, reason: "file is not a database"))
        #expect(try await client(path).get("/").status == 500)
    }

    @Test func damaged() async throws {
        let client = client(path)
        #expect(try await client.post("/add/").text == "added")
        client.application.stop()
        // The file is whole without its log.
        for suffix in ["-wal", "-shm"] { remove(path + suffix) }
        // Everything after the first page's header becomes rubbish.
        let file = try #require(fopen(path, "r+"))
        fseek(file, 100, SEEK_SET)
        fputs(String(repeating: "rubbish!", count: 4000), file)
        fclose(file)
        let answer = try await client.get("/")
        #expect(answer.status == 500)
        let error = #expect(throws: DatabaseError.self) {
            try Database(.file(path)).rows("SELECT * FROM book")
        }
        guard case .corrupt? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    @Test func lockedForLonger() async throws {
        var settings = SiteSettings(database: .file(path))
        settings.lockTimeout = .milliseconds(200)
        let client = TestClient(SiteApplication(Library(), settings: settings))
        #expect(try await client.get("/").text == "0")
        let other = try Database(.file(path))
        let (held, holding) = AsyncStream<Void>.makeStream()
        let (released, release) = AsyncStream<Void>.makeStream()
        async let holder: Void = DispatchExecutor().run {
            try other.transaction { _ in
                holding.finish()
                try Blocking.run { for await _ in released {} }
            }
        }
        for await _ in held {}
        // Readers go on, writers give up after the timeout.
        #expect(try await client.get("/").text == "0")
        let answer = try await client.post("/add/")
        #expect(answer.status == 503)
        #expect(answer.head.fields["Retry-After"] == "5")
        release.finish()
        try await holder
        #expect(try await client.post("/add/").text == "added")
    }

    @Test func diskFull() async throws {
        let database = try Database(.file(path))
        _ = try Migrator(site: "library", migrations: Library().migrations).apply(to: database)
        let error = #expect(throws: DatabaseError.self) {
            try database.withWriter { connection in
                // SQLite's own limit gives the same answer as a full disk.
                try Connection(connection).execute("PRAGMA max_page_count = 8")
            }
            try database.transaction { transaction in
                for number in 0..<2000 { _ = try Book(title: "Book number \(number)").created(in: transaction) }
            }
        }
        #expect(error == .diskFull(path: path))
        #expect(try Book.objects.count(in: database) == 0)
    }

    /// A file and directory that may only be read. Root may write everything, so the test gives that up for its thread.
    @Test func readOnly() async throws {
        let setup = client(path)
        #expect(try await setup.post("/add/").text == "added")
        setup.application.stop()
        chmod(path, 0o444)
        chmod(directory.path, 0o555)
        defer { chmod(directory.path, 0o755) }
        let site = SiteApplication(Library(), settings: SiteSettings(database: .file(path)))
        let error = try await DispatchExecutor().run {
            try Unprivileged.run { () -> DatabaseError? in
                do throws(DatabaseError) {
                    let database = try Database(.file(path))
                    try database.execute("DELETE FROM book")
                    return nil
                } catch {
                    return error
                }
            }
        }
        #expect(error == .readOnly(path: path))
        #expect(error?.isTemporary == true)
        chmod(path, 0o644)
        chmod(directory.path, 0o755)
        #expect(try await TestClient(site).get("/").text == "1")
    }

    @Test func withoutDatabase() async throws {
        let client = TestClient(Library(), settings: SiteSettings())
        #expect(try await client.get("/").status == 500)
        #expect(client.application.check().map(\.id) == ["database.E001"])
    }

    @Test func openedAgainOnceItCanBe() async throws {
        let later = directory.path + "/later/library.sqlite3"
        let client = client(later)
        #expect(try await client.get("/").status == 503)
        mkdir(directory.path + "/later", 0o755)
        #expect(try await client.get("/").text == "0")
    }

    @Test func everyErrorSaysWhatToDo() {
        let errors: [DatabaseError] = [
            .missingDirectory(path: "p"), .locked(path: "p"), .readOnly(path: "p"), .corrupt(path: "p", reason: "r"),
            .diskFull(path: "p"), .cannotOpen(path: "p", reason: "r"), .notConfigured(site: "s"),
        ]
        for error in errors { #expect(error.description.contains(";")) }
    }
}

/// Work on this thread without root's power over files (`setfsuid` concerns one thread only).
private enum Unprivileged {
    static func run<Result>(_ body: () throws -> Result) throws -> Result {
        guard geteuid() == 0 else { return try body() }
        let symbol = try #require(dlsym(nil, "setfsuid"))
        let setUser = unsafeBitCast(symbol, to: (@convention(c) (UInt32) -> Int32).self)
        _ = setUser(65534)
        defer { _ = setUser(0) }
        return try body()
    }
}

@Suite struct Lifespans {
    private final class Channel: ASGIChannel {
        let events: Mutex<[ReceiveEvent]>
        let sent = Mutex<[String]>([])

        init(_ events: [ReceiveEvent]) { self.events = Mutex(events) }

        func receive() async throws -> ReceiveEvent { events.withLock { $0.removeFirst() } }
        func send(_ event: SendEvent) async throws { sent.withLock { $0.append("\(event)") } }
        func respond(_ head: ResponseHead, _ body: ByteBuffer) async throws {}
    }

    @Test func startsAndStops() async throws {
        let application = SiteApplication(Library(), settings: SiteSettings(database: .memory))
        let channel = Channel([.startup, .shutdown])
        try await application(.lifespan(LifespanScope()), Receive(channel), Send(channel))
        #expect(channel.sent.withLock { $0 } == ["startupComplete", "shutdownComplete"])
    }

    @Test func saysWhyItCannotStart() async throws {
        let application = SiteApplication(Library(), settings: SiteSettings(database: .file("/nowhere/x.sqlite3")))
        let channel = Channel([.startup])
        try await application(.lifespan(LifespanScope()), Receive(channel), Send(channel))
        let sent = channel.sent.withLock { $0 }
        #expect(sent.first?.hasPrefix("startupFailed") == true)
        #expect(sent.first?.contains("/nowhere/x.sqlite3") == true)
    }
}
