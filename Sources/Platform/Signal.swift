import CPlatform
import Glibc

/// A signal number with its name.
public struct Signal: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
    public let rawValue: Int32

    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }

    public static let terminate = Signal(rawValue: SIGTERM)
    public static let interrupt = Signal(rawValue: SIGINT)
    public static let hangUp = Signal(rawValue: SIGHUP)
    public static let child = Signal(rawValue: SIGCHLD)
    public static let moreWorkers = Signal(rawValue: SIGTTIN)
    public static let fewerWorkers = Signal(rawValue: SIGTTOU)
    public static let user1 = Signal(rawValue: SIGUSR1)
    public static let user2 = Signal(rawValue: SIGUSR2)
    public static let brokenPipe = Signal(rawValue: SIGPIPE)
    public static let quit = Signal(rawValue: SIGQUIT)
    public static let kill = Signal(rawValue: SIGKILL)

    /// `SIGTERM`, or `signal 42` for numbers without a common name.
    public var description: String { Signal.names[rawValue] ?? "signal \(rawValue)" }

    /// Makes the process deaf to the signal. Programs started later begin with the default again.
    public func ignore() throws(SystemError) {
        _ = try SystemError.check(cplatform_signal_ignore(rawValue), "ignore \(self)")
    }

    /// Holds back every signal from the calling thread, also beyond an exec; what comes meanwhile waits.
    public static func blockAll() { _ = cplatform_block_signals(1) }

    /// Lets every signal reach the calling thread.
    public static func unblockAll() { _ = cplatform_block_signals(0) }

    /// Sends the signal; answers false when there is no such process (any more).
    @discardableResult
    public func send(to pid: Int32) -> Bool {
        Glibc.kill(pid, rawValue) == 0
    }

    /// Sends the signal to all processes of a group; answers false when there is none (any more).
    @discardableResult
    public func send(toGroup group: Int32) -> Bool {
        group > 1 && Glibc.kill(-group, rawValue) == 0
    }

    private static let names: [Int32: String] = [
        SIGABRT: "SIGABRT", SIGALRM: "SIGALRM", SIGBUS: "SIGBUS", SIGCHLD: "SIGCHLD", SIGCONT: "SIGCONT",
        SIGFPE: "SIGFPE", SIGHUP: "SIGHUP", SIGILL: "SIGILL", SIGINT: "SIGINT", SIGKILL: "SIGKILL",
        SIGPIPE: "SIGPIPE", SIGQUIT: "SIGQUIT", SIGSEGV: "SIGSEGV", SIGSTOP: "SIGSTOP", SIGSYS: "SIGSYS",
        SIGTERM: "SIGTERM", SIGTRAP: "SIGTRAP", SIGTTIN: "SIGTTIN", SIGTTOU: "SIGTTOU", SIGUSR1: "SIGUSR1",
        SIGUSR2: "SIGUSR2", SIGWINCH: "SIGWINCH", SIGXCPU: "SIGXCPU", SIGXFSZ: "SIGXFSZ",
    ]
}
