import HTTP
import NIOCore
import Testing

@testable import Gateway

#if canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Files as response bodies (protocol W41).
@Suite(.timeLimit(.minutes(10)))
struct FileBodyTests {
    /// A file of `count` bytes, gone after `body`.
    func withFile(_ count: Int, _ body: @Sendable (String) async throws -> Void) async throws {
        var path = Array("/tmp/gateway-file-XXXXXX".utf8CString)
        let descriptor = mkstemp(&path)
        try #require(descriptor >= 0)
        try SpoolFile(takingOwnershipOf: descriptor).append(ByteBuffer(repeating: 0x66, count: count))
        let name = path.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } ?? "" }
        defer { unlink(name) }
        try await body(name)
    }

    @Test("a small file is one write with its head, a large one goes by sendfile", arguments: [false, true])
    func sizes(inline: Bool) async throws {
        for count in [0, 10, 32 * 1024, 32 * 1024 + 1, 1_000_000] {
            try await withFile(count) { path in
                let outcome = try await serve(inline: inline) { _, startResponse in
                    try startResponse(.ok, [:])
                    return try FileBody(path: path)
                }
                let fields = "Content-Length: \(count)"
                #expect(
                    outcome.events
                        == (count <= 32 * 1024
                            ? [.respond(200, fields: fields, body: String(repeating: "f", count: count))]
                            : [.start(200, fields: fields), .file(offset: 0, count: count), .finish]))
                #expect(outcome.log.isEmpty)
            }
        }
    }

    @Test("it stops at Content-Length, and says when the file has less", arguments: [(50_000, true), (200_000, false)])
    func length(length: Int, fits: Bool) async throws {
        try await withFile(100_000) { path in
            let outcome = try await serve { _, startResponse in
                try startResponse(.ok, ["Content-Length": "\(length)"])
                return try FileBody(path: path)
            }
            #expect(
                outcome.events
                    == (fits
                        ? [.start(200, fields: "Content-Length: \(length)"), .file(offset: 0, count: length), .finish]
                        : [WSGIBodyTests.error]))
            #expect(outcome.log.count == (fits ? 0 : 1))
        }
    }

    @Test("HEAD sends the length alone")
    func head() async throws {
        try await withFile(100_000) { path in
            let outcome = try await serve(RequestHead(.head, "/")) { _, startResponse in
                try startResponse(.ok, [:])
                return try FileBody(path: path)
            }
            #expect(outcome.events == [.start(200, fields: "Content-Length: 100000"), .finish])
        }
    }

    @Test("wrapped by middleware it is read piece by piece")
    func wrapped() async throws {
        struct Wrapper: WSGIBody {
            var body: FileBody
            mutating func next() throws -> ByteBuffer? { try body.next() }
            mutating func close() { body.close() }
        }
        try await withFile(100_000) { path in
            let outcome = try await serve { _, startResponse in
                try startResponse(.ok, [:])
                return Wrapper(body: try FileBody(path: path))
            }
            #expect(outcome.events.count == 4)
            #expect(outcome.events.last == .finish)
        }
    }

    @Test("part of an open file")
    func part() async throws {
        try await withFile(10) { path in
            let outcome = try await serve { _, startResponse in
                try startResponse(.partialContent, [:])
                return FileBody(takingOwnershipOf: try openForReading(path), offset: 4, count: 3)
            }
            #expect(outcome.events == [.respond(206, fields: "Content-Length: 3", body: "fff")])
        }
    }

    @Test(
        "what is no regular file is refused",
        arguments: [("/nonexistent", ENOENT), ("/tmp", EISDIR), ("/dev/null", EINVAL)])
    func refused(path: String, errno: Int32) {
        #expect(throws: FileBody.Failure(errno: errno)) { try FileBody(path: path) }
    }
}
