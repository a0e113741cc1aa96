import Foundation
import HTTP
import NIOCore
import NIOEmbedded
import Testing

@testable import Front

@Suite struct GzipStaticTests {
    static let text = String((0..<2000).map { "line \($0 % 37)\n" }.joined())
    static let accepting = [("Accept-Encoding", "gzip, br")]

    @Test(arguments: [64 << 10, 100]) func compressesText(fileSize: Int) throws {
        let files = try TemporaryFiles(["a.txt": Self.text, "a.png": Self.text, "short.txt": "short"])
        let front = try FrontFixture(
            files: files, gzip: GzipPolicy(), cache: FileCacheLimits(fileSize: fileSize, compressedFileSize: fileSize))
        let plain = front.send(.get, "/a.txt")
        #expect(plain["Vary"] == "Accept-Encoding")
        #expect(plain["Content-Encoding"] == nil)
        for _ in 0..<2 {
            let answer = front.send(.get, "/a.txt", Self.accepting)
            #expect(answer.status == 200)
            #expect(answer["Content-Encoding"] == "gzip")
            #expect(answer["Vary"] == "Accept-Encoding")
            #expect(answer["ETag"] == plain["ETag"].map { "W/" + $0 })
            #expect(answer["Accept-Ranges"] == nil)
            #expect(answer["Content-Length"] == (fileSize > 100 ? "\(answer.body.count)" : nil))
            #expect(gunzip(answer.body) == Array(Self.text.utf8))
            #expect(try gunzipByProgram(answer.body) == Array(Self.text.utf8))
            let tag = try #require(answer["ETag"])
            let unchanged = front.send(.get, "/a.txt", Self.accepting + [("If-None-Match", tag)])
            #expect(unchanged.status == 304)
            #expect(unchanged["Vary"] == "Accept-Encoding")
        }
        let head = front.send(.head, "/a.txt", Self.accepting)
        #expect(head["Content-Encoding"] == nil && head["Vary"] == "Accept-Encoding")
        let part = front.send(.get, "/a.txt", Self.accepting + [("Range", "bytes=0-3")])
        #expect(part.status == 206 && part.text == "line" && part["Content-Encoding"] == nil)
        for target in ["/a.png", "/short.txt"] {
            let answer = front.send(.get, target, Self.accepting)
            #expect(answer["Content-Encoding"] == nil && answer["Vary"] == nil)
        }
        #expect(front.send(.get, "/a.txt", [("Accept-Encoding", "gzip;q=0")])["Content-Encoding"] == nil)
    }

    @Test(arguments: [64 << 10, 0]) func sendsThePrecompressedSibling(fileSize: Int) throws {
        let files = try TemporaryFiles([
            "a.bin": "plain", "a.bin.gz": "packed", "old.txt": "plain", "old.txt.gz": "packed",
        ])
        files.setModified("a.bin", 1_000_000_000_000_000_000)
        files.setModified("a.bin.gz", 1_000_000_000_000_000_000)
        files.setModified("old.txt.gz", 1_000_000_000_000_000_000)
        let front = try FrontFixture(files: files, cache: FileCacheLimits(fileSize: fileSize))
        for _ in 0..<2 {
            let plain = front.send(.get, "/a.bin")
            #expect(plain.text == "plain" && plain["Vary"] == "Accept-Encoding")
            let packed = front.send(.get, "/a.bin", Self.accepting)
            #expect(packed.text == "packed")
            #expect(packed["Content-Encoding"] == "gzip")
            #expect(packed["Content-Type"] == "application/octet-stream")
            #expect(packed["Content-Length"] == "6")
            #expect(packed["Vary"] == "Accept-Encoding")
            #expect(packed["ETag"] != plain["ETag"])
            let head = front.send(.head, "/a.bin", Self.accepting)
            #expect(head["Content-Encoding"] == "gzip" && head.body.isEmpty)
            let part = front.send(.get, "/a.bin", [("Accept-Encoding", "gzip, identity;q=0"), ("Range", "bytes=0-1")])
            #expect(part.status == 206 && part.text == "pa" && part["Content-Encoding"] == "gzip")
        }
        let old = front.send(.get, "/old.txt", Self.accepting)
        #expect(old.text == "plain" && old["Content-Encoding"] == nil)
        #expect(front.send(.get, "/a.bin.gz", Self.accepting)["Content-Encoding"] == nil)
        try FileManager.default.removeItem(atPath: files.root + "/a.bin.gz")
        front.loop.advanceTime(by: .seconds(1))
        #expect(front.send(.get, "/a.bin", Self.accepting).text == "plain")
        let off = try FrontFixture(files: files) { $0.servesPrecompressed = false }
        #expect(off.send(.get, "/old.txt", Self.accepting)["Vary"] == nil)
    }

    @Test func streamsWhatIsTooLargeToKeep() throws {
        let text = String(repeating: Self.text, count: 40)
        let files = try TemporaryFiles(["big.txt": text])
        let front = try FrontFixture(files: files, gzip: GzipPolicy())
        let exchange = RecordingExchange(RequestHead(.get, "/big.txt", fields: Self.accepting), loop: front.loop)
        exchange.isWritable = false
        front.handler.handle(exchange)
        front.loop.run()
        #expect(exchange.body.isEmpty)
        exchange.isWritable = true
        front.loop.run()
        #expect(exchange.isFinished)
        #expect(gunzip(exchange.body) == Array(text.utf8))
    }

    @Test func aFileThatShrinksMidwayAbortsTheResponse() throws {
        let text = String(repeating: Self.text, count: 40)
        let files = try TemporaryFiles(["big.txt": text])
        let front = try FrontFixture(files: files, gzip: GzipPolicy())
        let exchange = RecordingExchange(RequestHead(.get, "/big.txt", fields: Self.accepting), loop: front.loop)
        front.handler.handle(exchange)
        truncate(files.root + "/big.txt", 100)
        front.loop.run()
        #expect(exchange.isAborted && !exchange.isFinished)
    }
}
