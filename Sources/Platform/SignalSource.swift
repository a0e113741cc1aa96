import CPlatform
import Glibc

/// Signals as something to wait for: `poll` ``descriptor`` for reading, then ``take()``.
///
/// Works whichever threads exist and whatever they block, loses nothing, and counts a signal that came twice as two.
/// A signal can be watched by one source at a time. When the source goes, its signals get their default
/// action back, save those to be ignored from then on.
public final class SignalSource: Sendable {
    private let wake: Descriptor
    private let signals: [Signal]
    private let ignoredAfterwards: Set<Signal>

    /// Watches the signals from now on. Fails with EBUSY when one of them is watched already.
    /// - Parameter ignoredAfterwards: signals that must not end a process which is already on its way out.
    public init(_ signals: [Signal], ignoredAfterwards: Set<Signal> = []) throws(SystemError) {
        let wake = Descriptor(adopting: try SystemError.check(cplatform_eventfd(), "eventfd"))
        var watched: [Signal] = []
        for signal in signals {
            let result = cplatform_signal_watch(signal.rawValue, wake.rawValue)
            guard result >= 0 else {
                for signal in watched { cplatform_signal_unwatch(signal.rawValue, 0) }
                throw SystemError(operation: "watch \(signal)", code: -result)
            }
            watched.append(signal)
        }
        self.wake = wake
        self.signals = watched
        self.ignoredAfterwards = ignoredAfterwards
    }

    deinit {
        for signal in signals {
            cplatform_signal_unwatch(signal.rawValue, ignoredAfterwards.contains(signal) ? 1 : 0)
        }
    }

    /// Becomes readable when a signal has come.
    public var descriptor: Int32 { wake.rawValue }

    /// The signals that came since the last call, each as often as it came, in the order given at initialisation.
    public func take() -> [Signal] {
        var count: UInt64 = 0
        _ = read(wake.rawValue, &count, 8)
        return signals.flatMap { Array(repeating: $0, count: Int(cplatform_signal_take($0.rawValue))) }
    }

    /// Waits until at least one signal has come.
    public func wait() -> [Signal] {
        while true {
            var waiting = pollfd(fd: wake.rawValue, events: Int16(POLLIN), revents: 0)
            _ = poll(&waiting, 1, -1)
            let taken = take()
            if !taken.isEmpty { return taken }
        }
    }

    /// Starts a thread that hands each signal to `handler`, for the rest of the process's life.
    public func deliver(to handler: @escaping @Sendable (Signal) -> Void) throws(SystemError) {
        try DedicatedThread.start(name: "signals") { [self] in
            while true {
                for signal in wait() { handler(signal) }
            }
        }
    }
}
