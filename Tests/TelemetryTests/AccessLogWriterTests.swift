import Foundation
import Glibc
import Platform
import Synchronization
import TestSupport
import Testing

@testable import Telemetry

@Suite struct AccessLogWriterTests {
    private final class Problems: Sendable {
        let list = Mutex<[AccessLogProblem]>([])
        var all: [AccessLogProblem] { list.withLock { $0 } }
    }

    private let directory: Folder
    private let problems = Problems()

    init() throws {
        directory = try Folder()
    }

    private func writer(_ path: String, bufferLimit: Int = 4 << 20) throws -> AccessLogWriter {
        let problems = problems
        return try AccessLogWriter(.file(path), format: .json, bufferLimit: bufferLimit) { problem in
            problems.list.withLock { $0.append(problem) }
        }
    }

    private static func record(_ target: String) -> AccessRecord {
        AccessRecord(
            time: LogTime(seconds: 0), remoteHost: "::1", method: "GET", target: target, version: "HTTP/1.1",
            status: 200,
            bodyBytes: 0, microseconds: 0)
    }

    /// The targets in the lines of a log; a line that is not whole fails the test.
    private func targets(_ text: String) throws -> [String] {
        try text.split(separator: "\n").map { line in
            let object = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any], "\(line)")
            return try #require(object["target"] as? String)
        }
    }

    @Test func writesEverythingInOrder() throws {
        let writer = try writer(directory["access.log"])
        let log = writer.makeLog()
        for number in 0..<1000 { log.append(Self.record("/\(number)")) }
        #expect(writer.close())
        #expect(try targets(directory.text(of: "access.log")) == (0..<1000).map { "/\($0)" })
        #expect(problems.all == [])
        #expect(!writer.flush())
    }

    @Test func writesWithoutBeingAsked() throws {
        // A FIFO that is open for reading and writing needs no other end to be opened.
        let path = directory["fifo"]
        #expect(mkfifo(path, 0o600) == 0)
        let fifo = Descriptor(adopting: open(path, O_RDWR | O_CLOEXEC))
        let writer = try writer(path)
        writer.makeLog().append(Self.record("/"))
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(fifo.rawValue, &buffer, buffer.count)
        #expect(try targets(String(decoding: buffer[..<max(0, count)], as: UTF8.self)) == ["/"])
        writer.close()
    }

    @Test func servesManyLoops() throws {
        let writer = try writer(directory["access.log"])
        DispatchQueue.concurrentPerform(iterations: 4) { loop in
            let log = writer.makeLog()
            for number in 0..<2000 { log.append(Self.record("/\(loop)/\(number)")) }
        }
        #expect(writer.close())
        let found = try targets(directory.text(of: "access.log"))
        for loop in 0..<4 {
            #expect(found.filter { $0.hasPrefix("/\(loop)/") } == (0..<2000).map { "/\(loop)/\($0)" })
        }
    }

    /// Several processes on one pipe, such as `docker logs` reads: whole lines all the same.
    @Test func doesNotMixLinesOnAPipe() throws {
        let path = directory["fifo"]
        #expect(mkfifo(path, 0o600) == 0)
        let fifo = Descriptor(adopting: open(path, O_RDWR | O_CLOEXEC))
        let writers = [try writer(path), try writer(path)]
        for (index, writer) in writers.enumerated() {
            let log = writer.makeLog()
            for number in 0..<2000 {
                log.append(Self.record("/\(index)/\(number)" + String(repeating: "x", count: number % 300)))
            }
        }
        var text: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while text.count(where: { $0 == 0x0A }) < 4000 {
            let count = read(fifo.rawValue, &buffer, buffer.count)
            guard count > 0 else { break }
            text += buffer[..<count]
        }
        #expect(try targets(String(decoding: text, as: UTF8.self)).count == 4000)
        for writer in writers { writer.close() }
    }

    @Test func reopensAfterRotation() throws {
        let path = directory["access.log"]
        let writer = try writer(path)
        let log = writer.makeLog()
        log.append(Self.record("/before"))
        #expect(writer.flush())
        #expect(rename(path, path + ".1") == 0)
        log.append(Self.record("/between"))
        #expect(writer.flush())
        writer.reopen()
        log.append(Self.record("/after"))
        #expect(writer.close())
        #expect(try targets(directory.text(of: "access.log.1")) == ["/before", "/between"])
        #expect(try targets(directory.text(of: "access.log")) == ["/after"])
    }

    @Test func keepsTheOldFileWhenReopeningFails() throws {
        let path = directory["logs/access.log"]
        try directory.write("", to: "logs/access.log")
        let writer = try writer(path)
        let log = writer.makeLog()
        #expect(rename(directory["logs"], directory["moved"]) == 0)
        writer.reopen()
        log.append(Self.record("/"))
        #expect(writer.close())
        #expect(try targets(directory.text(of: "moved/access.log")) == ["/"])
        #expect(problems.all == [.reopenFailed(SystemError(operation: "open \(path)", code: ENOENT))])
    }

    @Test func countsWhatAFullDiskLoses() throws {
        let writer = try writer("/dev/full")
        let log = writer.makeLog()
        for _ in 0..<3 { log.append(Self.record("/")) }
        #expect(writer.flush())
        #expect(problems.all.count == 1)
        // The next report waits its time, unless the end comes first.
        log.append(Self.record("/"))
        #expect(writer.flush())
        #expect(problems.all.count == 1)
        #expect(writer.close())
        #expect(problems.all.count == 2)
        // Where the first of the three were written before the last came, the others are in the second report.
        let counts = problems.all.map { problem in
            if case .writeFailed(SystemError(operation: "write /dev/full", code: ENOSPC), let lines) = problem {
                lines
            } else {
                0
            }
        }
        #expect(counts.reduce(0, +) == 4 && counts.allSatisfy { $0 > 0 }, "\(problems.all)")
    }

    @Test func dropsRatherThanGrows() {
        let log = AccessLog(format: .json, limit: 300) {}
        for _ in 0..<10 { log.append(Self.record("/")) }
        var bytes: [UInt8] = []
        let dropped = log.take(replacement: &bytes)
        #expect(bytes.count { $0 == 0x0A } + dropped == 10)
        #expect(bytes.count < 600)
        #expect(dropped > 0)
        bytes = []
        #expect(log.take(replacement: &bytes) == 0)
        #expect(bytes == [])
    }

    @Test func failsOnAFileThatCannotBeOpened() {
        #expect(throws: SystemError(operation: "open /nonexistent/access.log", code: ENOENT)) {
            try writer("/nonexistent/access.log")
        }
    }
}
