import Glibc
public import Logging
public import Platform
import Synchronization

/// Tells of changed files below some directories, on a thread of its own: new and moved files and atomic saves included,
/// `.gitignore` respected, several changes in quick succession as one.
public final class TreeWatcher: Sendable {
    /// What to watch.
    public struct Scope: Equatable, Sendable {
        /// Directories, with all below them.
        public var directories: [String]
        /// Single files; they need not exist yet.
        public var files: [String]

        public init(directories: [String], files: [String] = []) {
            self.directories = directories
            self.files = files
        }
    }

    /// How long it has to be quiet before a change is told of, and how long that may be put off at most.
    private static let quiet = Duration.milliseconds(10)
    private static let patience = Duration.milliseconds(250)
    private static let slowestPolling = Duration.seconds(5)

    private let scope: Mutex<Scope>
    private let since: Int64?
    private let wake: EventCounter
    private let isStopping = Atomic(false)
    private let hasStarted: EventCounter
    private let logger: Logger
    private let onChange: @Sendable ([String]) -> Void

    /// Watches `scope` until ``stop()``; returns when everything is being watched. `onChange` gets absolute paths and is called on the
    /// watcher's thread, first of all with what has changed after `since`, in nanoseconds since 1970.
    public init(
        _ scope: Scope, since: Int64? = nil, logger: Logger, onChange: @escaping @Sendable ([String]) -> Void
    ) throws(SystemError) {
        self.scope = Mutex(scope)
        self.since = since
        self.logger = logger
        self.onChange = onChange
        wake = try EventCounter()
        hasStarted = try EventCounter()
        try DedicatedThread.start(name: "watcher") { [self] in run() }
        hasStarted.wait()
    }

    /// Watches something else from now on. Returns at once.
    public func watch(_ scope: Scope) {
        let isNew = self.scope.withLock { current in
            defer { current = scope }
            return current != scope
        }
        if isNew { wake.signal() }
    }

    /// Ends the watcher's thread, soon.
    public func stop() {
        isStopping.store(true, ordering: .releasing)
        wake.signal()
    }

    private func run() {
        var last: WatchedTree?
        while !isStopping.load(ordering: .acquiring) {
            let scope = scope.withLock { $0 }
            let events = fileEvents()
            let tree = WatchedTree(directories: scope.directories, files: scope.files, events: events)
            for shortage in tree.shortages { tell(shortage) }
            hasStarted.signal()
            // What happened before this one saw everything.
            last?.takeEvents()
            let missed = last?.changes() ?? since.map { tree.changes(since: $0) } ?? []
            if !missed.isEmpty { onChange(missed) }
            last = tree
            follow(tree, events)
        }
    }

    /// What the kernel tells; nil, with a line about it, when it does not.
    private func fileEvents() -> FileEvents? {
        do throws(SystemError) { return try FileEvents() } catch {
            tell(.failed(error))
            return nil
        }
    }

    /// Until the scope is another one.
    private func follow(_ tree: WatchedTree, _ events: FileEvents?) {
        var interval = Duration.milliseconds(500)
        while true {
            var waiting = [
                pollfd(fd: wake.descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: events?.descriptor ?? -1, events: Int16(POLLIN), revents: 0),
            ]
            let ready = poll(&waiting, 2, tree.needsPolling ? interval.pollMilliseconds : -1)
            if waiting[0].revents != 0 {
                wake.take()
                return
            }
            if ready == 0 { tree.distrustAll() } else { settle(tree, events) }
            guard tree.hasNews else { continue }
            let begun = MonotonicTime.now()
            let changed = tree.changes()
            // Looking again and again may cost a twentieth of the time.
            if ready == 0 { interval = min(max(.milliseconds(500), (.now() - begun) * 20), Self.slowestPolling) }
            if !changed.isEmpty { onChange(changed) }
        }
    }

    /// Waits until it is quiet: a branch switch, or an editor's three steps, are one change.
    private func settle(_ tree: WatchedTree, _ events: FileEvents?) {
        guard let events else { return }
        let deadline = MonotonicTime.now() + Self.patience
        while true {
            tree.takeEvents()
            let left = min(Self.quiet, deadline - .now())
            guard left > .zero else { return }
            var waiting = pollfd(fd: events.descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&waiting, 1, left.pollMilliseconds) > 0 else { return }
        }
    }

    private func tell(_ shortage: WatchedTree.Shortage) {
        switch shortage {
        case .watches(let directory):
            logger.warning(
                """
                the kernel's watches are used up at \(directory): changes are looked for twice a second instead; \
                raise the limit with: sysctl fs.inotify.max_user_watches=524288
                """)
        case .silentFileSystem(let directory, let name):
            logger.notice(
                "\(directory) is on \(name), which does not tell of changes made elsewhere: looking twice a second")
        case .failed(let error):
            let remedy = error.code == EMFILE ? "; raise the limit with: sysctl fs.inotify.max_user_instances=1024" : ""
            logger.warning(
                "changes are looked for twice a second instead of being told by the kernel: \(error)\(remedy)")
        }
    }
}
