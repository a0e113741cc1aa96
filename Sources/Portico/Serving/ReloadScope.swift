import Config
import Glibc
import Platform

/// What a new configuration asks for: other routes only, or other code as well.
struct ReloadScope {
    /// Whether the front router alone has to change: no code is new, and nothing that is given to sites, sockets or threads.
    ///
    /// What Python has imported can only be new in a new process; a site in this binary is as new as the binary.
    let isOfTheRouter: Bool

    init(from old: Configuration, to new: Configuration) {
        let hasPython = new.settings.sites.contains { if case .python = $0.source { true } else { false } }
        isOfTheRouter =
            !hasPython && Self.isOnDiskAsItRuns
            && Self.isSame(
                old.settings, new.settings, but: ["routes", "gzip", "health", "serverHeader", "limits", "timeouts"])
            && Self.isSame(
                old.settings.limits, new.settings.limits, but: ["headerSize", "headers", "targetSize", "filesCache"])
            && Self.isSame(
                old.settings.timeouts, new.settings.timeouts, but: ["header", "body", "write", "keepAlive"])
    }

    /// Whether all properties but those named are equal. One that nobody has thought of here counts as a difference.
    private static func isSame(_ old: some Any, _ new: some Any, but names: Set<String>) -> Bool {
        zip(Mirror(reflecting: old).children, Mirror(reflecting: new).children).allSatisfy { old, new in
            guard let label = old.label, !names.contains(label) else { return true }
            return isEqual(old.value, new.value)
        }
    }

    private static func isEqual(_ old: Any, _ new: Any) -> Bool {
        let (before, after) = (Mirror(reflecting: old), Mirror(reflecting: new))
        if before.displayStyle == .optional || after.displayStyle == .optional {
            switch (before.children.first?.value, after.children.first?.value) {
            case (nil, nil): return true
            case (let before?, let after?): return isEqual(before, after)
            default: return false
            }
        }
        guard let before = old as? AnyHashable, let after = new as? AnyHashable else { return false }
        return before == after
    }

    /// Whether the executable on disk is the one that runs.
    private static var isOnDiskAsItRuns: Bool {
        var running = stat()
        var found = stat()
        guard stat(ChildProcess.currentExecutable, &running) == 0, stat(ProgramPath.original, &found) == 0 else {
            return false
        }
        return running.st_dev == found.st_dev && running.st_ino == found.st_ino
    }
}
