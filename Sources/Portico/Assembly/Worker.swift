import Config
import Front
import Gateway
import Glibc
import Logging
import NIOCore
import Platform
import Server
import Supervisor
import Synchronization
import Telemetry
import Web

/// Why a worker cannot serve.
enum WorkerStartError: Error, CustomStringConvertible {
    /// The configuration cannot be served; trying again would not help.
    case configuration(String)
    /// A site did not start.
    case site(String, String)
    case system(String)
    /// A Python application cannot be loaded; trying again would not help.
    case application(String, String)

    var description: String {
        switch self {
        case .configuration(let text): text
        case .site(let name, let text): "site '\(name)' did not start: \(text)"
        case .system(let text): text
        case .application(let name, let text): "site '\(name)': \(text)"
        }
    }

    /// The process's exit status.
    var exitStatus: Int32 {
        switch self {
        case .configuration, .application: ExitCode.configuration
        case .site, .system: ExitCode.internalError
        }
    }
}

/// The whole stack of one process: event loops, front router, gateways, sites. The same in both modes.
final class Worker {
    private let settings: Settings
    private let logger = Logger(label: "app")
    private let pool: ThreadPool
    private let sites: [any ServedSite]
    private let accessLog: AccessLogWriter?
    private let server: HTTPServer
    private let isReady = ReadinessFlag()
    private let counters: LoopCounterList

    /// Puts everything together; nothing is accepted yet.
    init(
        _ configuration: Configuration, slot: Int, isMultiprocess: Bool, temporarySecret: String?,
        python: PythonRuntime?
    ) throws {
        let settings = configuration.settings
        self.settings = settings
        let secretKey = settings.secretKey.map { SecretKey($0.text) } ?? .temporary(temporarySecret)
        let pool: ThreadPool
        let table: RouteTable
        do {
            pool = try ThreadPool(threads: settings.workers.threads, queueLimit: settings.limits.queue)
            table = try RouteAssembly(configuration).table()
            accessLog = try LogAssembly.accessLog(settings.log, logger: logger)
        } catch let error as RouteErrors {
            throw WorkerStartError.configuration("\(error)")
        } catch {
            throw WorkerStartError.system("\(error)")
        }
        self.pool = pool
        let counters = LoopCounterList()
        self.counters = counters
        let health = HealthEndpoints(
            livez: settings.health.live, readyz: settings.health.ready, isReady: { [isReady] in isReady.value })
        let cache = FileCacheLimits(bytes: settings.limits.filesCache.bytes)
        var options = WSGIHandler.Options()
        options.bodyMemory = settings.limits.bodyMemory.bytes
        options.temporaryDirectory = settings.tempDirectory
        options.isMultiprocess = isMultiprocess
        let sites = try Self.sites(settings, pool: pool, wsgi: options, secretKey: secretKey, python: python)
        self.sites = sites
        server = try HTTPServer(
            loopCount: settings.workers.loopCount, mainLoop: python?.mainLoop, options: ServerOptions(settings),
            logger: logger,
            makeHandler: { loop in
                var handlers: [String: any SiteHandler] = [:]
                for site in sites { handlers[site.name] = site.makeHandler(on: loop) }
                return try FrontHandler(table: table, sites: handlers, health: health, cache: cache)
            },
            makeObserver: { [accessLog] _ in
                LoopObserver(counters: counters.make(), accessLog: accessLog?.makeLog(), slot: slot)
            })
    }

    /// Starts the sites, then accepts from the sockets.
    func start(on listeners: [ListeningSocket]) throws {
        for site in sites { try site.start(on: server.eventLoops) }
        do {
            for listener in listeners {
                try server.serve(descriptor: listener.descriptor)
            }
        } catch {
            throw WorkerStartError.system("cannot accept: \(error)")
        }
        isReady.value = true
    }

    private static func sites(
        _ settings: Settings, pool: ThreadPool, wsgi: WSGIHandler.Options, secretKey: SecretKey, python: PythonRuntime?
    ) throws(WorkerStartError) -> [any ServedSite] {
        var sites: [any ServedSite] = SwiftSite.all(
            settings, executor: pool, secretKey: secretKey, gateway: .init(pool: pool, wsgi: wsgi))
        let directories = Set(settings.sites.compactMap(\.directory))
        // A process has one working directory: with several, each is on `sys.path` only.
        if directories.count == 1, let directory = directories.first, chdir(directory) != 0 {
            throw .configuration("directory: \(directory): \(SystemError(operation: "chdir", code: errno))")
        }
        for site in settings.sites {
            guard case .python(let module, let callable) = site.source, let python else { continue }
            sites.append(
                try PythonSite(
                    site, module: module, callable: callable, settings, runtime: python, pool: pool, options: wsgi))
        }
        return sites
    }

    /// Stops accepting, finishes what was begun within `timeouts.drain`, and ends the sites.
    func drain(closing listeners: [ListeningSocket]) {
        isReady.value = false
        let cut = server.drain(within: TimeAmount(settings.timeouts.drain)) {
            // Closed now, not at the end: the kernel goes on taking connections as long as one copy is open.
            for listener in listeners { listener.close() }
        }
        if cut > 0 { logger.warning("\(cut) connections were cut off at the end of timeouts.drain") }
        for site in sites { site.stop() }
        if cut == 0 { pool.shutdown() }
        server.shutdown()
        accessLog?.close()
    }

    /// What the supervisor is told with each heartbeat.
    func report() -> WorkerReport {
        let total = counters.total
        var report = WorkerReport()
        report.requests = total.requests
        report.inFlight = total.inFlight
        report.connections = total.connectionsOpen
        report.serverErrors = total.serverErrors
        report.queueRejects = pool.counts.refused
        report.bytesIn = total.bytesIn
        report.bytesOut = total.bytesOut
        report.residentBytes = UInt64(ResidentMemory.bytes() ?? 0)
        return report
    }
}

/// Whether requests are welcome; read by every loop.
final class ReadinessFlag: Sendable {
    private let flag = Atomic(false)

    var value: Bool {
        get { flag.load(ordering: .relaxed) }
        set { flag.store(newValue, ordering: .relaxed) }
    }
}
