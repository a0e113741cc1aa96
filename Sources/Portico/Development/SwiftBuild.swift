import Glibc
import Platform
import Synchronization

/// One `swift build` at a time: a change during a build ends it, for what it makes is old.
final class SwiftBuild: Sendable {
    /// What a build says.
    enum Event: Sendable {
        /// A line about what it is doing: `[12/34] Compiling Shop Views.swift`.
        case progress(String)
        case succeeded
        /// Everything the build has said.
        case failed(String)
    }

    /// How long a build may take to end once it was told to; then it is killed.
    private static let endingLimit = Duration.seconds(5)
    /// What is kept of a build's words, in bytes: the first errors are at the front.
    private static let longest = 32 << 10

    private struct State {
        /// Counts the builds that were wanted: all but the last are of no interest.
        var number = 0
        /// The one that runs, which leads a process group.
        var pid: Int32?
    }

    private let package: SwiftPackage
    private let state = Mutex(State())
    private let tell: @Sendable (Event) -> Void

    /// `tell` is called on threads of the builds.
    init(_ package: SwiftPackage, tell: @escaping @Sendable (Event) -> Void) {
        self.package = package
        self.tell = tell
    }

    /// Builds from the sources as they are now; a build that is under way is given up.
    func start() {
        let number = next()
        do {
            try DedicatedThread.start(name: "swift build") { [self] in
                endRunning()
                if isCurrent(number) { run(number) }
            }
        } catch {
            tell(.failed("\(error)"))
        }
    }

    /// Gives up the build that is under way. Returns when it has ended.
    func stop() {
        _ = next()
        endRunning()
    }

    private func next() -> Int {
        state.withLock { state in
            state.number += 1
            return state.number
        }
    }

    /// Ends the build that runs, if there is one, and waits for it: it holds the package's lock until then.
    private func endRunning() {
        var deadline: MonotonicTime?
        while let pid = state.withLock(\.pid) {
            if deadline == nil { Signal.interrupt.send(toGroup: pid) }
            let end = deadline ?? .now() + Self.endingLimit
            deadline = end
            if .now() >= end { Signal.kill.send(toGroup: pid) }
            usleep(10_000)
        }
    }

    private func isCurrent(_ number: Int) -> Bool { state.withLock { $0.number == number } }

    private func run(_ number: Int) {
        do throws(SystemError) {
            let pipe = try Pipe()
            let pid = try ChildProcess.spawn(
                executable: "/usr/bin/env", arguments: ["env"] + package.command, environment: Environment.all,
                directory: package.directory,
                descriptors: [
                    (pipe.writing.rawValue, STDOUT_FILENO), (pipe.writing.rawValue, STDERR_FILENO),
                ], leadsGroup: true)
            // Without our copy of the other end, the build's end is the end of what it says.
            let output = pipe.takeReading()
            state.withLock { $0.pid = pid }
            let words = read(output, number)
            let status = try ChildProcess.wait(pid)
            state.withLock { $0.pid = nil }
            guard isCurrent(number) else { return }
            tell(status.isSuccess ? .succeeded : .failed(words))
        } catch {
            state.withLock { $0.pid = nil }
            if isCurrent(number) { tell(.failed("swift build: \(error)")) }
        }
    }

    /// Everything it says, line by line as it comes.
    private func read(_ output: borrowing Descriptor, _ number: Int) -> String {
        var words: [UInt8] = []
        var line: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = Glibc.read(output.rawValue, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return String(decoding: words, as: UTF8.self) }
            words += chunk[..<count].prefix(Self.longest - min(words.count, Self.longest))
            for byte in chunk[..<count] {
                if byte != 0x0A && byte != 0x0D {
                    line.append(byte)
                    continue
                }
                if line.first == UInt8(ascii: "["), isCurrent(number) {
                    tell(.progress(String(decoding: line, as: UTF8.self)))
                }
                line = []
            }
        }
    }
}
