import Config
import Glibc
import LiveReload
import Logging
import Platform
import Supervisor
import Synchronization

/// The eyes of the development server, in the supervisor's process: sees changed files, and has the workers, the build and
/// the open pages do what each change asks for.
final class DevelopmentWatch: Sendable {
    private struct State {
        var watcher: TreeWatcher?
        var plan = WatchPlan()
        /// Files that Python applications were imported from, wherever they are.
        var sources: Set<String> = []
        /// What the pages know.
        var live: LiveState
        /// Why the sources cannot be built, and why what there is cannot be served.
        var buildReport: ErrorReport?
        var serveReport: ErrorReport?
        /// Reloads and upgrades that were asked for and have not come to their end.
        var awaited = 0
        /// How many in a row were asked for before the one before was done.
        var haste = 0
    }

    /// For so many reloads in a row a request waits: it is answered some day also while a file changes without end.
    private static let mostHaste = 5

    private let commands: SupervisorCommands
    private let configuration: @Sendable () -> Configuration
    private let package: SwiftPackage?
    private let logger = Logger(label: "reload")
    private let state: Mutex<State>
    private let build = Mutex<SwiftBuild?>(nil)
    /// When this program was built, if it has taken the place of another; else nil.
    private let built: Int64?

    /// `configuration` is the one in force now; `announcement` what was said to the workers by the program before this one,
    /// whose place it has taken after a build.
    init(
        _ commands: SupervisorCommands, announcement: String?, configuration: @escaping @Sendable () -> Configuration
    ) {
        self.commands = commands
        self.configuration = configuration
        let live = announcement.flatMap { LiveState($0) } ?? LiveState()
        state = Mutex(State(live: live))
        built = announcement == nil ? nil : Self.programTime
        let folders = Self.swiftFolders(configuration())
        let hasSwift = configuration().settings.sites.contains(where: \.isSwift)
        let program = hasSwift ? Self.resolved(ProgramPath.original) : nil
        package = program.flatMap { SwiftPackage(executable: $0, folders: folders) }
        if let package { build.withLock { $0 = SwiftBuild(package) { [weak self] in self?.take($0) } } }
        if announcement != nil { update { $0.live.busy = "" } }
    }

    private static func resolved(_ path: String) -> String? {
        guard let path = realpath(path, nil) else { return nil }
        defer { free(path) }
        return String(cString: path)
    }

    /// When the running program was written, in nanoseconds since 1970.
    private static var programTime: Int64? {
        let program = Descriptor(adopting: open("/proc/self/exe", O_RDONLY | O_CLOEXEC))
        return FileIdentity(descriptor: program.rawValue).map { Int64($0.modified) }
    }

    /// Begins to watch.
    func start() throws(SystemError) {
        let plan = plan([])
        state.withLock { $0.plan = plan }
        // What was changed while the one program became the other is in neither.
        let watcher = try TreeWatcher(plan.scope, since: built, logger: logger) { [weak self] in self?.changed($0) }
        state.withLock { $0.watcher = watcher }
        let places = plan.directories.map(\.path)
        logger.info("watching \(places.joined(separator: ", "))")
    }

    /// Ends the watcher, and a build that is under way.
    func stop() {
        state.withLock { $0.watcher }?.stop()
        build.withLock { $0 }?.stop()
    }

    // MARK: - What is watched

    private func plan(_ sources: Set<String>) -> WatchPlan {
        let configuration = configuration()
        var plan = WatchPlan()
        plan.add(file: configuration.filePath.map(Self.absolute), .configuration)
        for folder in Self.swiftFolders(configuration) { plan.add(folder, .page) }
        for entry in PythonSites(configuration).entries { plan.add(entry.directory, .python) }
        for route in configuration.settings.routes {
            for root in route.filesRoots { plan.add(root, .page) }
        }
        if let package { plan.add(package.directory, .package) }
        for file in sources where plan.meaning(of: [file]).isEmpty { plan.add(file: file, .python) }
        return plan
    }

    /// Watches, too, what a worker has imported. On the supervisor's thread.
    func heard(_ news: DevelopmentNews) {
        let (sources, isNew) = state.withLock { state in
            let isNew = !state.sources.isSuperset(of: news.files)
            state.sources.formUnion(news.files)
            return (state.sources, isNew)
        }
        if isNew { follow(plan(sources)) }
    }

    private func follow(_ plan: WatchPlan) {
        state.withLock { state in
            state.plan = plan
            state.watcher?.watch(plan.scope)
        }
    }

    /// Without `.` and doubled slashes, as the watcher names what it sees.
    private static func absolute(_ path: String) -> String {
        let path = path.hasPrefix("/") ? path : "\(Environment.workingDirectory)/\(path)"
        return "/" + path.split(separator: "/").filter { $0 != "." }.joined(separator: "/")
    }

    /// The templates and static files of the Swift sites, where this program was built.
    private static func swiftFolders(_ configuration: Configuration) -> [String] {
        configuration.settings.sites.flatMap { site -> [String] in
            guard case .swift(let name) = site.source, let code = SiteCatalog.shared[name] else { return [] }
            return [code.templates.folder, code.staticFiles.folder].compactMap(\.self).filter { access($0, F_OK) == 0 }
        }
    }

    // MARK: - Changes

    private func changed(_ paths: [String]) {
        let meanings = state.withLock { $0.plan.meaning(of: paths) }
        guard !meanings.isEmpty else { return }
        logger.debug("changed", metadata: ["files": "\(paths.prefix(20).joined(separator: ", "))"])
        if meanings.contains(.swift) { startBuild() }
        if meanings.contains(.configuration) || meanings.contains(.python) {
            let what = meanings.contains(.configuration) ? "the configuration" : "Python modules"
            logger.notice("\(what) changed: reloading")
            replaceWorkers(by: .reload, "The change cannot be served")
        } else if meanings.contains(.page) {
            update { $0.live.changed() }
        } else {
            for case .style(let path) in meanings { update { $0.live.changed(style: path) } }
        }
    }

    private func startBuild() {
        logger.notice("sources changed: building")
        update { $0.live.busy = "Building…" }
        build.withLock { $0 }?.start()
    }

    private func take(_ event: SwiftBuild.Event) {
        switch event {
        case .progress(let line):
            logger.info("\(line)")
            update { $0.live.busy = line }
        case .failed(let words):
            let report = ErrorReport(title: "swift build failed", text: words)
            say(report)
            update { state in
                state.live.busy = ""
                state.buildReport = report
            }
        case .succeeded:
            guard let package else { return }
            let isNew = package.isAnotherProgram
            logger.notice(isNew ? "built: starting \(package.executable)" : "built: nothing is new")
            update { state in
                state.live.busy = isNew ? "Starting…" : ""
                state.buildReport = nil
            }
            guard isNew else { return }
            replaceWorkers(by: .upgrade(executable: package.executable), "The new program cannot serve")
        }
    }

    /// Has others serve; until they do, requests wait.
    private func replaceWorkers(by request: SupervisorCommands.Request, _ title: String) {
        let haste = state.withLock { state in
            state.haste = state.awaited > 0 ? state.haste + 1 : 0
            state.awaited += 1
            return state.haste
        }
        if haste < Self.mostHaste { commands.send(.tell(DevelopmentOrder.hold.text)) }
        commands.send(request) { [weak self] outcome in self?.finished(title, outcome) }
    }

    private func finished(_ title: String, _ outcome: SupervisorCommands.Outcome) {
        let isLast = state.withLock { state in
            state.awaited -= 1
            return state.awaited == 0
        }
        switch outcome {
        case .done:
            follow(plan(state.withLock { $0.sources }))
            update { $0.serveReport = nil }
        case .refused(let reason), .failed(let reason):
            // What was changed since is on its way, and may do better.
            guard isLast else { return }
            commands.send(.tell(DevelopmentOrder.release.text))
            // The mistakes of a configuration come as one line.
            let text = reason.contains("\n") ? reason : reason.split(separator: "; ").joined(separator: "\n")
            let report = ErrorReport(title: title, text: text)
            say(report)
            update { state in
                state.live.busy = ""
                state.serveReport = report
            }
        }
    }

    private func say(_ report: ErrorReport) { logger.error("\(report.title):\n\(report.text)") }

    /// Changes what is known, and lets the pages know it.
    private func update(_ change: (inout State) -> Void) {
        state.withLock { state in
            let before = state.live
            change(&state)
            state.live.replace(report: state.buildReport ?? state.serveReport)
            // Under the lock, so that nothing overtakes.
            if state.live != before { commands.send(.announce(state.live.text)) }
        }
    }
}

extension Serving {
    /// Watches the files that sites are made of, when the configuration says so. `announcement` is that of the program
    /// before this one in the same process.
    func startDevelopmentWatch(_ commands: SupervisorCommands, announcement: String? = nil) -> DevelopmentWatch? {
        guard configuration.settings.reload.live else { return nil }
        let options = options
        let first = configuration
        let watch = DevelopmentWatch(commands, announcement: announcement) {
            guard let sources = try? options.sources(), case .success(let now) = Configuration.load(sources) else {
                return first
            }
            return now
        }
        do throws(SystemError) {
            try watch.start()
            return watch
        } catch {
            logger.error("files are not watched: \(error)")
            return nil
        }
    }
}
