import Config
import Gateway
import Logging
import NIOCore
import Python

/// A Python application, as the configuration wants it.
final class PythonSite: ServedSite {
    let name: String
    private let application: PythonWSGIApplication
    private let pool: ThreadPool
    private let options: WSGIHandler.Options

    /// Imports the application, on `runtime`'s main loop.
    init(
        _ site: Config.SiteSettings, module: String, callable: String, _ settings: Settings, runtime: PythonRuntime,
        pool: ThreadPool, options: WSGIHandler.Options
    ) throws(WorkerStartError) {
        name = site.name
        self.pool = pool
        var options = options
        // A worker with one thread is one that its owner wants to do one thing at a time.
        options.runsInline = settings.workers.mode == .process && settings.workers.threads == 1
        options.streamsInput = true
        self.options = options
        let isMultithreaded = !options.runsInline && settings.workers.threads > 1
        let isMultiprocess = options.isMultiprocess
        let interpreter = runtime.interpreter
        let loaded = Result {
            try runtime.mainLoop.submit {
                let application = try interpreter.load(
                    module: module, callable: callable,
                    directory: site.directory ?? Environment.workingDirectory)
                return try PythonWSGIApplication(
                    application, in: interpreter, isMultithreaded: isMultithreaded, isMultiprocess: isMultiprocess)
            }.wait()
        }
        do { application = try loaded.get() } catch { throw .application(site.name, "\(error)") }
    }

    func makeHandler(on loop: any EventLoop) -> any SiteHandler {
        WSGIHandler(application, on: loop, pool: pool, options: options, logger: Logger(label: "gateway"))
    }

    func start(on loops: [any EventLoop]) throws(WorkerStartError) {}

    func stop() {}
}
