import Glibc
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// HTTP/1.1 as it goes over the wire through the whole stack.
    @Suite struct Wire {
        static let configuration = """
            base:
              listen: 127.0.0.1:0
              workers: {mode: thread, count: 2}
              limits: {body-size: 32MiB}
              temp-directory: .
              sites:
                polls: {swift: polls, gateway: wsgi, database: polls.sqlite3}
                async: {swift: polls, gateway: asgi, database: async.sqlite3}
              routes:
                - {path: =/a, respond: first}
                - {path: =/b, respond: second}
                - {path: /async/, site: async}
                - {path: /, site: polls}
            """

        @Test func pipelinedRequestsAreAnsweredInOrder() throws {
            let server = try AppServer(Self.configuration)
            let connection = try server.connect()
            let paths = ["/a", "/", "/b", "/1/", "/async/", "/a"]
            try connection.send(paths.map { "GET \($0) HTTP/1.1\r\nHost: a\r\n\r\n" }.joined())
            let texts = try paths.map { _ in try connection.receive().text }
            #expect(texts[0] == "first")
            #expect(texts[1].contains("Latest polls"))
            #expect(texts[2] == "second")
            #expect(texts[3].contains("The sky"))
            #expect(texts[5] == "first")
            try server.stop()
        }

        @Test(arguments: ["/a", "/", "/async/"])
        func aHalfClosedClientGetsItsAnswer(path: String) throws {
            let server = try AppServer(Self.configuration)
            let connection = try server.connect()
            try connection.send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
            connection.finishSending()
            #expect(try [200, 404].contains(connection.receive().status))
            #expect(try connection.isAtEnd())
            try server.stop()
        }

        @Test(arguments: ["/1/vote/", "/async/1/vote/"])
        func continueIsSaidWhenTheSiteReads(path: String) throws {
            let server = try AppServer(Self.configuration)
            let connection = try server.connect()
            try connection.send(
                "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                    + "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
            #expect(try connection.receive().status == 100)
            try connection.send("a=b")
            #expect(try [403, 404].contains(connection.receive().status))
            #expect(try connection.get("/a").text == "first", "the connection goes on")
            // Where nobody reads, nobody is told to send.
            try connection.send("POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
            #expect(try connection.receive().status >= 200)
            try server.stop()
        }

        @Test func methodsAndVersions() throws {
            let server = try AppServer(Self.configuration)
            let old = try server.connect()
            try old.send("GET /a HTTP/1.0\r\n\r\n")
            #expect(try old.receive().text == "first")
            #expect(try old.isAtEnd())
            let kept = try server.connect()
            for _ in 0..<2 {
                try kept.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
                let response = try kept.receive()
                #expect(response.text == "first")
                #expect(response["connection"]?.lowercased() == "keep-alive")
            }
            for path in ["/a", "/", "/async/"] {
                let connection = try server.connect()
                let whole = try connection.get(path)
                try connection.send("HEAD \(path) HTTP/1.1\r\nHost: localhost\r\n\r\n")
                let head = try connection.receive(toHead: true)
                #expect(head.status == whole.status)
                #expect(head["content-length"] == "\(whole.body.count)")
                #expect(try connection.get("/a").text == "first", "no body came")
            }
            try server.stop()
        }

        @Test func refusalsThenTheEnd() throws {
            let server = try AppServer(Self.configuration)
            let fields = (0..<101).map { "X-\($0): a\r\n" }.joined()
            let long = String(repeating: "a", count: 20_000)
            let table: [(request: String, status: Int)] = [
                ("GET / HTTP/1.1\r\n\r\n", 400),
                ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
                ("GET / HTTP/1.1\nHost: a\n\n", 400),
                ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
                ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
                ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
                ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
                ("POST /1/vote/ HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", 413),
                ("GET /\(long) HTTP/1.1\r\nHost: a\r\n\r\n", 414),
                ("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n", 431),
                ("GET / HTTP/1.1\r\nHost: a\r\nX: \(long)\r\n\r\n", 431),
                ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
                ("GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
            ]
            for (request, status) in table { try expectRefusal(of: request, status, server) }
            try server.stop()
        }

        private func expectRefusal(of request: String, _ status: Int, _ server: AppServer) throws {
            let connection = try server.connect()
            try connection.send(request)
            let response = try connection.receive()
            #expect(response.status == status, "\(request.prefix(80))")
            #expect(response["connection"] == "close", "\(request.prefix(80))")
            #expect(try connection.isAtEnd(), "\(request.prefix(80))")
        }

        @Test func whoNeverEndsAHeadIsRefused() throws {
            let server = try AppServer(Self.configuration, ["--set", "timeouts.header=1s"])
            try expectRefusal(of: "GET / HT", 408, server)
            try server.stop()
        }

        @Test(arguments: ["/", "/async/"])
        func aLargeUploadIsSpooledWhileOthersAreServed(prefix: String) throws {
            let server = try AppServer(Self.configuration)
            let connection = try server.connect()
            let size = 20 << 20
            try connection.send(
                "POST \(prefix)1/vote/ HTTP/1.1\r\nHost: a\r\nContent-Length: \(size)\r\n"
                    + "Content-Type: application/x-www-form-urlencoded\r\n\r\nfield=")
            let piece = [UInt8](repeating: 0x61, count: 1 << 20)
            var left = size - "field=".utf8.count
            do {
                while left > 0 {
                    let count = min(left, piece.count)
                    try connection.send(Array(piece[..<count]))
                    left -= count
                    #expect(try server.get("/livez").status == 200)
                }
            } catch WireError.noResponse {
                // A site that refuses need not read to the end.
            }
            #expect(try [403, 404].contains(connection.receive().status), "without token, or without that page")
            #expect(try server.get("/").status == 200)
            let names = try server.folder.listing().filter { !$0.contains(".sqlite3") }
            #expect(names == ["app.yaml"], "nothing is left of the spool")
            try server.stop()
        }
    }

    /// Files as they come through the whole stack.
    @Suite struct Files {
        @Test(arguments: ["process", "thread"])
        func filesRangesAndCompression(mode: String) throws {
            let folder = try Folder()
            try folder.makeDirectory("files")
            var state: UInt64 = 88_172_645_463_325_252
            let large = (0..<1 << 20).map { _ in
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                return UInt8(truncatingIfNeeded: state)
            }
            let text = String(repeating: "All work and no play makes a dull server.\n", count: 500)
            try folder.write(large, to: "files/large.bin")
            try folder.write(text, to: "files/text.txt")
            let server = try AppServer(
                in: folder,
                [
                    "files", "--mode", mode, "--workers", "1", "--listen", "127.0.0.1:0", "--set",
                    "timeouts.keep-alive=1h",
                ])
            let connection = try server.connect()
            for _ in 0..<2 { #expect(try connection.get("/large.bin").body == large) }
            let part = try connection.get("/large.bin", ["Range: bytes=1000-499999"])
            #expect(part.status == 206)
            #expect(part["content-range"] == "bytes 1000-499999/1048576")
            #expect(part.body.elementsEqual(large[1000...499_999]))
            let beyond = try connection.get("/large.bin", ["Range: bytes=1048576-"])
            #expect(beyond.status == 416)
            let plain = try connection.get("/text.txt")
            #expect(plain.text == text)
            let tag = try #require(plain["etag"])
            #expect(try connection.get("/text.txt", ["If-None-Match: \(tag)"]).status == 304)
            let packed = try connection.get("/text.txt", ["Accept-Encoding: gzip"])
            #expect(packed["content-encoding"] == "gzip")
            #expect(packed["vary"] == "Accept-Encoding")
            try folder.write(packed.body, to: "packed.gz")
            #expect(try Command.run(["gzip", "-dc", folder["packed.gz"]]).output == text)
            #expect(try connection.get("/../app.yaml").status != 200)
            #expect(try connection.get("/%2e%2e/packed.gz").status != 200)
            try server.stop()
        }
    }
}
