/// The exit statuses that mean something between worker, supervisor and whoever started it (sysexits.h).
public enum ExitCode {
    /// The command line is wrong.
    public static let usage: Int32 = 64
    /// A listener could not be bound.
    public static let unavailable: Int32 = 69
    /// A defect of our own.
    public static let internalError: Int32 = 70
    /// The configuration is wrong, or something it names is.
    public static let configuration: Int32 = 78

    /// Those that starting once more does not change.
    static let final: Set<Int32> = [usage, configuration]
}
