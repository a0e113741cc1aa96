import HTTP
import NIOCore
import Testing

@testable import Server

/// Everything the parser reads out of `text`, fed in pieces as long as `sizes` says (over and over); nil for one piece.
func parse(_ text: String, limits: ParserLimits = ParserLimits(), pieces sizes: [Int]? = nil) throws -> [String] {
    var parser = RequestParser(limits: limits)
    var input = ByteBuffer()
    var rest = Array(text.utf8)[...]
    var events: [String] = []
    var round = 0
    repeat {
        let size = sizes.map { max(1, $0[round % $0.count]) } ?? rest.count
        round += 1
        input.writeBytes(rest.prefix(size))
        rest = rest.dropFirst(size)
        while let event = try parser.next(&input) {
            switch event {
            case .head(let head): events.append(describe(head))
            case .body(let bytes):
                let text = String(buffer: bytes)
                if let last = events.last, last.hasPrefix("body ") {
                    events[events.count - 1] = last + text
                } else {
                    events.append("body " + text)
                }
            case .end: events.append("end")
            }
        }
    } while !rest.isEmpty
    return events
}

private func describe(_ head: RequestHead) -> String {
    let fields = head.fields.pairs.map { "\($0.name)=\($0.value)" }.joined(separator: ";")
    let authority = head.authority.map(head.string) ?? "-"
    return "\(head.method.name) \(head.string(head.rawPath))|\(head.query)|\(head.version.name)|\(authority)|\(fields)"
        + "|\(head.framing)|\(head.isKeepAlive ? "keep" : "close")\(head.expectsContinue ? "|100" : "")"
}

@Suite struct RequestParserTests {
    static let accepted: [(String, [String])] = [
        (
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            ["GET /||HTTP/1.1|a|Host=a|none|keep", "end"]
        ),
        (
            "\r\nGET /x?y=1&z=%20 HTTP/1.1\r\nHost:a:80\r\nX:  b \t\r\nEmpty:\r\n\r\n",
            ["GET /x|y=1&z=%20|HTTP/1.1|a:80|Host=a:80;X=b;Empty=|none|keep", "end"]
        ),
        ("GET / HTTP/1.0\r\n\r\n", ["GET /||HTTP/1.0|-||none|close", "end"]),
        (
            "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
            ["GET /||HTTP/1.0|-|Connection=Keep-Alive|none|keep", "end"]
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: x , CLOSE\r\n\r\n",
            ["GET /||HTTP/1.1|a|Host=a;Connection=x , CLOSE|none|close", "end"]
        ),
        ("GET / HTTP/1.9\r\nHost: a\r\n\r\n", ["GET /||HTTP/1.1|a|Host=a|none|keep", "end"]),
        (
            "GET http://b.example/p?q HTTP/1.1\r\nHost: a\r\n\r\n",
            ["GET /p|q|HTTP/1.1|b.example|Host=b.example|none|keep", "end"]
        ),
        (
            "GET http://b.example HTTP/1.1\r\nHost: a\r\n\r\n",
            ["GET ||HTTP/1.1|b.example|Host=b.example|none|keep", "end"]
        ),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", ["OPTIONS ||HTTP/1.1|a|Host=a|none|keep", "end"]),
        (
            "GET / HTTP/1.1\r\nHost: [::1]:8000\r\n\r\n",
            ["GET /||HTTP/1.1|[::1]:8000|Host=[::1]:8000|none|keep", "end"]
        ),
        ("BREW /pot HTTP/1.1\r\nHost: a\r\n\r\n", ["BREW /pot||HTTP/1.1|a|Host=a|none|keep", "end"]),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            [
                "POST /||HTTP/1.1|a|Host=a;Content-Length=5|length(5)|keep", "body hello", "end",
                "GET /||HTTP/1.1|a|Host=a|none|keep", "end",
            ]
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nExpect: 100-Continue\r\n\r\n",
            ["POST /||HTTP/1.1|a|Host=a;Content-Length=0;Expect=100-Continue|length(0)|keep|100", "end"]
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n5;a=b;c=\"d\"\r\nhello\r\n006 ;x\r\n world\r\n"
                + "0\r\nTrailer: x\r\n\r\n",
            [
                "POST /||HTTP/1.1|a|Host=a;Transfer-Encoding=Chunked|chunked|keep", "body hello world", "end",
            ]
        ),
    ]

    @Test(arguments: accepted) func accepts(text: String, expected: [String]) throws {
        #expect(try parse(text) == expected)
    }

    @Test(arguments: accepted) func acceptsByteByByte(text: String, expected: [String]) throws {
        #expect(try parse(text, pieces: [1]) == expected)
    }

    @Test(arguments: accepted) func acceptsInRandomSplits(text: String, expected: [String]) throws {
        for _ in 0..<50 {
            let sizes = (0..<16).map { _ in Int.random(in: 1...9) }
            #expect(try parse(text, pieces: sizes) == expected, "in pieces of \(sizes)")
        }
    }

    static let refused: [(String, RequestError)] = [
        ("GET /\r\n\r\n", .malformedRequestLine),
        ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", .malformedRequestLine),
        ("GET /  HTTP/1.1\r\nHost: a\r\n\r\n", .malformedRequestLine),
        ("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", .malformedRequestLine),
        ("GET / http/1.1\r\nHost: a\r\n\r\n", .malformedRequestLine),
        (" GET / HTTP/1.1\r\nHost: a\r\n\r\n", .malformedRequestLine),
        ("G@T / HTTP/1.1\r\nHost: a\r\n\r\n", .malformedRequestLine),
        ("\u{16}\u{3}\u{1}", .malformedRequestLine),
        ("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .malformedRequestLine),
        ("GET x HTTP/1.1\r\nHost: a\r\n\r\n", .malformedTarget),
        ("GET /#f HTTP/1.1\r\nHost: a\r\n\r\n", .malformedTarget),
        ("GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n", .malformedTarget),
        ("GET /\u{1} HTTP/1.1\r\nHost: a\r\n\r\n", .malformedTarget),
        ("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", .malformedTarget),
        ("GET http:///p HTTP/1.1\r\nHost: a\r\n\r\n", .malformedTarget),
        ("GET http://u@a/p HTTP/1.1\r\nHost: a\r\n\r\n", .malformedTarget),
        ("GET * HTTP/1.1\r\nHost: a\r\n\r\n", .malformedTarget),
        ("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", .unsupportedMethod),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .unsupportedVersion),
        ("GET / HTTP/0.9\r\n\r\n", .unsupportedVersion),
        ("GET / HTTP/1.1\nHost: a\n\n", .bareLineEnd),
        ("GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", .bareLineEnd),
        ("GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", .bareLineEnd),
        ("GET / HTTP/1.1\rHost: a\r\n\r\n", .bareLineEnd),
        ("\n", .malformedRequestLine),
        ("\rX", .bareLineEnd),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", .obsoleteFold),
        ("GET / HTTP/1.1\r\n\tHost: a\r\n\r\n", .obsoleteFold),
        ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", .malformedField),
        ("GET / HTTP/1.1\r\nHost: a\r\n: b\r\n\r\n", .malformedField),
        ("GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", .malformedField),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: \u{0}\r\n\r\n", .malformedField),
        ("GET / HTTP/1.1\r\nHost: a\r\nX: \u{7f}\r\n\r\n", .malformedField),
        ("GET / HTTP/1.1\r\nHost: a\r\nX\u{1}: b\r\n\r\n", .malformedField),
        ("GET / HTTP/1.1\r\n\r\n", .missingHost),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", .malformedHost),
        ("GET / HTTP/1.1\r\nHost:\r\n\r\n", .malformedHost),
        ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", .malformedHost),
        ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", .malformedHost),
        ("GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", .malformedHost),
        ("GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", .malformedHost),
        ("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", .malformedHost),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", .ambiguousFraming),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", .ambiguousFraming),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3, 3\r\n\r\n", .malformedContentLength),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\n", .malformedContentLength),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -3\r\n\r\n", .malformedContentLength),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x3\r\n\r\n", .malformedContentLength),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", .malformedContentLength),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", .bodyTooLarge),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10485761\r\n\r\n", .bodyTooLarge),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", .ambiguousFraming),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", .ambiguousFraming),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", .ambiguousFraming),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", .ambiguousFraming),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;q=1\r\n\r\n", .ambiguousFraming),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n", .ambiguousFraming),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", .ambiguousFraming),
        ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", .ambiguousFraming),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", .unknownTransferCoding),
        ("POST / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n", .unsupportedExpectation),
    ]

    @Test(arguments: refused) func refuses(text: String, error: RequestError) {
        #expect(throws: error) { try parse(text) }
        #expect(throws: error) { try parse(text, pieces: [1]) }
    }

    static let chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

    @Test(arguments: [
        "x\r\n", "\r\n", "-1\r\n", "0x1\r\n", " 1\r\n", "1 \r\n", "1\n", "1\r\nab", "1\r\na\n", "1;\u{0}\r\n",
        "1,2\r\n", "FFFFFFFFFFFFFFFF\r\n", "1\rx", "1;" + String(repeating: "x", count: 5000) + "\r\n",
    ])
    func refusesChunks(body: String) {
        #expect(throws: RequestError.malformedChunk) { try parse(Self.chunked + body) }
        #expect(throws: RequestError.malformedChunk) { try parse(Self.chunked + body, pieces: [1]) }
    }

    @Test(arguments: [
        ("0\r\n X: y\r\n\r\n", RequestError.obsoleteFold), ("0\r\nX : y\r\n\r\n", .malformedField),
        ("0\r\nX: y\n\r\n", .bareLineEnd), ("A00001\r\n", .bodyTooLarge),
    ])
    func refusesChunkedEnds(body: String, error: RequestError) {
        #expect(throws: error) { try parse(Self.chunked + body) }
    }

    @Test func limits() {
        var limits = ParserLimits()
        limits.headerSize = 100
        limits.fieldCount = 3
        limits.targetSize = 20
        limits.bodySize = 10
        let long = String(repeating: "a", count: 101)
        let cases: [(String, RequestError)] = [
            ("GET /\(long) HTTP/1.1\r\nHost: a\r\n\r\n", .targetTooLong),
            ("GET /\(String(repeating: "a", count: 200))", .targetTooLong),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: \(long)\r\n\r\n", .headerTooLarge),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: \(long)", .headerTooLarge),
            ("GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n", .headerTooLarge),
            ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n", .bodyTooLarge),
            ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n5\r\n", .bodyTooLarge),
            ("\(String(repeating: "G", count: 33)) / HTTP/1.1\r\nHost: a\r\n\r\n", .unsupportedMethod),
        ]
        for (text, error) in cases {
            #expect(throws: error) { try parse(text, limits: limits) }
        }
    }
}
