import Config
import Logging
import Platform
import Python
import Supervisor

/// Makes the plan of a generation of workers from the configuration as it is now.
struct ServingPlan: Sendable {
    let options: ServeOptions
    /// Who serves, as the first configuration said; nil where that is not known.
    private let account: (user: String?, group: String?)?
    /// That of the server, which lasts as long as it does; nil for any.
    private let mode: Settings.Workers.Mode?

    init(
        _ options: ServeOptions, mode: Settings.Workers.Mode? = nil, account: (user: String?, group: String?)? = nil
    ) {
        self.options = options
        self.mode = mode
        self.account = account
    }

    /// A configuration that can be served, as far as that can be told.
    struct Loaded: Sendable {
        let configuration: Configuration
        let python: PythonInstallation?
    }

    /// The plan for workers that come after those with this payload, and the programs beside them.
    func next(
        after payload: [UInt8]
    ) throws(GenerationError) -> (plan: GenerationPlan, programs: [ProgramDeclaration]) {
        let next = try load()
        do {
            // What was signed with it is still good.
            let plan = try Self.plan(
                next.configuration, next.python, secret: WorkerPayload(payload)?.temporarySecret)
            return (plan, ProgramAssembly(next.configuration).declarations)
        } catch {
            throw GenerationError("\(error)")
        }
    }

    /// The configuration as it is now: everything that can be found wrong without starting a worker is.
    func load() throws(GenerationError) -> Loaded {
        let sources: ConfigSources
        do { sources = try options.sources() } catch { throw GenerationError("\(error)") }
        let configuration: Configuration
        switch Configuration.load(sources) {
        case .success(let loaded): configuration = loaded
        case .failure(let errors): throw GenerationError(errors.onOneLine)
        }
        var problems = RouteAssembly(configuration).problems()
        if problems.isEmpty { problems = Accounts(configuration).obstacles() }
        guard problems.isEmpty else { throw GenerationError(ConfigErrors(problems).onOneLine) }
        guard mode == nil || configuration.settings.workers.mode == mode else {
            throw GenerationError("workers.mode cannot be changed while the server runs: start it anew")
        }
        if let account, account != (configuration.settings.user, configuration.settings.group) {
            throw GenerationError("user and group cannot be changed while the server runs: start it anew")
        }
        do throws(ConfigErrors) {
            return Loaded(configuration: configuration, python: try PythonSites(configuration).installation())
        } catch {
            throw GenerationError(error.onOneLine)
        }
    }

    /// The files whose change asks for a reload.
    static func watched(_ configuration: Configuration) -> [String] {
        let reload = configuration.settings.reload
        var watched = reload.touch
        if reload.config, let path = configuration.filePath {
            watched.append(path.hasPrefix("/") ? path : "\(Environment.workingDirectory)/\(path)")
        }
        return watched
    }

    /// The plan for this configuration.
    /// - Parameter secret: signs where none is configured; nil for a new one.
    static func plan(
        _ configuration: Configuration, _ python: PythonInstallation?, secret: String?
    ) throws(SystemError) -> GenerationPlan {
        let settings = configuration.settings
        var temporary = secret
        if settings.secretKey == nil, temporary == nil { temporary = try SecretText.random() }
        let payload = WorkerPayload(
            filePath: configuration.filePath, fileBytes: configuration.fileBytes,
            temporarySecret: settings.secretKey == nil ? temporary : nil, python: python,
            secrets: configuration.secrets.mapValues(\.text))
        return GenerationPlan(
            options: SupervisorOptions(settings, hasPython: python != nil),
            listeners: settings.listen.map { Platform.ListenAddress($0) }, payload: payload.encoded,
            watched: watched(configuration))
    }
}

extension ConfigErrors {
    /// For a log line.
    fileprivate var onOneLine: String {
        description.split(separator: "\n").joined(separator: "; ")
    }
}

extension SupervisorOptions {
    /// As the configuration wants it.
    init(_ settings: Settings, hasPython: Bool) {
        let workers = settings.workers
        self.init(workers: workers.processCount, start: settings.timeouts.start, drain: settings.timeouts.drain)
        // For `atexit` handlers, after requests were cut off.
        if hasPython { ending = Worker.pythonEnding + .seconds(2) }
        if workers.mode == .thread {
            bounds = 1...1
        } else if let max = workers.max {
            bounds = (workers.min ?? 1)...max
            isElastic = bounds.count > 1
            idle = workers.idle ?? idle
        }
        linger = settings.timeouts.linger
        preDrain = settings.timeouts.preDrain
        // Who has just saved a file waits for all the workers, also for those that have not gone yet.
        surge = settings.reload.live ? max(settings.reload.surge, 2 * workers.processCount) : settings.reload.surge
        maxRequests = workers.maxRequests.map { UInt64($0) }
        maxAge = workers.maxAge
        maxMemory = workers.maxMemory.map { UInt64($0.bytes) }
        jitter = workers.jitter
        bootAttempts = workers.startAttempts
        // Later than the worker's own watchdog, which knows more and has had its grace by then.
        stuck = settings.stuckLimit.map { $0 + settings.timeouts.grace + .seconds(2) }
    }
}
