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

    /// How long a build may take to end once it was told to.
    private static let endingLimit = Duration.seconds(5)
    /// What is kept of a build's words, in bytes: the first errors are at the front.
    private static let longest = 256 << 10

    private struct State {
        var number = 0
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
        let number = state.withLock { state in
            state.number += 1
            if let pid = state.pid { Signal.interrupt.send(to: pid) }
            return state.number
        }
        do {
            try DedicatedThread.start(name: "swift build") { [self] in run(number) }
        } catch {
            tell(.failed("\(error)"))
        }
    }

    /// Gives up the build that is under way. Returns when it has ended.
    func stop() {
        let pid = state.withLock { state in
            state.number += 1
            return state.pid
        }
        guard let pid else { return }
        Signal.interrupt.send(to: pid)
        let deadline = MonotonicTime.now() + Self.endingLimit
        while state.withLock({ $0.pid }) == pid {
            if MonotonicTime.now() >= deadline { Signal.kill.send(to: pid) }
            usleep(10_000)
        }
    }

    private func isCurrent(_ number: Int) -> Bool { state.withLock { $0.number == number } }

    private func run(_ number: Int) {
        // The one before holds the package's lock until it has ended.
        while state.withLock({ $0.pid != nil }) {
            guard isCurrent(number) else { return }
            usleep(10_000)
        }
        do throws(SystemError) {
            let pipe = try Pipe()
            let pid = try ChildProcess.spawn(
                executable: "/usr/bin/env", arguments: ["env"] + package.command, environment: Environment.all,
                directory: package.directory,
                descriptors: [
                    (pipe.writing.rawValue, STDOUT_FILENO), (pipe.writing.rawValue, STDERR_FILENO),
                ])
            // Without our copy of the other end, the build's end is the end of what it says.
            let output = pipe.takeReading()
            let isWanted = state.withLock { state in
                state.pid = pid
                return state.number == number
            }
            if !isWanted { Signal.interrupt.send(to: pid) }
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
