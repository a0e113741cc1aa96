import Config
import Gateway
import Logging
import NIOCore
import Platform
import Python
import Server
import Supervisor
import Synchronization
import Telemetry

/// What a worker does when its watchdog finds something that does not come back.
final class StuckReaction: Sendable {
    private let pause: TimeAmount
    private let logger: Logger
    private let retire: (@Sendable (Watchdog.Finding) -> Void)?
    private let server = Mutex<HTTPServer?>(nil)
    private let isRetiring = Atomic(false)
    private let status: LoopStatus

    /// `pause` is how long a successor may take to become ready: for so long nothing is accepted.
    init(
        pause: TimeAmount, status: LoopStatus, logger: Logger, retire: (@Sendable (Watchdog.Finding) -> Void)?
    ) {
        self.status = status
        self.pause = pause
        self.logger = logger
        self.retire = retire
    }

    func watch(_ server: HTTPServer) { self.server.withLock { $0 = server } }

    var reactions: Watchdog.Reactions {
        var reactions = Watchdog.Reactions()
        reactions.found = { [self] in found($0) }
        reactions.loopBlocked = { [self] in server.withLock { $0 }?.loopBlocked() }
        reactions.formatStack = StackText.formatted
        return reactions
    }

    private func found(_ finding: Watchdog.Finding) {
        // What ends with its loop, nobody else counts.
        if case .loopStuck = finding { status.requestOverdue() }
        guard let retire else {
            if case .loopStuck(let what) = finding {
                logger.critical("an event loop is lost to \(what) until it comes back or the server is restarted")
            }
            return
        }
        guard !isRetiring.exchange(true, ordering: .relaxed) else { return }
        // Should no successor become ready, this worker is better than none.
        server.withLock { $0 }?.pauseAccepting(for: pause)
        logger.error("asking to be replaced")
        retire(finding)
    }
}

extension RetireReason {
    /// What the supervisor is told of a finding.
    init(_ finding: Watchdog.Finding) {
        switch finding {
        case .requestStuck(let text): self = .requestStuck(text)
        case .loopStuck(let text): self = .loopStuck(text)
        }
    }
}

extension Watchdog.Options {
    /// The watchdog's part of the configuration.
    init(_ timeouts: Settings.Timeouts) {
        self.init()
        grace = timeouts.grace
        stuck = timeouts.stuck.duration
    }
}
