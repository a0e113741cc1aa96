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
        /// Whether pages have been told that something is broken.
        var isBroken = false
    }

    private let commands: SupervisorCommands
    private let configuration: @Sendable () -> Configuration
    private let package: SwiftPackage?
    private let logger = Logger(label: "reload")
    private let state = Mutex(State())
    private let build = Mutex<SwiftBuild?>(nil)

    /// `configuration` is the one in force now.
    init(_ commands: SupervisorCommands, configuration: @escaping @Sendable () -> Configuration) {
        self.commands = commands
        self.configuration = configuration
        package = Self.executable().flatMap { SwiftPackage(executable: $0) }
        if let package { build.withLock { $0 = SwiftBuild(package) { [weak self] in self?.take($0) } } }
    }

    /// The path this program was started from.
    private static func executable() -> String? {
        guard let path = realpath(ChildProcess.currentExecutable, nil) else { return nil }
        defer { free(path) }
        return String(cString: path)
    }

    /// Begins to watch.
    func start() throws(SystemError) {
        let plan = plan()
        state.withLock { $0.plan = plan }
        let watcher = try TreeWatcher(plan.scope, logger: logger) { [weak self] in self?.changed($0) }
        state.withLock { $0.watcher = watcher }
        let places = plan.directories.map(\.path)
        logger.info("watching \(places.joined(separator: ", "))")
    }

    /// Ends the watcher, and a build that is under way.
    func stop() {
        state.withLock { $0.watcher }?.stop()
        build.withLock { $0 }?.stop()
    }

    private func plan() -> WatchPlan {
        var plan = WatchPlan.sources(of: configuration())
        if let package { plan.add(package.directory, .package) }
        return plan
    }

    // MARK: - Changes

    private func changed(_ paths: [String]) {
        let meanings = state.withLock { $0.plan.meaning(of: paths) }
        guard !meanings.isEmpty else { return }
        logger.debug("changed", metadata: ["files": "\(paths.prefix(20).joined(separator: ", "))"])
        if meanings.contains(.swift) {
            tell(.page(.busy("Building…")))
            build.withLock { $0 }?.start()
        }
        if meanings.contains(.configuration) || meanings.contains(.python) {
            reload(meanings.contains(.configuration) ? "the configuration" : "Python modules")
        } else if meanings.contains(.page) {
            tell(.page(.page))
        } else {
            for case .style(let path) in meanings { tell(.page(.style(path))) }
        }
    }

    /// Has the workers replaced; until others serve, requests wait.
    private func reload(_ what: String) {
        logger.notice("\(what) changed: reloading")
        tell(.hold)
        commands.send(.reload) { [weak self] outcome in self?.finished("The change cannot be served", outcome) }
    }

    private func take(_ event: SwiftBuild.Event) {
        switch event {
        case .progress(let line): tell(.page(.busy(line)))
        case .failed(let words): broken(ErrorReport(title: "swift build failed", text: words))
        case .succeeded:
            guard let package else { return }
            logger.notice("built: starting \(package.executable)")
            tell(.page(.busy("Starting…")))
            tell(.hold)
            commands.send(.upgrade(executable: package.executable)) { [weak self] outcome in
                self?.finished("The new program cannot serve", outcome)
            }
        }
    }

    private func finished(_ title: String, _ outcome: SupervisorCommands.Outcome) {
        switch outcome {
        case .done:
            let plan = plan()
            let wasBroken = state.withLock { state in
                defer { state.isBroken = false }
                state.plan = plan
                state.watcher?.watch(plan.scope)
                return state.isBroken
            }
            if wasBroken { tell(.page(.mended)) }
        case .refused(let reason), .failed(let reason):
            tell(.release)
            // Several mistakes come as one line.
            broken(ErrorReport(title: title, text: reason.split(separator: "; ").joined(separator: "\n")))
        }
    }

    private func broken(_ report: ErrorReport) {
        logger.error("\(report.title):\n\(report.text)")
        state.withLock { $0.isBroken = true }
        tell(.page(.broken(report)))
    }

    private func tell(_ order: DevelopmentOrder) { commands.send(.tell(order.text)) }
}

extension WatchPlan {
    /// What a configuration's sites and routes are made of.
    static func sources(of configuration: Configuration) -> WatchPlan {
        var plan = WatchPlan()
        let file = configuration.filePath.map { $0.hasPrefix("/") ? $0 : "\(Environment.workingDirectory)/\($0)" }
        plan.add(file: file, .configuration)
        for site in configuration.settings.sites {
            guard case .swift(let name) = site.source, let code = SiteCatalog.shared[name] else { continue }
            for folder in [code.templates.folder, code.staticFiles.folder] where folder.map({ access($0, F_OK) }) == 0 {
                plan.add(folder, .page)
            }
        }
        for entry in PythonSites(configuration).entries { plan.add(entry.directory, .python) }
        for route in configuration.settings.routes {
            for root in route.filesRoots { plan.add(root, .page) }
        }
        return plan
    }
}

extension Serving {
    /// Watches the files that sites are made of, when the configuration says so.
    func startDevelopmentWatch(_ commands: SupervisorCommands) -> DevelopmentWatch? {
        guard configuration.settings.reload.live else { return nil }
        let options = options
        let first = configuration
        let watch = DevelopmentWatch(commands) {
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
