import Glibc
import TestSupport
import Testing

@testable import Platform

@Suite struct ChildProcessTests {
    private let directory: Folder

    init() throws {
        directory = try Folder()
    }

    private func shell(
        _ script: String, descriptors: [(source: Int32, target: Int32)] = []
    ) throws -> ProcessStatus {
        let pid = try ChildProcess.spawn(
            executable: "/bin/sh", arguments: ["sh", "-c", script],
            environment: ["PATH": "/usr/bin:/bin", "DIR": directory.path], descriptors: descriptors)
        return try ChildProcess.wait(pid)
    }

    @Test(arguments: [0, 1, 78, 255] as [Int32])
    func reportsTheExitStatus(code: Int32) throws {
        #expect(try shell("exit \(code)") == .exited(code))
    }

    @Test(arguments: [(SIGKILL, "killed by SIGKILL"), (SIGTERM, "killed by SIGTERM"), (40, "killed by signal 40")])
    func reportsTheSignal(signal: Int32, text: String) throws {
        let status = try shell("kill -\(signal) $$")
        #expect(status == .signaled(signal, dumpedCore: false))
        #expect(status.description == text)
        #expect(!status.isSuccess)
    }

    /// Targets that are sources of others, in both directions.
    @Test func mapsOverlappingDescriptors() throws {
        let a = try MemoryFile.make(name: "a", Array("A".utf8))
        let b = try MemoryFile.make(name: "b", Array("B".utf8))
        let status = try shell(
            "cat /proc/$$/fd/\(a.rawValue) >$DIR/a; cat /proc/$$/fd/\(b.rawValue) >$DIR/b",
            descriptors: [(a.rawValue, b.rawValue), (b.rawValue, a.rawValue)])
        #expect(status == .exited(0))
        #expect(try directory.text(of: "a") == "B")
        #expect(try directory.text(of: "b") == "A")
    }

    @Test func mapsADescriptorToItself() throws {
        let file = try MemoryFile.make(name: "a", Array("same".utf8))
        #expect(
            try shell("cat /proc/$$/fd/\(file.rawValue) >$DIR/a", descriptors: [(file.rawValue, file.rawValue)])
                == .exited(0))
        #expect(try directory.text(of: "a") == "same")
    }

    @Test func passesNothingElse() throws {
        let leak = open("/dev/null", O_RDONLY)
        defer { close(leak) }
        let file = try MemoryFile.make(name: "a", [])
        #expect(
            try shell("exec >$DIR/open; ls /proc/$$/fd; exit 0", descriptors: [(file.rawValue, 5)])
                == .exited(0))
        // 3 and 4 may be whatever lay there; nothing above the highest target is open.
        let numbers = try directory.text(of: "open").split(separator: "\n").compactMap { Int($0) }
        #expect(numbers.contains(5))
        #expect(numbers.allSatisfy { $0 <= 5 })
    }

    @Test func beginsWithDefaultSignals() throws {
        // This process ignores SIGPIPE and may block others; the child must not. (32 and 33 are the C library's own business.)
        try Signal.brokenPipe.ignore()
        #expect(
            try shell("grep -E '^Sig(Blk|Ign)' /proc/self/status | grep -vE '0000000(00|18)0000000$'") == .exited(1))
    }

    @Test func failsOnWhatDoesNotExist() {
        #expect(throws: SystemError(operation: "start /nonexistent", code: ENOENT)) {
            try ChildProcess.spawn(executable: "/nonexistent", arguments: ["x"], environment: [:])
        }
    }

    @Test func reapsWithoutWaiting() throws {
        let (read, write) = try pipe()
        let pid = try ChildProcess.spawn(
            executable: "/bin/cat", arguments: ["cat"], environment: [:], descriptors: [(read.rawValue, 0)])
        #expect(ChildProcess.reap(pid) == nil)
        _ = consume write
        #expect(try ChildProcess.wait(pid) == .exited(0))
        #expect(ChildProcess.reap(pid) == nil)
    }

    private func pipe() throws -> (PipeEnd, PipeEnd) {
        var ends: [Int32] = [-1, -1]
        #expect(Glibc.pipe(&ends) == 0)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (PipeEnd(ends[0]), PipeEnd(ends[1]))
    }

    private final class PipeEnd {
        let rawValue: Int32
        init(_ rawValue: Int32) { self.rawValue = rawValue }
        deinit { close(rawValue) }
    }
}
