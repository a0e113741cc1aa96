import Foundation
import HTTP
import NIOCore
import NIOEmbedded
import Testing

@testable import Front

@Suite struct FileCacheTests {
    @Test(arguments: [64 << 10, 0]) func changesAreSeen(fileSize: Int) throws {
        let files = try TemporaryFiles(["a.txt": "one"])
        let front = try FrontFixture(files: files, cache: FileCacheLimits(fileSize: fileSize))
        #expect(front.send(.get, "/a.txt").text == "one")
        try FileManager.default.removeItem(atPath: files.root + "/a.txt")
        try files.write("a.txt", "three")
        front.loop.advanceTime(by: .seconds(1))
        let answer = front.send(.get, "/a.txt")
        #expect(answer.text == "three")
        #expect(answer["Content-Length"] == "5")
        try FileManager.default.removeItem(atPath: files.root + "/a.txt")
        front.loop.advanceTime(by: .seconds(1))
        #expect(front.send(.get, "/a.txt").status == 404)
    }

    @Test func withinTheSecondTheDiskIsNotAsked() throws {
        let files = try TemporaryFiles(["a.txt": "one"])
        let front = try FrontFixture(files: files)
        #expect(front.send(.get, "/a.txt").text == "one")
        try files.write("a.txt", "two")
        #expect(front.send(.get, "/a.txt").text == "one")
        front.loop.advanceTime(by: .milliseconds(999))
        #expect(front.send(.get, "/a.txt").text == "one")
        front.loop.advanceTime(by: .milliseconds(1))
        #expect(front.send(.get, "/a.txt").text == "two")
    }

    @Test func aFileThatShrankIsNotPromisedWhole() throws {
        let files = try TemporaryFiles(["a.bin": String(repeating: "x", count: 1000)])
        let front = try FrontFixture(files: files, cache: FileCacheLimits(fileSize: 10))
        #expect(front.send(.get, "/a.bin")["Content-Length"] == "1000")
        truncate(files.root + "/a.bin", 100)
        let answer = front.send(.get, "/a.bin")
        #expect(answer["Content-Length"] == "100")
        #expect(answer.body.count == 100)
    }

    private func entry(_ name: String, _ count: Int) -> FileEntry {
        let path = Array(name.utf8)
        let body = ByteBuffer(bytes: [UInt8](repeating: 0, count: count))
        let plain = Representation(
            body: .memory(body), count: count, tag: EntityTag("x"), modified: nil, contentType: "text/plain",
            cacheControl: nil, coding: .init())
        return FileEntry(
            set: 0, path: path, hash: path.withUnsafeBytes { FileCache.hash(0, $0) }, identity: nil,
            precompressedIdentity: nil, plain: plain, compressed: nil, isCompressible: false,
            checked: .uptimeNanoseconds(0))
    }

    private func find(_ cache: FileCache, _ name: String) -> FileEntry? {
        Array(name.utf8).withUnsafeBytes { cache.entry(0, $0, hash: FileCache.hash(0, $0)) }
    }

    @Test func theLeastRecentlyUsedGoesFirst() {
        let cache = FileCache(FileCacheLimits(entries: 3))
        for name in ["a", "b", "c"] { cache.insert(entry(name, 10)) }
        #expect(find(cache, "a") != nil)
        cache.insert(entry("d", 10))
        #expect(find(cache, "b") == nil)
        #expect(find(cache, "a") != nil && find(cache, "c") != nil && find(cache, "d") != nil)
    }

    @Test func bytesAreBounded() {
        let cache = FileCache(FileCacheLimits(entries: 100, bytes: 30_000))
        for index in 0..<50 { cache.insert(entry("file\(index)", 5000)) }
        let kept = (0..<50).filter { find(cache, "file\($0)") != nil }
        #expect(kept == Array(46..<50) || kept == Array(47..<50) || kept == Array(45..<50))
        cache.insert(entry("huge", 40_000))
        #expect(find(cache, "huge") == nil)
        #expect(find(cache, "file49") != nil)
    }

    @Test func descriptorsAreBounded() throws {
        let files = try TemporaryFiles()
        for index in 0..<40 { try files.write("f\(index)", "content") }
        let before = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count
        do {
            let front = try FrontFixture(files: files, cache: FileCacheLimits(fileSize: 0, openFiles: 4))
            for index in 0..<40 { #expect(front.send(.get, "/f\(index)").text == "content") }
            let during = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").filter {
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)"))?.hasPrefix(
                    files.root + "/f")
                    ?? false
            }
            #expect(during.count == 4)
            _ = before
        }
        let after = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").filter {
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)"))?.hasPrefix(files.root)
                ?? false
        }
        #expect(after.isEmpty)
    }
}
