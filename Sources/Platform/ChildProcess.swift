import CPlatform
import Glibc
import Synchronization

/// Starting programs and learning how they ended.
///
/// A started program inherits nothing but descriptors 0, 1 and 2 and those it is given: no sockets, no signal mask, no
/// ignored signals.
public enum ChildProcess {
    /// The running program itself, also when its file has been replaced or deleted in the meantime.
    public static let currentExecutable = "/proc/self/exe"

    /// Those that were started here and not taken in yet: whoever started one wants to know how it ended.
    private static let started = Mutex<Set<Int32>>([])

    /// Counts a child as started here: it was, by the program that this process ran before.
    public static func adopt(_ pid: Int32) {
        started.withLock { _ = $0.insert(pid) }
    }

    /// Starts a program.
    /// - Parameters:
    ///   - executable: the path; it is not looked for in `PATH`.
    ///   - arguments: the argument vector, with the program's name first.
    ///   - environment: the whole environment of the new program.
    ///   - directory: the new program's working directory; nil for this one's.
    ///   - descriptors: what the program finds open besides (or instead of) 0, 1 and 2: own number → number there.
    ///   - identity: who the program is; nil for who this process is.
    ///   - leadsGroup: whether it is the first of a process group of its own, so that it can be ended with all it starts.
    /// - Returns: the process id.
    public static func spawn(
        executable: String, arguments: [String], environment: [String: String], directory: String? = nil,
        descriptors: [(source: Int32, target: Int32)] = [], as identity: ProcessIdentity? = nil,
        leadsGroup: Bool = false
    ) throws(SystemError) -> Int32 {
        let sources = descriptors.map(\.source)
        let targets = descriptors.map(\.target)
        let settings = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        var stage: Int32 = 0
        let result = withCStrings([executable] + (directory.map { [$0] } ?? [])) { paths in
            withCStrings(arguments) { argv in
                withCStrings(settings) { envp in
                    sources.withUnsafeBufferPointer { sources in
                        targets.withUnsafeBufferPointer { targets in
                            ProcessIdentity.withPointer(to: identity) { identity in
                                var spawn = cplatform_spawn(
                                    path: paths[0], argv: argv, envp: envp, directory: paths[1],
                                    sources: sources.baseAddress, targets: targets.baseAddress,
                                    count: Int32(sources.count), close_from: max(3, (targets.max() ?? 2) + 1),
                                    leads_group: leadsGroup ? 1 : 0, identity: identity)
                                // Known before it can be found dead.
                                return started.withLock { started in
                                    let pid = cplatform_spawn(&spawn, &stage)
                                    if pid > 0 { started.insert(pid) }
                                    return pid
                                }
                            }
                        }
                    }
                }
            }
        }
        guard result < 0 else { return result }
        throw SystemError(operation: operation(stage, executable, directory, identity), code: -result)
    }

    private static func operation(
        _ stage: Int32, _ executable: String, _ directory: String?, _ identity: ProcessIdentity?
    ) -> String {
        let name = identity.map { "\($0)" } ?? "the user"
        switch cplatform_stage(UInt32(stage)) {
        case CPLATFORM_STAGE_EXEC: return "start \(executable)"
        case CPLATFORM_STAGE_DIRECTORY: return "enter \(directory ?? "") as \(name) to start \(executable)"
        case CPLATFORM_STAGE_PREPARE: return "prepare to start \(executable)"
        default:
            return "become \(name) to start \(executable) (\(ProcessIdentity.describe(cplatform_stage(UInt32(stage)))))"
        }
    }

    /// Makes this process another program, which finds these descriptors open beside 0, 1 and 2. Signal mask and children stay.
    /// Returns only when that failed.
    public static func become(
        executable: String, arguments: [String], environment: [String: String], keeping descriptors: [Int32]
    ) -> SystemError {
        for descriptor in descriptors { _ = cplatform_set_close_on_exec(descriptor, 0) }
        let settings = environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let code = withCStrings(arguments) { argv in
            withCStrings(settings) { envp in
                _ = execve(executable, argv, envp)
                return errno
            }
        }
        for descriptor in descriptors { _ = cplatform_set_close_on_exec(descriptor, 1) }
        return SystemError(operation: "exec \(executable)", code: code)
    }

    /// Learns, without waiting, how the child ended; nil while it lives (or when it is not a child of this process).
    public static func reap(_ pid: Int32) -> ProcessStatus? {
        started.withLock { started in
            var status: Int32 = 0
            while true {
                let result = waitpid(pid, &status, WNOHANG)
                if result < 0, errno == EINTR { continue }
                guard result == pid else { return nil }
                started.remove(pid)
                return ProcessStatus(waitStatus: status)
            }
        }
    }

    /// Takes, without waiting, a child that ended and was not started here but inherited from a process that died (only
    /// process 1 and subreapers inherit); nil when there is none.
    public static func reapOrphan() -> (pid: Int32, status: ProcessStatus)? {
        started.withLock { started in
            let pid = cplatform_ended_child()
            var status: Int32 = 0
            guard pid > 0, !started.contains(pid), waitpid(pid, &status, WNOHANG) == pid else { return nil }
            return (pid, ProcessStatus(waitStatus: status))
        }
    }

    /// Whether the child has ended; it is not taken, so that its process id stays its own. Nil when it is no child of this
    /// process (any more).
    public static func hasEnded(_ pid: Int32) -> Bool? {
        let result = cplatform_has_ended(pid)
        return result < 0 ? nil : result > 0
    }

    /// A descriptor that becomes readable when the child ends; nil where the kernel has none.
    public static func watch(_ pid: Int32) -> Descriptor? {
        let number = cplatform_process_descriptor(pid)
        return number < 0 ? nil : Descriptor(adopting: number)
    }

    /// Waits for the end of a child.
    public static func wait(_ pid: Int32) throws(SystemError) -> ProcessStatus {
        // It is taken in only with the list in hand: its number may be another's at once.
        _ = try SystemError.check(cplatform_await_child(pid), "wait for \(pid)")
        guard let status = reap(pid) else { throw SystemError(operation: "waitpid \(pid)", code: ECHILD) }
        return status
    }

    /// Waits for the end of a child, at most so long: then it is killed, and the result is nil.
    public static func wait(_ pid: Int32, within limit: Duration) throws(SystemError) -> ProcessStatus? {
        let deadline = MonotonicTime.now() + limit
        var pause: UInt32 = 500
        while MonotonicTime.now() < deadline {
            if let status = reap(pid) { return status }
            usleep(pause)
            pause = min(pause * 2, 20_000)
        }
        Signal.kill.send(to: pid)
        _ = try wait(pid)
        return nil
    }

    /// The name of this process in `ps` and `top` (at most 15 bytes). To be called on the main thread.
    public static func setName(_ name: String) {
        _ = cplatform_set_thread_name(name)
    }

    /// Makes this process inherit the orphans among its descendants, as process 1 inherits all; whoever calls it has to take
    /// them in with ``reapOrphan()``.
    public static func becomeReaper() throws(SystemError) {
        _ = try SystemError.check(cplatform_become_reaper(), "prctl")
    }

    static func withCStrings<Result>(
        _ strings: [String], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        var pointers: [UnsafeMutablePointer<CChar>?] = strings.map { strdup($0) }
        defer { for pointer in pointers { free(pointer) } }
        pointers.append(nil)
        return pointers.withUnsafeBufferPointer { buffer in
            // A buffer that holds at least the closing nil has an address.
            body(buffer.baseAddress.unsafelyUnwrapped)
        }
    }
}

/// How a process ended.
public enum ProcessStatus: Hashable, Sendable, CustomStringConvertible {
    /// It returned from `main` or called `exit`.
    case exited(Int32)
    /// A signal ended it.
    case signaled(Int32, dumpedCore: Bool)

    /// From what `waitpid` reports.
    public init(waitStatus status: Int32) {
        let signal = cplatform_wait_signal(status)
        self =
            signal == 0
            ? .exited(cplatform_wait_exit_status(status))
            : .signaled(signal, dumpedCore: cplatform_wait_dumped_core(status) != 0)
    }

    /// Whether it ended by itself with status 0.
    public var isSuccess: Bool { self == .exited(0) }

    /// `exit status 78`, `killed by SIGSEGV (core dumped)`.
    public var description: String {
        switch self {
        case .exited(let code): "exit status \(code)"
        case .signaled(let signal, let dumpedCore):
            "killed by \(Signal(rawValue: signal).description)\(dumpedCore ? " (core dumped)" : "")"
        }
    }
}
