import Config
import Diagnosis
import Front
import Gateway
import Glibc
import LiveReload
import Logging
import NIOCore
import Platform
import Python
import Server
import Supervisor
import Synchronization
import Telemetry
import Web

/// The whole stack of one process: event loops, front router, gateways, sites. The same in both modes.
final class Worker {
    private let settings: Settings
    private let logger = Logger(label: "app")
    private let pool: ThreadPool
    private let sites: [any ServedSite]
    private let accessLog: AccessLogWriter?
    private let server: HTTPServer
    private let isReady: ReadinessFlag
    private let status: StatusRegion
    private let python: PythonRuntime?
    /// The line to the pages that are open, in development.
    private let live: LiveReload?
    /// Takes its connections to the worker that follows, in development.
    private let succession: ConnectionSuccession?
    private var meter = LoadMeter()
    private let watchdog: Watchdog
    private let stuck: StuckReaction
    private let lag = LoopLag()

    /// What the end of a Python interpreter may take beyond `timeouts.drain`: threads of the application's, and `atexit`.
    static let pythonEnding = Duration.seconds(1)

    /// Puts everything together; nothing is accepted yet. `retire` has the process replaced; without it, one goes on that has
    /// lost a thread or a loop.
    init(
        _ configuration: Configuration, slot: Int, isMultiprocess: Bool, temporarySecret: String?,
        python: PythonRuntime?, status: StatusRegion, live: LiveReload? = nil,
        succession: ConnectionSuccession? = nil, willImport: (String) -> Void = { _ in },
        retire: (@Sendable (Watchdog.Finding) -> Void)? = nil
    ) throws {
        let settings = configuration.settings
        self.settings = settings
        self.python = python
        self.status = status
        isReady = ReadinessFlag(status)
        self.live = live
        self.succession = succession
        let secretKey = settings.secretKey.map { SecretKey($0.text) } ?? .temporary(temporarySecret)
        let pool: ThreadPool
        let table: RouteTable
        do {
            pool = try ThreadPool(
                threads: settings.workers.threads, queueLimit: settings.limits.queue,
                longestWait: settings.limits.queueTime.duration.map { TimeAmount($0) },
                observer: PoolObserver(status: status.pool))
            table = try RouteAssembly(configuration).table()
            accessLog = try LogAssembly.accessLog(settings.log, logger: logger)
        } catch let error as RouteErrors {
            throw WorkerStartError.configuration("\(error)")
        } catch {
            throw WorkerStartError.system("\(error)")
        }
        self.pool = pool
        status.pool.setThreads(pool.threadCount)
        status.setRoutes(table.names)
        python?.interpreter.countLockWaits(at: status.pool.lockWaits)
        let health = HealthEndpoints(settings, isReady)
        let cache = FileCacheLimits(settings)
        var options = WSGIHandler.Options()
        options.bodyMemory = settings.limits.bodyMemory.bytes
        options.temporaryDirectory = settings.tempDirectory
        options.isMultiprocess = isMultiprocess
        let stuck = StuckReaction(
            pause: TimeAmount(settings.timeouts.start), status: status.loops[0], logger: logger, retire: retire)
        self.stuck = stuck
        do throws(SystemError) {
            watchdog = try Watchdog(.init(settings.timeouts), stuck.reactions, logger: logger)
        } catch {
            throw WorkerStartError.system("\(error)")
        }
        options.watchdog = watchdog
        let sites = try Self.sites(
            configuration, pool: pool, wsgi: options, secretKey: secretKey, python: python, logger: logger,
            willImport: willImport)
        self.sites = sites
        server = try HTTPServer(
            loopCount: settings.workers.loopCount, mainLoop: python?.mainLoop, options: ServerOptions(settings),
            memory: MemoryGate(settings.limits.memory, logger: logger), logger: logger,
            makeHandler: { loop in
                var handlers: [String: any SiteHandler] = [:]
                for site in sites {
                    let handler = site.makeHandler(on: loop)
                    let limit = settings.limits.queueTime.duration
                    handlers[site.name] = limit.map { QueueLimit(handler, limit: TimeAmount($0)) } ?? handler
                }
                let front = try FrontHandler(table: table, sites: handlers, health: health, cache: cache)
                return live?.handler(around: front, on: loop) ?? front
            },
            makeObserver: { [accessLog, logger] index in
                LoopObserver(
                    status: status.loops[index],
                    log: RequestLog(settings.log, access: accessLog?.makeLog(), slot: slot, logger: logger))
            })
    }

    /// Starts the sites, asks the requests of `warm-up`, then accepts from the sockets.
    /// - Parameter limit: for the warm-up.
    func start(on listeners: [ListeningSocket], within limit: Duration) throws {
        for site in sites { try site.start(on: server.eventLoops) }
        do throws(WarmUp.Failure) {
            try WarmUp(settings, within: limit).run(on: server)
        } catch {
            throw WorkerStartError.system("\(error)")
        }
        // Only now: what blocks a loop while a site starts has `timeouts.start`.
        for case let loop as any WatchedLoop in server.eventLoops { watchdog.watch(loop) }
        stuck.watch(server)
        do throws(SystemError) { try watchdog.start() } catch { throw WorkerStartError.system("\(error)") }
        python?.interpreter.setListeners(listeners.map(\.descriptor))
        do {
            for listener in listeners {
                try server.serve(descriptor: listener.descriptor)
            }
        } catch {
            throw WorkerStartError.system("cannot accept: \(error)")
        }
        do throws(SystemError) { try succession?.start(on: server) } catch { throw WorkerStartError.system("\(error)") }
        // Reading the configuration and importing applications runs a lot of code that serving does not.
        ResidentMemory.releaseCode()
        isReady.value = true
    }

    private static func sites(
        _ configuration: Configuration, pool: ThreadPool, wsgi: WSGIHandler.Options, secretKey: SecretKey,
        python: PythonRuntime?, logger: Logger, willImport: (String) -> Void
    ) throws(WorkerStartError) -> [any ServedSite] {
        let settings = configuration.settings
        var sites: [any ServedSite] = SwiftSite.all(
            settings, executor: pool, secretKey: secretKey,
            gateway: wsgi.watchdog.map { .init(pool: pool, wsgi: wsgi, watchdog: $0) })
        guard let python, let watchdog = wsgi.watchdog else { return sites }
        let entries = PythonSites(configuration).entries
        // A process has one working directory: when sites differ in it, each has its own on `sys.path` only.
        if let first = entries.first, entries.allSatisfy({ $0.directory == first.directory }),
            chdir(first.directory) != 0
        {
            let error = SystemError(operation: "chdir", code: errno)
            throw .configuration("directory: \(first.directory): \(error)")
        }
        for entry in entries {
            willImport(entry.target)
            do throws(WorkerStartError) {
                sites.append(
                    try PythonSite(
                        entry, configuration, runtime: python, pool: pool, options: wsgi, watchdog: watchdog,
                        isAlone: entries.count == 1))
            } catch {
                guard settings.debug, case .application(_, let reason) = error else { throw error }
                logger.critical("\(error)")
                sites.append(
                    BrokenSite(entry.site.name, reason: reason, editor: settings.editor.map { EditorLink($0) }))
            }
        }
        return sites
    }

    /// Stops accepting, finishes what was begun within `timeouts.drain`, and ends the sites. When others serve in this one's
    /// place already (`isReplaced`), WebSockets and event streams go on for `timeouts.linger` first, and idle connections
    /// wait for their next request as long as ever.
    ///
    /// `exit` ends the process of a Python that does not come to its own end.
    func drain(
        closing listeners: [ListeningSocket], isReplaced: Bool,
        exit: @escaping @Sendable (Int32) -> Void = { _exit($0) }
    ) {
        isReady.value = false
        succession?.end()
        if isReplaced, let succession { server.handOver(to: succession.give) }
        live?.close()
        let timeouts = settings.timeouts
        // Pages load themselves again: who stays longer than their requests keeps old code alive.
        let lingers = isReplaced && live == nil
        let limit = timeouts.drain + (lingers ? timeouts.linger : .zero)
        let deadline = MonotonicTime.now() + limit
        python?.interpreter.endsWithin(limit + Self.pythonEnding, exit: exit)
        var limits = DrainLimits(requests: TimeAmount(timeouts.drain))
        if lingers {
            limits.linger = TimeAmount(timeouts.linger)
            limits.silence = TimeAmount(timeouts.keepAlive)
        }
        let cut = server.drain(limits) {
            // Closed now, not at the end: the kernel goes on taking connections as long as one copy is open.
            for listener in listeners { listener.close() }
        }
        if cut > 0 { logger.warning("\(cut) connections were cut off at the end of timeouts.drain") }
        // What an application does after its response, or once it was told that its stream has ended.
        while MonotonicTime.now() < deadline, sites.reduce(0, { $0 + $1.callsInProgress }) > watchdog.callsGivenUp {
            usleep(10_000)
        }
        watchdog.ignoreLoops()
        for site in sites { site.stop() }
        endPool(before: deadline)
        watchdog.stop()
        server.shutdown()
        accessLog?.close()
    }

    /// Opens the access log anew, after it was moved away.
    var reopenLogs: @Sendable () -> Void { { [accessLog] in accessLog?.reopen() } }

    /// Says that requests are not welcome any more, and goes on serving them.
    var denyReadiness: @Sendable () -> Void { { [isReady] in isReady.value = false } }

    /// In a drain on its way: whoever lingers is told to go now.
    var endLinger: @Sendable () -> Void { { [server] in server.endLinger() } }

    /// Takes over what the front router needs of another configuration; requests that were begun are answered by the old.
    func replaceRoutes(_ configuration: Configuration) throws(GenerationError) {
        let settings = configuration.settings
        do {
            let table = try RouteAssembly(configuration).table()
            let health = HealthEndpoints(settings, isReady)
            let cache = FileCacheLimits(settings)
            try server.reconfigure(ServerOptions(settings)) { present in
                guard let front = present as? FrontHandler else { return present }
                return try front.replacing(table: table, health: health, cache: cache)
            }
            status.setRoutes(table.names)
        } catch {
            throw GenerationError("\(error)")
        }
    }

    /// A thread may still be busy with a request whose client is gone.
    private func endPool(before deadline: MonotonicTime) {
        pool.close()
        while pool.counts.busy + pool.counts.queued > 0, MonotonicTime.now() < deadline { usleep(5_000) }
        let left = pool.counts.busy
        if left == 0 { pool.shutdown() }
        // Those that were given up are still at what they do.
        guard left + pool.abandonedThreads > 0 else { return }
        if left > 0 { logger.warning("\(left) worker threads were still busy at the end of timeouts.drain") }
        python?.interpreter.leavesThreadsBehind()
    }

    /// What the supervisor is told with each heartbeat.
    func report() -> WorkerReport {
        let total = status.snapshot().counters
        var report = WorkerReport()
        report.requests = total.requests
        report.inFlight = total.inFlight
        report.connections = total.connectionsOpen
        report.serverErrors = total.serverErrors
        report.queueRejects = pool.counts.refused
        report.bytesIn = total.bytesIn
        report.bytesOut = total.bytesOut
        report.residentBytes = UInt64(ResidentMemory.bytes() ?? 0)
        let load = meter.measure(pool.counts, threads: pool.threadCount)
        let queue = max(load.queue, lag.measure(server.eventLoops))
        report.queueMicroseconds = UInt64(clamping: queue.wholeNanoseconds / 1000)
        report.busyPermille = load.busyPermille
        return report
    }
}

/// Whether requests are welcome; read by every loop, and by the supervisor.
struct ReadinessFlag: Sendable {
    private let status: StatusRegion

    init(_ status: StatusRegion) { self.status = status }

    var value: Bool {
        get { status.isReady }
        nonmutating set { status.isReady = newValue }
    }
}

extension HealthEndpoints {
    fileprivate init(_ settings: Settings, _ isReady: ReadinessFlag) {
        self.init(livez: settings.health.live, readyz: settings.health.ready, isReady: { isReady.value })
    }
}

extension FileCacheLimits {
    fileprivate init(_ settings: Settings) {
        // Whoever has just saved a file wants to see that one.
        self.init(bytes: settings.limits.filesCache.bytes, recheck: settings.reload.live ? .zero : .seconds(1))
    }
}
