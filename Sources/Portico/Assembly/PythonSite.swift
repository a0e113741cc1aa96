import Config
import Diagnosis
import Dispatch
import Gateway
import Logging
import NIOCore
import Platform
import Python
import Server
import Synchronization

/// A Python application, as the configuration wants it.
final class PythonSite: ServedSite {
    let name: String
    private let application: PythonObject
    private let gateway: PythonGateway
    private let runtime: PythonRuntime
    private let settings: Settings
    private let pool: ThreadPool
    private let options: WSGIHandler.Options
    /// The loop that the application lives on, and uvloop when it is that.
    private let home: any EventLoop
    private let running: RunningLoop?
    private let wsgi: PythonWSGIApplication?
    private let asgi = Mutex<NIOLoopBound<PythonASGIHandler>?>(nil)
    private let watchdog: Watchdog
    private let failurePage: FailurePage?
    private let logger: Logger

    /// Imports the application, on `runtime`'s main loop.
    init(
        _ entry: PythonSites.Entry, _ configuration: Configuration, runtime: PythonRuntime, pool: ThreadPool,
        options: WSGIHandler.Options, watchdog: Watchdog, isAlone: Bool
    ) throws(WorkerStartError) {
        let site = entry.site
        let settings = configuration.settings
        name = site.name
        failurePage = ApplicationFailure.page(entry, configuration)
        self.runtime = runtime
        self.settings = settings
        self.pool = pool
        self.watchdog = watchdog
        logger = Logger(label: "site.\(site.name)")
        var options = options
        // A worker with one thread is one that its owner wants to do one thing at a time. Not beside another Python site,
        // which may have an asyncio loop running on this thread: synchronous frameworks refuse to work there.
        options.runsInline =
            settings.workers.mode == .process && settings.workers.threads == 1 && isAlone
        options.streamsInput = true
        options.failurePage = failurePage
        self.options = options
        let isMultithreaded = !options.runsInline && settings.workers.threads > 1
        let isMultiprocess = options.isMultiprocess
        let interpreter = runtime.interpreter
        let wanted = site.gateway
        let loaded = Result {
            try runtime.mainLoop.submit {
                let application = try interpreter.load(
                    module: entry.module, callable: entry.callable, directory: entry.directory)
                let gateway = Self.gateway(wanted, interpreter.gateway(of: application))
                guard gateway == .wsgi else { return (application, gateway, PythonWSGIApplication?.none) }
                return (
                    application, gateway,
                    try PythonWSGIApplication(
                        application, in: interpreter, isMultithreaded: isMultithreaded, isMultiprocess: isMultiprocess)
                )
            }.wait()
        }
        do {
            (application, gateway, wsgi) = try loaded.get()
            running =
                gateway != .wsgi && site.loop == .uvloop
                ? try RunningLoop.uvloop(in: interpreter, timers: runtime.mainLoop) : nil
        } catch {
            throw .application(site.name, "\(error)")
        }
        home = running?.eventLoop ?? runtime.mainLoop
        // The server's own loops are watched already.
        if let loop = running?.eventLoop as? any WatchedLoop { watchdog.watch(loop) }
    }

    /// What the configuration says, filled in by what the application looks like.
    private static func gateway(_ wanted: Config.SiteSettings.Gateway, _ seen: PythonGateway) -> PythonGateway {
        switch wanted {
        case .auto: seen
        case .wsgi: .wsgi
        case .asgi: seen == .asgi2 ? .asgi2 : .asgi
        }
    }

    func makeHandler(on loop: any EventLoop) -> any SiteHandler {
        let logger = Logger(label: "gateway")
        if let wsgi { return WSGIHandler(wsgi, on: loop, pool: pool, options: options, logger: logger) }
        do {
            // The first loop of a worker is the main loop: the application is there before another asks for it.
            if loop === runtime.mainLoop { try makeASGIHandler(logger) }
        } catch {
            logger.critical("the site cannot be served: \(error)")
            return BrokenSite(
                name, reason: settings.debug ? "\(error)" : nil, editor: settings.editor.map { EditorLink($0) })
        }
        if loop === home, let handler = asgi.withLock({ $0 }) { return handler.value }
        return LoopRelay(to: home) { [self] in asgi.withLock { $0 }?.value }
    }

    private func makeASGIHandler(_ logger: Logger) throws {
        let (application, interpreter, home, running) = (application, runtime.interpreter, home, running)
        let (watchdog, failurePage) = (watchdog, failurePage)
        let isDoubleCallable = gateway == .asgi2
        let make: @Sendable () throws -> NIOLoopBound<PythonASGIHandler> = {
            NIOLoopBound(
                try PythonASGIHandler(
                    application, in: interpreter, on: home, running: running, isDoubleCallable: isDoubleCallable,
                    watchdog: watchdog, failurePage: failurePage, logger: logger), eventLoop: home)
        }
        let handler = try home.inEventLoop ? make() : home.submit(make).wait()
        asgi.withLock { $0 = handler }
    }

    func start(on loops: [any EventLoop]) throws(WorkerStartError) {
        guard let handler = asgi.withLock({ $0 }) else { return }
        // Before the supervisor gives up, so that the log says what was waited for.
        let margin = min(settings.timeouts.start / 2, .seconds(1))
        let limit = TimeAmount(settings.timeouts.start - margin - (MonotonicTime.now() - ProcessWorker.begun))
        switch ask(within: limit, { handler.value.startup() }) {
        case .complete: return
        case .unsupported(let reason):
            logger.info("the application does without lifespan: \(reason.split(separator: "\n").last ?? "")")
        case .failed(let message): throw .site(name, "the application refused to start: \(message)")
        case nil:
            throw .site(name, "the application did not complete its lifespan startup within \(settings.timeouts.start)")
        }
    }

    var callsInProgress: Int {
        guard let handler = asgi.withLock({ $0 }) else { return 0 }
        return (try? home.submit { handler.value.callsInProgress }.wait()) ?? 0
    }

    func stop() {
        guard let handler = asgi.withLock({ $0 }) else { return }
        switch ask(within: TimeAmount(settings.timeouts.drain), { handler.value.shutdown() }) {
        case .complete, .unsupported: break
        case .failed(let message): logger.error("the application failed to shut down: \(message)")
        case nil:
            logger.error("the application did not complete its lifespan shutdown within \(settings.timeouts.drain)")
        }
        // A future of the loop would not do: a loop that runs by itself may be over before it could say so.
        let closed = DispatchSemaphore(value: 0)
        home.execute {
            handler.value.close()
            closed.signal()
        }
        closed.wait()
    }

    /// Waits for a stage of the lifespan; nil when it takes longer than `limit`.
    private func ask(
        within limit: TimeAmount, _ stage: @escaping @Sendable () -> EventLoopFuture<PythonASGIHandler.LifespanOutcome>
    ) -> PythonASGIHandler.LifespanOutcome? {
        let loop = home
        let answer = loop.makePromise(of: PythonASGIHandler.LifespanOutcome?.self)
        loop.execute {
            let timer = loop.scheduleTask(in: limit) { answer.succeed(nil) }
            stage().whenComplete { result in
                timer.cancel()
                answer.succeed(try? result.get())
            }
        }
        return try? answer.futureResult.wait()
    }
}
