import Logging
import Platform

/// An event loop, as the watchdog sees it. Confined to the watchdog's thread.
final class LoopWatch: @unchecked Sendable {
    // Sendable: touched by the watchdog's thread alone once it was handed over.

    private enum Stage {
        case fine
        /// Named in the log.
        case noticed
        /// Too long at one thing, and interrupted if that is possible.
        case interrupted(MonotonicTime)
        /// Reported to the process.
        case givenUp
    }

    private let pulse: LoopPulse
    private let options: Watchdog.Options
    private let reactions: Watchdog.Reactions
    private let reader: StackReader
    private let queue: InterruptQueue
    private let logger: Logger
    /// The pulse as last seen, and since when.
    private var value: UInt64 = 0
    private var since = MonotonicTime.now()
    private var stage = Stage.fine
    /// What the loop is at, in the log's words.
    private var subject = "the event loop"

    init(
        _ pulse: LoopPulse, _ options: Watchdog.Options, _ reactions: Watchdog.Reactions, _ reader: StackReader,
        _ queue: InterruptQueue, _ logger: Logger
    ) {
        self.pulse = pulse
        self.options = options
        self.reactions = reactions
        self.reader = reader
        self.queue = queue
        self.logger = logger
    }

    func look(_ now: MonotonicTime) {
        let value = pulse.value
        guard value == self.value, value & 1 == 1 else {
            cameBack(now)
            self.value = value
            since = now
            return
        }
        let time = now - since
        if time > Watchdog.patience, !pulse.isBlocked {
            pulse.isBlocked = true
            reactions.loopBlocked()
        }
        if case .fine = stage, time > options.notice, !pulse.isInline { notice(time) }
        switch stage {
        case .fine, .noticed:
            if let limit = pulse.limit(stuck: options.stuck), time > limit { interrupt(now, time) }
        case .interrupted(let then):
            if now - then > options.grace { return giveUp() }
            // It was at what must not be interrupted.
            if let interrupter = pulse.currentInterrupter, interrupter.isPending {
                pulse.threadID?.send(interrupter.arm(at: value))
            }
        case .givenUp: break
        }
    }

    /// What the loop is at has not had the time that passed: it counts from now on.
    func postpone(_ now: MonotonicTime) {
        since = now
        if case .interrupted = stage { stage = .interrupted(now) }
    }

    private func cameBack(_ now: MonotonicTime) {
        pulse.isBlocked = false
        guard !isFine else { return }
        stage = .fine
        logger.warning("the event loop was blocked for \((now - since).logText) in all")
    }

    private var isFine: Bool { if case .fine = stage { true } else { false } }

    /// Names it in the log, once; where it stands is found out without disturbing it, which takes an interpreter's lock.
    private func notice(_ time: Duration) {
        stage = .noticed
        guard let interrupter = pulse.currentInterrupter else {
            return logger.warning(
                "the event loop has been blocked for \(time.logText); nothing else is served on it meanwhile")
        }
        queue.append { [pulse, value, logger, since] in
            let stack = interrupter.stack()
            guard let stack, pulse.value == value else { return }
            let time = MonotonicTime.now() - since
            logger.warning(
                "the event loop has been blocked for \(time.logText); nothing else is served on it meanwhile\n\(stack)")
        }
    }

    private func interrupt(_ now: MonotonicTime, _ time: Duration) {
        guard let thread = pulse.threadID else { return }
        let interrupter = pulse.currentInterrupter
        let signal = interrupter?.arm(at: value)
        let taken = ThreadStack(of: thread, followedBy: signal)
        if taken == nil, let signal { thread.send(signal) }
        let stack = taken.map(reader.text) ?? "  (its thread does not say where)"
        // It may just have come back by itself.
        guard pulse.value == value || interrupter?.hasRaised(at: value) == true else { return }
        stage = .interrupted(now)
        subject = taken?.work ?? "something on the event loop"
        let what = interrupter == nil ? "cannot be interrupted" : "is interrupted"
        logger.error("\(subject) has blocked its event loop for \(time.logText) and \(what); it stands at\n\(stack)")
    }

    private func giveUp() {
        stage = .givenUp
        logger.error("\(subject) has not left the event loop within \(options.grace.logText) of its deadline")
        reactions.found(.loopStuck(subject))
    }
}
