import CPlatform
import Glibc

/// A wake-up call from any thread to one that waits (an eventfd). Calls made while nobody waits are not lost; several count as
/// one.
public final class EventCounter: Sendable {
    private let file: Descriptor

    public init() throws(SystemError) {
        file = Descriptor(adopting: try SystemError.check(cplatform_eventfd(), "eventfd"))
    }

    /// Readable while a call is waiting to be taken.
    public var descriptor: Int32 { file.rawValue }

    /// Wakes the waiting thread, or lets its next wait return at once.
    public func signal() {
        var one: UInt64 = 1
        _ = write(file.rawValue, &one, 8)
    }

    /// Takes the calls made so far without waiting; for whoever has seen ``descriptor`` readable.
    public func take() {
        var count: UInt64 = 0
        _ = read(file.rawValue, &count, 8)
    }

    /// Waits for a call and takes it.
    /// - Parameter limit: nil waits for ever.
    /// - Returns: false when the time was up.
    @discardableResult
    public func wait(within limit: Duration? = nil) -> Bool {
        let deadline = limit.map { MonotonicTime.now() + $0 }
        while true {
            var waiting = pollfd(fd: file.rawValue, events: Int16(POLLIN), revents: 0)
            _ = poll(&waiting, 1, deadline.map { ($0 - .now()).pollMilliseconds } ?? -1)
            var count: UInt64 = 0
            if read(file.rawValue, &count, 8) == 8 { return true }
            if let deadline, deadline <= .now() { return false }
        }
    }
}
