import HTTP
import Testing

@testable import Gateway

/// What is found of an application's fields in one pass.
@Suite
struct FramingFieldsTests {
    @Test(
        "Content-Length",
        arguments: [
            ([], nil, false), (["Content-Length: 0"], 0, false), (["CONTENT-LENGTH: 12"], 12, false),
            (["content-length: 12 "], 12, false), (["Content-Length: "], nil, true),
            (["Content-Length: -1"], nil, true),
            (["Content-Length: +1"], nil, true), (["Content-Length: 1 2"], nil, true),
            (["Content-Length: 99999999999999999999"], nil, true),
            (["Content-Length: 5", "Content-Length: 5"], 5, false),
            (["Content-Length: 5", "Content-Length: 6"], 5, true), (["Content-Lengths: 5"], nil, false),
            (["Content-Type: a", "X: b", "Content-Length: 7", "Set-Cookie: c"], 7, false),
        ] as [([String], Int?, Bool)])
    func contentLength(lines: [String], length: Int?, isInvalid: Bool) throws {
        let framing = FramingFields(try Self.fields(lines))
        #expect(framing.contentLength == length)
        #expect(framing.isContentLengthInvalid == isInvalid)
    }

    @Test(
        "hop-by-hop fields",
        arguments: [
            (["Connection: close"], "connection"), (["X: 1", "tE: trailers"], "te"), (["Trailer: x"], "trailer"),
            (["Transfer-Encoding: chunked"], "transfer-encoding"), (["Title: x", "Connectio: 1", "Proxy: 2"], nil),
            (["Keep-Alive: 1", "Upgrade: x"], "keep-alive"), (["Content-Type: connection: close"], nil),
        ] as [([String], String?)])
    func hopByHop(lines: [String], name: String?) throws {
        #expect(FramingFields(try Self.fields(lines)).hopByHopField == name)
    }

    static func fields(_ lines: [String]) throws -> Fields {
        var fields = Fields()
        for line in lines {
            let colon = try #require(line.firstIndex(of: ":"))
            try fields.append(name: String(line[..<colon]), value: String(line[colon...].dropFirst(2)))
        }
        return fields
    }
}
