import Glibc
import Logging
import Platform
import Supervisor
import Synchronization

/// The supervisor that takes over, on a thread of its own.
final class Succession: Sendable {
    /// What became of it first.
    enum Outcome: Sendable {
        case serving
        case ended(Int32)
    }

    private struct State {
        var first: Outcome?
        var status: Int32?
        var hasBegun = false
        var whenEnded: @Sendable () -> Void = {}
    }

    private let state = Mutex(State())
    private let changed: EventCounter

    init() throws(SystemError) { changed = try EventCounter() }

    /// Whether a successor serves, or has.
    var hasBegun: Bool { state.withLock { $0.hasBegun } }

    /// Runs a supervisor, and waits until its workers serve or it has ended.
    func begin(
        _ setup: SupervisorProcess.Setup, _ plan: GenerationPlan, _ listeners: [BoundListener]
    ) -> Outcome {
        state.withLock { $0 = State() }
        var setup = setup
        let announce = setup.onServing
        setup.onServing = { [self] sockets in
            announce(sockets)
            note(.serving)
        }
        // Handed over with the thread: nobody else uses it from here on.
        nonisolated(unsafe) let start = setup
        let logger = setup.logger
        do throws(SystemError) {
            try DedicatedThread.start(name: "supervisor") { [self] in
                do throws(SystemError) {
                    note(.ended(try SupervisorProcess.run(start, plan: plan, listeners: listeners)))
                } catch {
                    logger.error("\(error)")
                    note(.ended(ExitCode.internalError))
                }
            }
        } catch {
            logger.error("\(error)")
            return .ended(ExitCode.internalError)
        }
        while true {
            if let outcome = state.withLock({ $0.first }) { return outcome }
            changed.wait()
        }
    }

    private func note(_ outcome: Outcome) {
        let action: (@Sendable () -> Void)? = state.withLock { state in
            if state.first == nil { state.first = outcome }
            switch outcome {
            case .serving:
                state.hasBegun = true
                return nil
            case .ended(let status):
                state.status = status
                return state.whenEnded
            }
        }
        changed.signal()
        action?()
    }

    /// Calls `action` when the supervisor has ended; at once when it has.
    func whenEnded(_ action: @escaping @Sendable () -> Void) {
        let hasEnded = state.withLock { state in
            state.whenEnded = action
            return state.status != nil
        }
        if hasEnded { action() }
    }

    /// Waits for the end; the result is the exit status.
    func waitForEnd() -> Int32 {
        while true {
            if let status = state.withLock({ $0.status }) {
                // For whoever else waits.
                changed.signal()
                return status
            }
            changed.wait()
        }
    }
}
