import Glibc

/// The limit on open files (`RLIMIT_NOFILE`), which bounds how many connections a process can hold.
public struct FileLimit: Equatable, Sendable {
    /// What counts now.
    public let soft: UInt64
    /// How far this process may raise it.
    public let hard: UInt64

    /// The limits in force.
    public static func current() throws(SystemError) -> FileLimit {
        var limit = rlimit()
        _ = try SystemError.checkErrno(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit), "getrlimit")
        return FileLimit(soft: UInt64(limit.rlim_cur), hard: UInt64(limit.rlim_max))
    }

    /// Raises the soft limit to the hard one; child processes inherit it.
    /// - Returns: the limits afterwards.
    @discardableResult
    public static func raise() throws(SystemError) -> FileLimit {
        let limit = try current()
        guard limit.soft < limit.hard else { return limit }
        var wanted = rlimit(rlim_cur: rlim_t(limit.hard), rlim_max: rlim_t(limit.hard))
        _ = try SystemError.checkErrno(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &wanted), "setrlimit")
        return FileLimit(soft: limit.hard, hard: limit.hard)
    }
}
