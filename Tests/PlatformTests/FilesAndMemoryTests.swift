import Foundation
import Glibc
import Testing

@testable import Platform

@Suite struct FilesAndMemoryTests {
    @Test func temporaryFilesLeaveNoName() throws {
        let directory = try TemporaryDirectory()
        let file = try TemporaryFile(directory: directory.path)
        let text = Array("0123456789".utf8)
        try text.withUnsafeBytes { try file.write($0, at: 0) }
        try text.withUnsafeBytes { try file.write(UnsafeRawBufferPointer(rebasing: $0[..<3]), at: 20) }
        var buffer = [UInt8](repeating: 0xFF, count: 32)
        #expect(try buffer.withUnsafeMutableBytes { try file.read(into: $0, at: 5) } == 18)
        #expect(buffer[..<5].elementsEqual("56789".utf8))
        #expect(buffer[5..<15].allSatisfy { $0 == 0 })
        #expect(buffer[15..<18].elementsEqual("012".utf8))
        #expect(try buffer.withUnsafeMutableBytes { try file.read(into: $0, at: 23) } == 0)
        try file.truncate(to: 4)
        #expect(try buffer.withUnsafeMutableBytes { try file.read(into: $0, at: 0) } == 4)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == [])
        #expect(fcntl(file.descriptor, F_GETFD) & FD_CLOEXEC != 0)
    }

    @Test(arguments: ["/nonexistent", "/proc", "/dev/null"])
    func temporaryFilesNeedADirectory(path: String) {
        let error = #expect(throws: SystemError.self) { try TemporaryFile(directory: path) }
        #expect(error?.operation == "create a temporary file in \(path)")
    }

    @Test func memoryFilesHoldTheirBytes() throws {
        let bytes = (0..<70_000).map { UInt8(truncatingIfNeeded: $0) }
        let file = try MemoryFile.make(name: "test", bytes)
        #expect(try MemoryFile.contents(of: file) == bytes)
        #expect(try MemoryFile.contents(of: file) == bytes)
        #expect(try file.readToEnd() == bytes)
        #expect(try MemoryFile.contents(of: MemoryFile.make(name: "empty", [])) == [])
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
