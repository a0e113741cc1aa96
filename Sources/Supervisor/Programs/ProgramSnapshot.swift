import Platform

/// What a status document says about a program.
public struct ProgramSnapshot: Equatable, Sendable {
    public var name: String
    /// `waiting`, `starting`, `ready`, `pausing`, `stopping`, `finished`, `failed` or `stopped`.
    public var phase: String
    /// While it runs.
    public var pid: Int32?
    /// Since when it is ready.
    public var readySince: MonotonicTime?
    /// How often it was started again.
    public var restarts: Int
    /// Failures in a row.
    public var failures: Int
    public var isEssential: Bool
    /// `exit status 1`, `killed by SIGSEGV`: its last end.
    public var lastEnd: String?

    init(_ state: ProgramState) {
        name = state.name
        pid = state.pid
        restarts = max(0, state.starts - 1)
        failures = state.failures
        isEssential = state.declaration.isEssential
        lastEnd = state.lastStatus.map { "\($0)" }
        if case .ready(let since) = state.phase { readySince = since }
        phase =
            switch state.phase {
            case .waiting: "waiting"
            case .spawning, .starting: "starting"
            case .ready: "ready"
            case .pausing: "pausing"
            case .stopping, .killed: "stopping"
            case .finished: "finished"
            case .failed: "failed"
            case .stopped: "stopped"
            }
    }
}
