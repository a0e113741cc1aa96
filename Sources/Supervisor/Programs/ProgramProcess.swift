import Glibc
import Platform

/// A descriptor to wait on, closed with the last reference.
final class OpenFile {
    private let descriptor: Descriptor
    var number: Int32 { descriptor.rawValue }

    init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
}

/// A running program as ``ProgramKeeper`` holds it: the process, what it says, and the look-out for its readiness. (Its state
/// is in ``ProgramState``.)
final class ProgramProcess {
    let name: String
    let pid: Int32
    /// Readable once it has ended; nil on old kernels.
    let end: OpenFile?
    /// What it writes; nil once that is closed.
    private(set) var pipe: OpenFile?
    private var output = ProgramOutput()
    /// Ends the look-out for its readiness.
    private let watching: EventCounter
    /// What a line has to hold; nil once seen, or when lines do not matter.
    private var awaitedLine: String?

    /// Starts it. `isReady` is called on another thread when a probe has seen it.
    init(_ declaration: ProgramDeclaration, isReady: @escaping @Sendable (Int32) -> Void) throws(SystemError) {
        name = declaration.name
        watching = try EventCounter()
        let ends = try Pipe()
        try ends.reading.setNonBlocking(true)
        let nothing = Descriptor(adopting: open("/dev/null", O_RDONLY | O_CLOEXEC))
        var baseline: ReadinessProbe.Baseline?
        if case .probe(let probe) = declaration.readiness { baseline = .init(probe) }
        let pid = try ChildProcess.spawn(
            executable: declaration.executable, arguments: declaration.arguments,
            environment: declaration.environment, directory: declaration.directory,
            descriptors: [(nothing.rawValue, 0), (ends.writing.rawValue, 1), (ends.writing.rawValue, 2)],
            as: declaration.identity, leadsGroup: true)
        self.pid = pid
        if let descriptor = ChildProcess.watch(pid) { end = OpenFile(descriptor) } else { end = nil }
        pipe = OpenFile(ends.takeReading())
        if case .line(let text) = declaration.readiness { awaitedLine = text }
        if case .probe(let probe) = declaration.readiness, let baseline {
            do { try probe.watch(since: baseline, until: watching) { isReady(pid) } } catch {
                Signal.kill.send(toGroup: pid)
                _ = try ChildProcess.wait(pid)
                throw error
            }
        }
    }

    /// Goes on with one that another version of the server has started.
    init(
        _ declaration: ProgramDeclaration, pid: Int32, descriptor: Int32, isReady: Bool,
        whenReady: @escaping @Sendable (Int32) -> Void
    ) throws(SystemError) {
        name = declaration.name
        watching = try EventCounter()
        self.pid = pid
        ChildProcess.adopt(pid)
        if let descriptor = ChildProcess.watch(pid) { end = OpenFile(descriptor) } else { end = nil }
        if descriptor >= 0 {
            try Descriptor.setCloseOnExec(descriptor)
            pipe = OpenFile(Descriptor(adopting: descriptor))
        }
        guard !isReady else { return }
        if case .line(let text) = declaration.readiness { awaitedLine = text }
        if case .probe(let probe) = declaration.readiness {
            try probe.watch(since: .none, until: watching) { whenReady(pid) }
        }
    }

    deinit { watching.signal() }

    /// What it has written since the last call, in lines, and whether the awaited one is among them.
    func read() -> (lines: [String], isReady: Bool) {
        guard let number = pipe?.number else { return ([], false) }
        var lines: [String] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        let count = Glibc.read(number, &piece, piece.count)
        if count > 0 {
            lines = output.lines(in: piece[..<count])
        } else if count == 0 || errno != EAGAIN && errno != EINTR {
            pipe = nil
            lines = output.rest().map { [$0] } ?? []
        }
        return (lines, isAwaited(in: lines))
    }

    /// What it had written before it ended. What it left behind may go on writing to nobody.
    func rest() -> (lines: [String], isReady: Bool) {
        var lines: [String] = []
        var isReady = false
        // As much as the pipe holds, and no more: a process that left the group may fill it for ever.
        for _ in 0..<32 {
            let more = read()
            lines += more.lines
            isReady = isReady || more.isReady
            guard pipe != nil, !more.lines.isEmpty else { break }
        }
        pipe = nil
        lines += output.rest().map { [$0] } ?? []
        return (lines, isReady || isAwaited(in: lines))
    }

    private func isAwaited(in lines: [String]) -> Bool {
        guard let text = awaitedLine, lines.contains(where: { $0.contains(text) }) else { return false }
        awaitedLine = nil
        return true
    }
}
