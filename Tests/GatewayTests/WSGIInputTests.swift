import HTTP
import NIOCore
import Testing

@testable import Gateway

#if canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// The request body of a synchronous application (protocols W16–W19), in memory and on disk.
@Suite(.timeLimit(.minutes(10)))
struct WSGIInputTests {
    static func input(_ text: String, onDisk: Bool, inMemory: Int = 0) throws -> BodyInput {
        guard onDisk else { return BodyInput(memory: ByteBuffer(string: text), file: nil, count: text.utf8.count) }
        let file = try SpoolFile(in: "/tmp")
        try file.append(ByteBuffer(string: text))
        return BodyInput(memory: ByteBuffer(), file: file, count: text.utf8.count)
    }

    @Test("W16: read gives what is asked for, what is left, and nothing at the end", arguments: [false, true])
    func read(onDisk: Bool) throws {
        let input = try Self.input("abcdefgh", onDisk: onDisk)
        #expect(input.count == 8)
        #expect(String(buffer: try input.read(3)) == "abc")
        #expect(String(buffer: try input.read(0)) == "")
        #expect(String(buffer: try input.read(100)) == "defgh")
        #expect(String(buffer: try input.read(1)) == "")
        #expect(String(buffer: try input.read(nil)) == "")
    }

    @Test("W17: lines keep their feed, and read goes on after them", arguments: [false, true])
    func lines(onDisk: Bool) throws {
        let input = try Self.input("a\nb\n\nc", onDisk: onDisk)
        #expect(try (0..<6).map { _ in String(buffer: try input.readLine()) } == ["a\n", "b\n", "\n", "c", "", ""])
        let other = try Self.input("one\ntwo\nthree", onDisk: onDisk)
        #expect(String(buffer: try other.readLine()) == "one\n")
        #expect(String(buffer: try other.read(2)) == "tw")
        #expect(String(buffer: try other.read(nil)) == "o\nthree")
    }

    @Test("lines longer than what is read at a time")
    func longLine() throws {
        let line = String(repeating: "x", count: 200_000)
        let input = try Self.input(line + "\n" + line, onDisk: true)
        #expect(try input.readLine().readableBytes == 200_001)
        #expect(try input.readLine().readableBytes == 200_000)
    }

    /// Sends `parts` to an application that compares them with `expected`.
    func echo(
        _ framing: BodyFraming, _ parts: [BodyPart], memory: Int, directory: String = "/tmp",
        expected: ByteBuffer = ByteBuffer()
    ) async throws
        -> (events: [FakeExchange.Event], log: [String])
    {
        let pool = try ThreadPool(threads: 1, queueLimit: 1)
        let log = LogRecorder()
        let exchange = FakeExchange(RequestHead(.post, "/", framing: framing), on: anyLoop(), body: parts)
        start(
            exchange,
            { environ, startResponse in
                try startResponse(.ok, [:])
                let all = try environ.input.read(nil)
                return WholeBody("\(environ.input.count) \(all == expected)")
            }, pool: pool, bodyMemory: memory, directory: directory, log: log)
        let events = await exchange.done()
        await drain(pool)
        return (events, log.all)
    }

    @Test(
        "a body arrives whole whatever its size and its parts",
        arguments: [0, 1, 100, 1000, 1001, 300_000, 3_000_000], [1, 7, 4096])
    func collected(size: Int, count: Int) async throws {
        // A block whose length is prime: no unit of reading or writing hides a shift.
        let block = [UInt8]((0..<251).map { UInt8($0) })
        var whole = ByteBuffer()
        while whole.readableBytes < size { whole.writeBytes(block) }
        whole.moveWriterIndex(to: size)
        var rest = whole
        var parts: [BodyPart] = []
        let unit = max(1, size / count)
        while rest.readableBytes > 0, let part = rest.readSlice(length: min(unit, rest.readableBytes)) {
            parts.append(.bytes(part))
        }
        let outcome = try await echo(.length(size), parts + [.end], memory: 1000, expected: whole)
        #expect(outcome.events == [.respond(200, fields: "", body: "\(size) true")])
    }

    @Test(
        "W19: a body that fails is answered by its status, and the application never called",
        arguments: [(BodyFailure.tooLarge, 413), (.malformed, 400), (.timedOut, 408)], [10, 100_000])
    func failed(_ failure: (BodyFailure, Int), size: Int) async throws {
        let parts: [BodyPart] = [.bytes(ByteBuffer(repeating: 0x61, count: size)), .failed(failure.0)]
        let outcome = try await echo(.chunked, parts, memory: 1000)
        #expect(outcome.events.count == 1)
        guard case .respond(failure.1, _, _) = outcome.events.first else {
            Issue.record("\(outcome.events)")
            return
        }
        #expect(outcome.log.isEmpty)
    }

    @Test("a body that cannot be kept costs its own request, and is logged")
    func noDirectory() async throws {
        let parts: [BodyPart] = [.bytes(ByteBuffer(repeating: 0x61, count: 5000)), .end]
        let outcome = try await echo(.chunked, parts, memory: 1000, directory: "/nonexistent")
        guard case .respond(500, _, _) = outcome.events.first else {
            Issue.record("\(outcome.events)")
            return
        }
        #expect(outcome.log.count == 1)
        #expect(outcome.log.first?.contains("/nonexistent") == true)
        #expect(outcome.log.first?.contains("request-id=request-1") == true)
    }

    @Test(
        "a full disk is 507, another failure 500", arguments: [(ENOSPC, 507), (EDQUOT, 507), (EACCES, 500), (EIO, 500)])
    func storage(errno: Int32, status: Int) {
        #expect(SpoolFile.Failure(errno: errno).status.code == status)
    }

    @Test("a disk that is full while a body is written")
    func diskFull() throws {
        // The device that is always full stands for a disk that is.
        let descriptor = open("/dev/full", O_WRONLY | O_CLOEXEC)
        try #require(descriptor >= 0)
        let file = SpoolFile(takingOwnershipOf: descriptor)
        #expect(throws: SpoolFile.Failure(errno: ENOSPC)) { try file.append(ByteBuffer(string: "x")) }
    }

    @Test("the file of a large body has no name and is closed with the request")
    func unlinked() async throws {
        let directory = "/tmp/gateway-spool-\(getpid())"
        try #require(mkdir(directory, 0o700) == 0)
        defer { rmdir(directory) }
        let pool = try ThreadPool(threads: 1, queueLimit: 1)
        let exchange = FakeExchange(
            RequestHead(.post, "/", framing: .chunked), on: anyLoop(),
            body: [.bytes(ByteBuffer(repeating: 0x61, count: 100_000)), .end])
        start(
            exchange,
            { environ, startResponse in
                try startResponse(.ok, [:])
                return WholeBody("\(environ.input.count) \(Self.openFiles(in: directory))")
            }, pool: pool, bodyMemory: 1000, directory: directory)
        #expect(await exchange.done() == [.respond(200, fields: "", body: "100000 1")])
        await drain(pool)
        #expect(Self.openFiles(in: directory) == 0)
        // Empty, or it could not be removed.
        #expect(rmdir(directory) == 0)
    }

    /// How many descriptors of this process lead to files that were in `directory`.
    static func openFiles(in directory: String) -> Int {
        (0..<1024).count { descriptor in
            var target = [CChar](repeating: 0, count: 512)
            let count = readlink("/proc/self/fd/\(descriptor)", &target, target.count)
            return count > 0 && target.prefix(count).map { UInt8(bitPattern: $0) }.starts(with: (directory + "/").utf8)
        }
    }

    @Test("no thread is occupied while a body is still coming")
    func slowUpload() async throws {
        let pool = try ThreadPool(threads: 1, queueLimit: 0)
        let slow = FakeExchange(RequestHead(.post, "/", framing: .length(4)), on: anyLoop(), body: [])
        start(
            slow,
            { environ, startResponse in
                try startResponse(.ok, [:])
                return WholeBody(try environ.input.read(nil))
            }, pool: pool)
        await slow.until { $0.isReceiving }
        slow.send(.bytes(ByteBuffer(string: "ab")))
        await slow.until { $0.isReceiving }
        #expect(pool.counts.started == 0)
        #expect(pool.counts.queued == 0)
        slow.send(.bytes(ByteBuffer(string: "cd")))
        slow.send(.end)
        #expect(await slow.done() == [.respond(200, fields: "", body: "abcd")])
        await drain(pool)
    }
}
