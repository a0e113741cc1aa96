import Gateway
import HTTP
import NIOCore
import Testing

@testable import Server

/// Informational responses and trailers on the wire.
@Suite(.serialized) struct InterimTests {
    @Test(arguments: [
        ("HTTP/1.1", ["HTTP/1.1 103 Early Hints", "Link: </a.css>; rel=preload", "HTTP/1.1 200 OK"]),
        ("HTTP/1.0", ["HTTP/1.1 200 OK"]),
    ])
    func earlyHints(version: String, wanted: [String]) throws {
        let server = try TestServer { exchange in
            exchange.inform(.earlyHints, ["Link": "</a.css>; rel=preload", "Content-Length": "9"])
            exchange.inform(.switchingProtocols, [:])
            exchange.inform(.ok, [:])
            exchange.respond(.ok, text: "hello")
            exchange.inform(.earlyHints, [:])
        }
        defer { server.stop() }
        let response = try server.exchange("GET / \(version)\r\nHost: a\r\nConnection: close\r\n\r\n")
        let lines = response.split(separator: "\r\n").filter { $0.hasPrefix("HTTP/") || $0.hasPrefix("Link") }
        #expect(lines.map(String.init) == wanted)
        #expect(response.hasSuffix("hello") && !response.contains("Content-Length: 9"))
    }

    /// The hints are there before the response is begun.
    @Test func hintsLeaveAtOnce() throws {
        let waiting = HeldExchange()
        let server = try TestServer { exchange in
            exchange.inform(.earlyHints, ["Link": "</a.css>"])
            waiting.hold(exchange)
        }
        defer { server.stop() }
        let client = try server.connect()
        try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(try client.read(through: "\r\n\r\n").hasPrefix("HTTP/1.1 103 "))
        waiting.release { $0.respond(.ok, text: "hello") }
        #expect(try client.read(through: "hello").hasPrefix("HTTP/1.1 200 "))
    }

    @Test(arguments: [
        ("HTTP/1.1", "TE: trailers\r\n", "5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"),
        ("HTTP/1.1", "TE: gzip;q=0.5, Trailers\r\n", "5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"),
        ("HTTP/1.1", "", "5\r\nhello\r\n0\r\n\r\n"),
        ("HTTP/1.0", "TE: trailers\r\n", "hello"),
    ])
    func trailers(version: String, fields: String, body: String) throws {
        let server = try TestServer { exchange in
            exchange.start(ResponseHead(.ok, ["Trailer": "X-Sum"]))
            exchange.write(ByteBuffer(string: "hello"))
            exchange.finish(trailers: ["X-Sum": "1", "Content-Length": "99", "Transfer-Encoding": "x", "Host": "b"])
        }
        defer { server.stop() }
        let response = try server.exchange("GET / \(version)\r\nHost: a\r\n\(fields)Connection: close\r\n\r\n")
        #expect(response.hasSuffix("\r\n\r\n" + body))
    }

    @Test func noTrailersBehindALength() throws {
        let server = try TestServer { exchange in
            exchange.start(ResponseHead(.ok, ["Content-Length": "5"]))
            exchange.write(ByteBuffer(string: "hello"))
            exchange.finish(trailers: ["X-Sum": "1"])
        }
        defer { server.stop() }
        let response = try server.exchange("GET / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nConnection: close\r\n\r\n")
        #expect(response.hasSuffix("\r\n\r\nhello"))
    }
}
