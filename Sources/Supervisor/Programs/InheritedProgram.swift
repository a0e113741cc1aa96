import Platform

/// A program as one version of the server leaves it to the next, in the same process.
public struct InheritedProgram: Equatable, Sendable {
    let name: String
    /// Its process; nil for a job that has been done.
    let pid: Int32?
    /// What it writes is read here; -1 when it has closed that.
    let descriptor: Int32
    let isReady: Bool
    let starts: Int
    /// What it was declared as: another declaration makes it another program.
    let fingerprint: UInt64
    let stopSignal: Signal
    let stopTimeout: Duration

    /// Nil when there is nothing to leave: it is started anew.
    init?(_ state: ProgramState, descriptor: Int32) {
        guard state.pid != nil || state.phase == .finished else { return nil }
        name = state.name
        pid = state.pid
        self.descriptor = descriptor
        isReady = state.isReady
        starts = state.starts
        // What is on its way out is not what is wanted.
        fingerprint = state.isAskedToStop ? 0 : state.declaration.fingerprint
        stopSignal = state.declaration.stopSignal
        stopTimeout = state.declaration.stopTimeout
    }

    static let word = "program"

    var record: Record {
        var record = Record(Self.word, ["name": name])
        record.set("pid", pid)
        record.set("descriptor", descriptor)
        record.set("ready", isReady ? 1 : 0)
        record.set("starts", starts)
        record.set("fingerprint", fingerprint)
        record.set("stop-signal", stopSignal.rawValue)
        record.set("stop-timeout", stopTimeout.wholeNanoseconds)
        return record
    }

    init?(_ record: Record) {
        guard record.word == Self.word, let name = record["name"], let descriptor: Int32 = record.integer("descriptor"),
            let fingerprint: UInt64 = record.integer("fingerprint")
        else { return nil }
        self.name = name
        self.descriptor = descriptor
        self.fingerprint = fingerprint
        pid = record.integer("pid")
        isReady = record["ready"] == "1"
        starts = record.integer("starts") ?? 1
        stopSignal = record.integer("stop-signal").map { Signal(rawValue: $0) } ?? .terminate
        stopTimeout = .nanoseconds(record.integer("stop-timeout", as: Int64.self) ?? 10_000_000_000)
    }

    /// What is known of it where nothing is declared by its name any more.
    fileprivate var remnant: ProgramDeclaration {
        var declaration = ProgramDeclaration(name: name, executable: "", arguments: [], environment: [:])
        declaration.stopSignal = stopSignal
        declaration.stopTimeout = stopTimeout
        return declaration
    }

    fileprivate func phase(of declaration: ProgramDeclaration, at now: MonotonicTime) -> ProgramState.Phase {
        if pid == nil { return .finished }
        if isReady { return .ready(since: now) }
        var readyAt: MonotonicTime?
        if case .after(let time) = declaration.readiness { readyAt = now + time }
        return .starting(deadline: max(now + declaration.startTimeout, readyAt ?? now), readyAt: readyAt)
    }
}

extension ProgramsState {
    /// Goes on with what another version of the server has started. Workers serve already.
    init(_ declarations: [ProgramDeclaration], inheriting inherited: [InheritedProgram], at now: MonotonicTime) {
        self.init(declarations, neededByWorkers: [])
        for heir in inherited {
            let index = programs.firstIndex { $0.name == heir.name }
            let declared = index.map { programs[$0].declaration }
            let isSame = declared?.fingerprint == heir.fingerprint
            guard heir.pid != nil || isSame else { continue }
            var program = ProgramState(isSame ? declared ?? heir.remnant : heir.remnant)
            program.pid = heir.pid
            program.starts = heir.starts
            program.phase = heir.phase(of: program.declaration, at: now)
            program.isAskedToStop = !isSame
            program.successor = isSame ? nil : declared
            program.isRemoved = declared == nil
            if let index { programs[index] = program } else { programs.append(program) }
        }
    }
}

extension ProgramDeclaration {
    /// A number that changes with what the program is; the same in every process.
    var fingerprint: UInt64 {
        var parts =
            [name, executable] + arguments + environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        parts.append(directory ?? "")
        parts.append(identity.map { "\($0.user) \($0.group) \($0.groups) \($0.mayGainPrivileges)" } ?? "")
        parts += needs
        parts += ["\(readiness)", "\(restart)", "\(success.sorted())", "\(startAttempts)", "\(startTimeout)"]
        parts += ["\(stopSignal)", "\(stopTimeout)", "\(isEssential)"]
        // FNV-1a
        return parts.joined(separator: "\0").utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
