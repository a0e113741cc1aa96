import Glibc

/// The terminal that this process was started from.
public enum ControllingTerminal {
    /// Whether there is one: false once it was closed.
    public static var isThere: Bool {
        let terminal = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC)
        guard terminal >= 0 else { return false }
        close(terminal)
        return true
    }
}
