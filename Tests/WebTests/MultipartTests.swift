import Glibc
import HTTP
import NIOCore
import TestSupport
import Testing

@testable import Web

private struct Uploads: Site {
    let name = "uploads"

    var urls: URLs {
        path("") { request in
            .json([
                "fields": .array(try request.form.pairs.map { .string("\($0.name)=\($0.value)") }),
                "files": .array(
                    try request.files.all.map {
                        .string(
                            "\($0.field) \($0.name) \($0.contentType ?? "-") \($0.size) \(String(buffer: try $0.contents()).prefix(20))"
                        )
                    }), "body": .int(request.body.readableBytes),
            ])
        }
        path("save/", save)
    }
}

private func save(_ request: Request) throws -> Response {
    guard let file = request.files["file"], let path = request.query["to"] else { throw BadRequest() }
    try file.save(to: path)
    return .text("\(file.size)")
}

@Suite struct MultipartParserTests {
    private func head(_ name: String, _ fileName: String? = nil, _ type: String? = nil) throws -> MultipartHead {
        let file = fileName.map { "; filename=\"\($0)\"" } ?? ""
        let line = "Content-Disposition: form-data; name=\"\(name)\"\(file)"
        return try MultipartHead(Array((line + (type.map { "\r\nContent-Type: \($0)" } ?? "")).utf8))
    }

    /// The events of a body, contents put together, whatever the pieces it comes in.
    private func events(_ body: String, pieces: Int) throws -> [MultipartParser.Event] {
        var parser = MultipartParser(boundary: "XX")
        var events: [MultipartParser.Event] = []
        let bytes = Array(body.utf8)
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            for event in try parser.events(in: bytes[start..<min(start + pieces, bytes.count)]) {
                if case .content(let more) = event, case .content(let before)? = events.last {
                    events[events.count - 1] = .content(before + more)
                } else {
                    events.append(event)
                }
            }
        }
        #expect(parser.isComplete)
        return events
    }

    private static let form =
        "preamble --XX\r\n--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none\r\n--XX  \r\n"
        + "content-disposition:form-data;name=\"f\";filename=\"x.txt\"\r\nContent-Type: text/plain\r\n\r\n"
        + "two\r\n--XY\r\n-XX\r\n\r\n--XX\r\nContent-Disposition: form-data; name=\"e\"\r\n\r\n\r\n"
        + "--XX\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\n--XX--\r\nepilogue --XX\r\n"

    @Test(arguments: 1...40)
    func piecesMakeNoDifference(_ size: Int) throws {
        let expected: [MultipartParser.Event] = [
            .partBegins(try head("a")), .content(Array("one".utf8)), .partEnds,
            .partBegins(try head("f", "x.txt", "text/plain")), .content(Array("two\r\n--XY\r\n-XX\r\n".utf8)),
            .partEnds,
            .partBegins(try head("e")), .partEnds, .partBegins(try head("n")), .partEnds,
        ]
        #expect(try events(Self.form, pieces: size) == expected)
    }

    @Test func theFirstBoundaryMayBeTheBeginning() throws {
        let events = try events("--XX\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n--XX--", pieces: 1000)
        #expect(events == [.partBegins(try head("a")), .content([0x62]), .partEnds])
    }

    @Test(arguments: [
        ("--XX\r\nContent-Type: text/plain\r\n\r\nx\r\n--XX--", "a part has no name"),
        ("--XX\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n--XX--", "a part has no name"),
        ("--XX\r\nnonsense\r\n\r\nx\r\n--XX--", "no field"),
        ("--XXY\r\n", "something else"),
        ("--XX\r\n" + String(repeating: "a", count: 9000), "too long"),
        ("--XX" + String(repeating: " ", count: 500), "too much space"),
    ])
    func malformed(_ body: String, _ reason: String) {
        var parser = MultipartParser(boundary: "XX")
        let error = #expect(throws: MultipartParser.Malformed.self) { try parser.events(in: Array(body.utf8)) }
        #expect(error?.text.contains(reason) ?? false, "\(String(describing: error))")
    }

    @Test(
        arguments: [
            ("multipart/form-data; boundary=abc", "abc"), ("Multipart/Form-Data;boundary=\"a b\"", "a b"),
            ("multipart/form-data; charset=utf-8; boundary=x", "x"), ("multipart/form-data", nil),
            ("multipart/form-data; boundary=", nil), ("multipart/mixed; boundary=a", nil),
            ("multipart/form-data; boundary=" + String(repeating: "x", count: 71), nil),
            ("multipart/form-data; boundary=\"a \"", nil),
        ] as [(String, String?)])
    func boundaries(_ type: String, _ boundary: String?) {
        #expect(MultipartParser.boundary(of: type) == boundary)
    }

    @Test(arguments: [
        (#"form-data; name="a"; filename="b \"c\".txt""#, #"b "c".txt"#),
        (#"form-data; name="a"; filename="C:\files\b.txt""#, #"C:\files\b.txt"#),
        (#"form-data; name="a"; filename="b%22c%0D%0A.txt""#, "b\"c\r\n.txt"),
        (#"form-data; name="a"; filename="x"; filename*=UTF-8''na%C3%AFve.txt"#, "naïve.txt"),
        (#"form-data; name="a"; filename=plain.txt"#, "plain.txt"), (#"form-data; name="a"; filename="a;b""#, "a;b"),
        ("form-data; name=\"a\"; filename=\"日本.txt\"", "日本.txt"),
    ])
    func fileNames(_ disposition: String, _ name: String) throws {
        #expect(try MultipartHead(Array("Content-Disposition: \(disposition)".utf8)).fileName == name)
    }

    @Test(arguments: [
        ("a.txt", "a.txt"), ("/etc/passwd", "passwd"), (#"C:\x\y.doc"#, "y.doc"), ("../..", ""), (".", ""), ("a/", ""),
        ("a\r\nb\u{202E}c\0", "abc"), (String(repeating: "x", count: 300), String(repeating: "x", count: 255)),
    ])
    func namesAreNoPaths(_ sent: String, _ name: String) { #expect(UploadedFile.plainName(sent) == name) }
}

@Suite struct UploadTests {
    private func part(_ name: String, _ content: String, file: String? = nil, type: String? = nil) -> String {
        "--B\r\nContent-Disposition: form-data; name=\"\(name)\"\(file.map { "; filename=\"\($0)\"" } ?? "")\r\n"
            + (type.map { "Content-Type: \($0)\r\n" } ?? "") + "\r\n\(content)\r\n"
    }

    private func post(
        _ body: String, to path: String = "/", through gateway: TestClient.GatewayKind, limit: Int = 1 << 22
    ) async throws -> TestResponse {
        var settings = SiteSettings()
        settings.bodyLimit = limit
        let client = TestClient(Uploads(), gateway: gateway, settings: settings)
        return try await client.send(
            .post, path, fields: [("Content-Type", "multipart/form-data; boundary=B")], body: ByteBuffer(string: body))
    }

    @Test(arguments: [TestClient.GatewayKind.wsgi, .asgi])
    func fieldsAndFiles(through gateway: TestClient.GatewayKind) async throws {
        let large = String(repeating: "0123456789", count: 30_000)
        let response = try await post(
            part("a", "1") + part("small", "tiny", file: "../x/s.txt", type: "text/plain")
                + part("large", large, file: "l.bin") + part("a", "zwei ä") + part("empty", "", file: "") + "--B--\r\n",
            through: gateway)
        #expect(response.status == .ok, "\(response.text)")
        let json = try response.json
        #expect(json["body"] == .int(0))
        #expect(json["fields"] == .array([.string("a=1"), .string("a=zwei ä")]))
        #expect(
            json["files"]
                == .array([
                    .string("small s.txt text/plain 4 tiny"), .string("large l.bin - 300000 01234567890123456789"),
                ]))
    }

    @Test(arguments: [TestClient.GatewayKind.wsgi, .asgi])
    func savesToANewFileOnly(through gateway: TestClient.GatewayKind) async throws {
        let directory = try Folder()
        let path = "\(directory.path)/saved"
        let content = String(repeating: "abc\r\n--\0", count: 40_000)
        let body = part("file", content, file: "x") + "--B--"
        let response = try await post(body, to: "/save/?to=\(path)", through: gateway)
        #expect(response.text == "\(content.utf8.count)")
        var found = stat()
        #expect(stat(path, &found) == 0 && found.st_size == content.utf8.count && found.st_mode & 0o777 == 0o600)
        #expect(try await post(body, to: "/save/?to=\(path)", through: gateway).status.code == 500)
        #expect(stat(path, &found) == 0 && found.st_size == content.utf8.count)
    }

    @Test(arguments: [TestClient.GatewayKind.wsgi, .asgi])
    func limits(through gateway: TestClient.GatewayKind) async throws {
        let end = "--B--"
        let files = (0...100).map { part("f\($0)", "x", file: "x") }.joined() + end
        #expect(try await post(files, through: gateway).status == .badRequest)
        let fields = (0...1000).map { part("f\($0)", "x") }.joined() + end
        #expect(try await post(fields, through: gateway).status == .badRequest)
        let value = part("a", String(repeating: "x", count: 2_700_000)) + end
        #expect(try await post(value, through: gateway).status == .contentTooLarge)
        let file = part("a", String(repeating: "x", count: 2_700_000), file: "x") + end
        #expect(try await post(file, through: gateway).status == .ok)
        #expect(try await post(file, through: gateway, limit: 1000).status == .contentTooLarge)
    }

    @Test(arguments: [TestClient.GatewayKind.wsgi, .asgi])
    func malformed(through gateway: TestClient.GatewayKind) async throws {
        for body in ["x", "--B\r\n", part("a", "1"), "--B\r\n\r\nno name\r\n--B--"] {
            let response = try await post(body, through: gateway)
            #expect(response.status == .badRequest, "\(body): \(response.status)")
        }
    }

    /// A disk that cannot be written is the server's trouble, not the client's. (The client in memory gives an ASGI
    /// application all of the body at once, and that stays in memory.)
    @Test func noPlaceForTemporaryFiles() async throws {
        var settings = SiteSettings()
        settings.temporaryDirectory = "/nonexistent"
        let client = TestClient(Uploads(), gateway: .wsgi, settings: settings)
        let body = part("f", String(repeating: "x", count: 200_000), file: "x") + "--B--"
        let response = try? await client.send(
            .post, "/", fields: [("Content-Type", "multipart/form-data; boundary=B")], body: ByteBuffer(string: body))
        #expect(
            response.map { $0.status.code >= 500 } ?? true, "\(response.map { "\($0.status.code) \($0.text)" } ?? "")")
    }

    /// The token may come in a field of the form, as with any other.
    @Test(arguments: [TestClient.GatewayKind.wsgi, .asgi])
    func theTokenIsAField(through gateway: TestClient.GatewayKind) async throws {
        let client = TestClient(Uploads(), gateway: gateway, enforcesCSRF: true)
        let type = [("Content-Type", "multipart/form-data; boundary=B")]
        let secret = String(decoding: CSRF.newSecret(), as: UTF8.self)
        let cookie = [("Cookie", "csrftoken=\(secret)")]
        let without = try await client.send(
            .post, "/", fields: type + cookie, body: ByteBuffer(string: part("a", "1") + "--B--"))
        #expect(without.status == .forbidden)
        let with = try await client.send(
            .post, "/", fields: type + cookie,
            body: ByteBuffer(string: part("csrfmiddlewaretoken", secret) + part("f", "x", file: "x") + "--B--"))
        #expect(with.status == .ok, "\(with.text)")
    }
}
