import Config
import Front
import Gateway
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

    var description: String {
        switch self {
        case .configuration(let text): text
        case .site(let name, let text): "site '\(name)' did not start: \(text)"
        case .system(let text): text
        }
    }

    /// The process's exit status.
    var exitStatus: Int32 {
        switch self {
        case .configuration: ExitCode.configuration
        case .site, .system: ExitCode.internalError
        }
    }
}

/// The whole stack of one process: event loops, front router, gateways, sites. The same in both modes.
final class Worker {
    private let settings: Settings
    private let logger = Logger(label: "app")
    private let pool: ThreadPool
    private let sites: [SiteAssembly]
    private let accessLog: AccessLogWriter?
    private let server: HTTPServer
    private let lifespans = Mutex<[ASGILifespan]>([])
    private let isReady = ReadinessFlag()
    private let counters: LoopCounterList

    /// Puts everything together; nothing is accepted yet.
    init(_ configuration: Configuration, slot: Int, isMultiprocess: Bool, temporarySecret: String?) throws {
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
        let sites = SiteAssembly.all(settings, executor: pool, secretKey: secretKey)
        self.sites = sites
        let counters = LoopCounterList()
        self.counters = counters
        let health = HealthEndpoints(
            livez: settings.health.live, readyz: settings.health.ready, isReady: { [isReady] in isReady.value })
        let cache = FileCacheLimits(bytes: settings.limits.filesCache.bytes)
        var options = WSGIHandler.Options()
        options.bodyMemory = settings.limits.bodyMemory.bytes
        options.temporaryDirectory = settings.tempDirectory
        options.isMultiprocess = isMultiprocess
        let wsgiOptions = options
        server = try HTTPServer(
            loopCount: settings.workers.loopCount, options: ServerOptions(settings), logger: logger,
            makeHandler: { loop in
                let logger = Logger(label: "gateway")
                var handlers: [String: any SiteHandler] = [:]
                for site in sites {
                    handlers[site.name] =
                        site.usesWSGI
                        ? WSGIHandler(site.application, on: loop, pool: pool, options: wsgiOptions, logger: logger)
                        : ASGIHandler(site.application, on: loop, logger: logger)
                }
                return try FrontHandler(table: table, sites: handlers, health: health, cache: cache)
            },
            makeObserver: { [accessLog] _ in
                LoopObserver(counters: counters.make(), accessLog: accessLog?.makeLog(), slot: slot)
            })
    }

    /// Starts the sites, then accepts from the sockets.
    func start(on listeners: [ListeningSocket]) throws {
        for site in sites {
            if site.usesWSGI {
                do { try site.application.start() } catch { throw WorkerStartError.site(site.name, "\(error)") }
            } else {
                for loop in server.eventLoops { try startLifespan(site, loop) }
            }
        }
        do {
            for listener in listeners {
                try server.serve(descriptor: listener.descriptor)
            }
        } catch {
            throw WorkerStartError.system("cannot accept: \(error)")
        }
        isReady.value = true
    }

    private func startLifespan(_ site: SiteAssembly, _ loop: any EventLoop) throws {
        let lifespan = ASGILifespan(site.application, on: loop, logger: logger)
        let limit = settings.timeouts.start
        let started = Blocking.wait { () async -> String? in
            do throws(LifespanError) {
                try await lifespan.startup(timeout: limit)
                return nil
            } catch {
                return error.description
            }
        }
        if let failure = started { throw WorkerStartError.site(site.name, failure) }
        lifespans.withLock { $0.append(lifespan) }
    }

    /// Stops accepting, finishes what was begun within `timeouts.drain`, and ends the sites.
    func drain() {
        isReady.value = false
        let cut = server.drain(within: TimeAmount(settings.timeouts.drain))
        if cut > 0 { logger.warning("\(cut) connections were cut off at the end of timeouts.drain") }
        for lifespan in lifespans.withLock({ $0 }) {
            let limit = settings.timeouts.drain
            let failure = Blocking.wait { () async -> String? in
                do throws(LifespanError) {
                    try await lifespan.shutdown(timeout: limit)
                    return nil
                } catch {
                    return error.description
                }
            }
            if let failure { logger.error("a site did not stop in order: \(failure)") }
        }
        for site in sites where site.usesWSGI { site.application.stop() }
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
