import Glibc
import Platform
import Synchronization

/// A program that was run to its end.
package struct Command {
    package let status: ProcessStatus
    package let output: String
    package let errors: String

    /// The program under test: in the build folder of the running test bundle, else of this package.
    package static let app: String = {
        let arguments = CommandLine.arguments
        var folder = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined() + "/.build/debug"
        if let flag = arguments.firstIndex(of: "--test-bundle-path"), flag + 1 < arguments.count {
            // …/debug/porticoPackageTests.xctest
            folder = arguments[flag + 1].split(separator: "/").dropLast().map { "/\($0)" }.joined()
        }
        return "\(folder)/app"
    }()

    /// The root of the package.
    package static let package = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined()

    /// Runs `arguments` and waits for the end, up to a generous limit.
    package static func run(
        _ arguments: [String], in directory: String = "/", environment: [String: String] = [:],
        input: String = "/dev/null"
    ) throws -> Command {
        let process = try RunningProcess(arguments, in: directory, environment: environment, input: input)
        let status: ProcessStatus
        do { status = try process.waitForEnd() } catch {
            kill(process.pid, SIGKILL)
            throw error
        }
        return Command(status: status, output: process.output, errors: process.errors)
    }

    /// Runs `app` with `arguments`.
    package static func app(
        _ arguments: String..., in folder: Folder, environment: [String: String] = [:]
    ) throws -> Command {
        try run([app] + arguments, in: folder.path, environment: environment)
    }
}

/// A program that runs, with what it has said so far.
package final class RunningProcess: Sendable {
    package let pid: Int32
    private let outputFile: CapturedOutput
    private let errorFile: CapturedOutput
    /// How it ended, which the kernel says once.
    private let end = Mutex<ProcessStatus?>(nil)

    /// Starts `arguments` in `directory`, with an environment of nothing but `PATH` and what is given.
    package init(
        _ arguments: [String], in directory: String, environment: [String: String], input: String = "/dev/null",
        descriptors: [(source: Int32, target: Int32)] = []
    ) throws {
        outputFile = try CapturedOutput()
        errorFile = try CapturedOutput()
        let input = Descriptor(adopting: open(input, O_RDONLY | O_CLOEXEC))
        let path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        pid = try ChildProcess.spawn(
            executable: "/bin/sh", arguments: ["sh", "-c", "cd \"$0\" && exec \"$@\"", directory] + arguments,
            environment: ["PATH": path].merging(environment) { $1 },
            descriptors: [
                (input.rawValue, 0), (outputFile.descriptor, 1), (errorFile.descriptor, 2),
            ] + descriptors)
    }

    package var output: String { outputFile.text }
    package var errors: String { errorFile.text }

    /// How it has ended; nil while it runs.
    package func reap() -> ProcessStatus? {
        end.withLock { end in
            if end == nil { end = ChildProcess.reap(pid) }
            return end
        }
    }

    /// Waits for the end, up to a generous limit.
    package func waitForEnd() throws -> ProcessStatus {
        var status: ProcessStatus?
        try eventually("process \(pid) ends; it said: \(errors)", within: 900) {
            status = reap()
            return status != nil
        }
        guard let status else { throw Unfulfilled(what: "the exit status of \(pid)") }
        return status
    }
}

/// What a program writes, in anonymous memory.
private final class CapturedOutput: Sendable {
    let descriptor: Int32

    init() throws {
        descriptor = try MemoryFile.make(name: "output", []).release()
        // The position in an anonymous file is not guarded: of two threads that write at once, one would overwrite the other.
        _ = fcntl(descriptor, F_SETFL, O_APPEND)
    }

    deinit { close(descriptor) }

    var text: String {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = pread(descriptor, &piece, piece.count, off_t(bytes.count))
            guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
            bytes += piece[..<count]
        }
    }
}
