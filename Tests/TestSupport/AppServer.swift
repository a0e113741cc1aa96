import Glibc
import Platform
import Testing

/// `app serve` (or `dev`), running.
package final class AppServer: Sendable {
    package let folder: Folder
    package let process: RunningProcess
    package let endpoints: [Endpoint]
    /// The supervisor, or the only process in thread mode.
    package let pid: Int32

    /// Starts it with `configuration` as `app.yaml` and waits until it says where it listens.
    /// - Parameter prefix: a program that starts `app` in its place, as `unshare` does.
    package init(
        in folder: Folder, _ arguments: [String] = [], program: String = Command.app, command: String = "serve",
        prefix: [String] = [], environment: [String: String] = [:],
        descriptors: [(source: Int32, target: Int32)] = [], listeners: Int = 1, isForked: Bool = false
    ) throws {
        self.folder = folder
        let process = try RunningProcess(
            prefix + [program, command] + arguments, in: folder.path, environment: environment,
            descriptors: descriptors)
        self.process = process
        var lines: [Substring] = []
        do {
            try eventually("listening on …") {
                let hasEnded = process.reap() != nil
                lines = process.output.split(separator: "\n").filter { $0.hasPrefix("listening on ") }
                return lines.count >= listeners || hasEnded
            }
        } catch {
            kill(process.pid, SIGKILL)
            throw Unfulfilled(what: "listening on …; it says: \(process.errors)")
        }
        guard lines.count >= listeners else { throw Unfulfilled(what: "a start; it says: \(process.errors)") }
        endpoints = try lines.map { try Endpoint(url: String($0.dropFirst("listening on ".count))) }
        if isForked, let child = ProcessTable.children(of: process.pid).first { pid = child } else { pid = process.pid }
    }

    /// With `configuration` as `app.yaml` of a new directory.
    package convenience init(_ configuration: String, _ arguments: [String] = []) throws {
        let folder = try Folder()
        try folder.write(configuration, to: "app.yaml")
        try self.init(in: folder, arguments)
    }

    deinit {
        // Only when the test did not come to its end: workers notice and go by themselves.
        if process.reap() == nil {
            kill(pid, SIGKILL)
            kill(process.pid, SIGKILL)
            _ = try? process.waitForEnd()
        }
    }

    package var endpoint: Endpoint { endpoints[0] }
    package var errors: String { process.errors }
    package var log: String { process.output }
    package var workers: [Int32] { ProcessTable.children(of: pid) }

    package func connect() throws -> WireConnection { try WireConnection(endpoint) }

    /// One request on a connection of its own.
    package func get(_ path: String, _ fields: String...) throws -> WireResponse {
        let connection = try connect()
        return try connection.get(path, fields)
    }

    /// TERM, and no waiting.
    package func startStopping() throws { try #require(kill(pid, SIGTERM) == 0) }

    /// TERM, and the exit status that follows.
    package func terminate() throws -> ProcessStatus {
        kill(pid, SIGTERM)
        return try process.waitForEnd()
    }

    /// Ends it as it should end: with status 0.
    package func stop(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let status = try terminate()
        #expect(status == .exited(0), "\(errors)", sourceLocation: sourceLocation)
    }
}

/// What `/proc` says of processes.
package enum ProcessTable {
    /// Every process of this machine that is visible here, zombies included.
    private static var all: [Int32] {
        guard let directory = opendir("/proc") else { return [] }
        defer { closedir(directory) }
        var result: [Int32] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let pid = Int32(name) { result.append(pid) }
        }
        return result
    }

    /// State and parent, from the fields after the command's name.
    private static func facts(of pid: Int32) -> (state: Substring, parent: Int32)? {
        guard let bytes = try? Descriptor.contents(ofFile: "/proc/\(pid)/stat") else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        guard let bracket = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: bracket)...].split(separator: " ")
        guard fields.count > 1, let parent = Int32(fields[1]) else { return nil }
        return (fields[0], parent)
    }

    /// Living processes whose working directory is `directory`.
    package static func running(in directory: String) -> [Int32] {
        all.filter { pid in
            var target = [CChar](repeating: 0, count: 4096)
            guard isAlive(pid), readlink("/proc/\(pid)/cwd", &target, 4095) > 0 else { return false }
            return String(decoding: target.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self) == directory
        }
    }

    /// Living children, the oldest first.
    package static func children(of pid: Int32) -> [Int32] {
        all.filter { facts(of: $0).map { $0.parent == pid && $0.state != "Z" } ?? false }.sorted()
    }

    /// Whether it runs; a zombie does not.
    package static func isAlive(_ pid: Int32) -> Bool { facts(of: pid).map { $0.state != "Z" } ?? false }

    /// Whether SIGSTOP has reached it, each of its threads.
    package static func isStopped(_ pid: Int32) -> Bool {
        guard let tasks = opendir("/proc/\(pid)/task") else { return false }
        defer { closedir(tasks) }
        while let entry = readdir(tasks) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if let thread = Int32(name), facts(of: thread)?.state != "T" { return false }
        }
        return true
    }

    /// Whether nothing is left of it, not even a zombie.
    package static func isGone(_ pid: Int32) -> Bool { facts(of: pid) == nil }

    /// Whether a signal was sent to it that it has not taken yet.
    package static func isPending(_ signal: Int32, _ pid: Int32) -> Bool {
        let text = (try? Descriptor.contents(ofFile: "/proc/\(pid)/status")).map { String(decoding: $0, as: UTF8.self) }
        let line = text?.split(separator: "\n").first { $0.hasPrefix("ShdPnd:") }
        let set = line?.split(separator: "\t").last.flatMap { UInt64($0, radix: 16) } ?? 0
        return set & 1 << UInt64(signal - 1) != 0
    }

    package static func command(of pid: Int32) -> String {
        (try? Descriptor.contents(ofFile: "/proc/\(pid)/cmdline"))
            .map { String(decoding: $0.map { $0 == 0 ? 32 : $0 }, as: UTF8.self) } ?? ""
    }

    /// How many sockets a process holds.
    package static func sockets(of pid: Int32) -> Int {
        guard let directory = opendir("/proc/\(pid)/fd") else { return 0 }
        defer { closedir(directory) }
        var count = 0
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            var target = [CChar](repeating: 0, count: 64)
            guard readlink("/proc/\(pid)/fd/\(name)", &target, 63) > 0 else { continue }
            if target.starts(with: "socket:".utf8.map { CChar($0) }) { count += 1 }
        }
        return count
    }
}
