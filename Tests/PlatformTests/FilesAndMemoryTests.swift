import Foundation
import Glibc
import Testing

@testable import Platform

@Suite struct FilesAndMemoryTests {
    @Test func memoryFilesHoldTheirBytes() throws {
        let bytes = (0..<70_000).map { UInt8(truncatingIfNeeded: $0) }
        let file = try MemoryFile.make(name: "test", bytes)
        #expect(try MemoryFile.contents(of: file) == bytes)
        #expect(try MemoryFile.contents(of: file) == bytes)
        #expect(try file.readToEnd() == bytes)
        #expect(try MemoryFile.contents(of: MemoryFile.make(name: "empty", [])) == [])
    }

    @Test func descriptorsGoThroughAQueueWithTheirBytes() throws {
        let queue = try DescriptorQueue()
        #expect(queue.take() == nil)
        let file = try MemoryFile.make(name: "test", [1, 2, 3])
        let long = [UInt8](repeating: 7, count: DescriptorQueue.longest)
        #expect(queue.put(file.rawValue, []) && queue.put(file.rawValue, long))
        #expect(!queue.put(file.rawValue, long + [7]), "too long ever to fit")
        for bytes in [[], long] {
            let taken = try #require(queue.take())
            #expect(taken.bytes == bytes)
            let copy = Descriptor(adopting: taken.descriptor)
            #expect(try MemoryFile.contents(of: copy) == [1, 2, 3])
        }
        var count = 0
        while queue.put(file.rawValue, []) { count += 1 }
        #expect(count > 50, "a full queue says so, and has room for a server's connections")
    }

    @Test func randomBytesDiffer() throws {
        #expect(try RandomBytes.make(count: 32) != RandomBytes.make(count: 32))
        #expect(try RandomBytes.make(count: 0) == [])
        var bytes = [UInt8](repeating: 0, count: 64)
        try bytes.withUnsafeMutableBytes { try RandomBytes.fill($0) }
        #expect(bytes.contains { $0 != 0 })
    }

    @Test func residentMemoryIsKnown() {
        #expect(ResidentMemory.bytes() ?? 0 > 1 << 20)
        #expect(ResidentMemory.bytes(pid: getpid()) ?? 0 > 1 << 20)
        #expect(ResidentMemory.bytes(pid: 0x3FFF_FFFF) == nil)
    }

    /// In a process of its own, where nothing runs beside it.
    @Test func codeIsGivenBack() async {
        await #expect(processExitsWith: .success) {
            let before = try Self.residentCode()
            ResidentMemory.releaseCode()
            // Reading this needs code, but by far not all that has run so far.
            #expect(try Self.residentCode() < before)
        }
    }

    /// Kilobytes of this process's executable mappings that are resident.
    private static func residentCode() throws -> Int {
        let maps = String(decoding: try Descriptor.contents(ofFile: "/proc/self/smaps"), as: UTF8.self)
        var isCode = false
        var sum = 0
        for line in maps.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard let first = words.first else { continue }
            if !first.hasSuffix(":") {
                isCode = words.count > 1 && words[1].hasPrefix("r-x")
            } else if isCode, first == "Rss:", words.count > 1 {
                sum += Int(words[1]) ?? 0
            }
        }
        return sum
    }

    @Test func fileLimitIsRaised() throws {
        let limit = try FileLimit.raise()
        #expect(limit.soft == limit.hard)
        #expect(try FileLimit.current() == limit)
    }

    @Test func durationsBecomePollTimeouts() {
        #expect(Duration.zero.pollMilliseconds == 0)
        #expect(Duration.seconds(-1).pollMilliseconds == 0)
        #expect(Duration.nanoseconds(1).pollMilliseconds == 1)
        #expect(Duration.milliseconds(1).pollMilliseconds == 1)
        #expect(Duration.nanoseconds(1_000_001).pollMilliseconds == 2)
        #expect(Duration.seconds(Int64.max).pollMilliseconds == Int32.max)
        #expect(MonotonicTime(nanoseconds: .max) + .seconds(1) == MonotonicTime(nanoseconds: .max))
        #expect(MonotonicTime(nanoseconds: 5) + .nanoseconds(2) - MonotonicTime(nanoseconds: 3) == .nanoseconds(4))
    }

    @Test func standardDescriptorsAreOpened() async {
        await #expect(processExitsWith: .success) {
            close(0)
            close(1)
            Descriptor.ensureStandardDescriptors()
            #expect(fcntl(0, F_GETFD) >= 0)
            #expect(fcntl(1, F_GETFD) >= 0)
            let next = open("/dev/null", O_RDONLY)
            #expect(next > 2)
        }
    }

    @Test func descriptorsCloseAndDuplicate() throws {
        let file = try MemoryFile.make(name: "test", [1])
        let copy = try file.duplicate()
        let number = copy.rawValue
        #expect(number > 2)
        #expect(fcntl(number, F_GETFD) & FD_CLOEXEC != 0)
        let released = copy.release()
        #expect(released == number)
        do { _ = Descriptor(adopting: released) }
    }

    @Test func systemErrorsReadWell() {
        #expect(SystemError(operation: "open /x", code: ENOENT).description == "open /x: No such file or directory")
        #expect(SystemError(operation: "x", code: 99_999).description.hasPrefix("x: Unknown error"))
    }
}
