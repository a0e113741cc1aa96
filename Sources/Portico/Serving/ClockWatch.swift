import Glibc
import Logging
import Platform

/// Says in the log when the clock on the wall was set: times in the log jump with it, limits of time do not.
enum ClockWatch {
    private static let interval = Duration.seconds(1)
    /// A clock that is led to the right time gently never does so much at once.
    private static let step = Duration.seconds(2)

    /// Watches from a thread of its own, as long as the process lives.
    static func start(logger: Logger) {
        do throws(SystemError) {
            try DedicatedThread.start(name: "clock", stackSize: 256 * 1024) { watch(logger) }
        } catch {
            logger.warning("nobody watches whether the clock is set: \(error)")
        }
    }

    private static func watch(_ logger: Logger) {
        var last = lead()
        while true {
            poll(nil, 0, interval.pollMilliseconds)
            guard let now = lead() else { continue }
            defer { last = now }
            guard let last, abs(now - last) >= step else { continue }
            let way = now > last ? "forward" : "back"
            let seconds = (abs(now - last) + .milliseconds(500)).components.seconds
            logger.notice("the clock was set \(way) by \(seconds) s; no limit of time follows it")
        }
    }

    /// How far the clock on the wall is ahead of the one that counts the time since the machine was started, sleep included;
    /// nil when this process was held up between looking at the two.
    private static func lead() -> Duration? {
        let before = time(CLOCK_BOOTTIME)
        let wall = time(CLOCK_REALTIME)
        return time(CLOCK_BOOTTIME) - before < .milliseconds(100) ? wall - before : nil
    }

    private static func time(_ clock: clockid_t) -> Duration {
        var time = timespec()
        clock_gettime(clock, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}

private func abs(_ duration: Duration) -> Duration { duration < .zero ? .zero - duration : duration }
