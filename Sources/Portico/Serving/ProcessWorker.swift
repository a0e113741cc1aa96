import ArgumentParser
import Config
import CoreMetrics
import Diagnosis
import Glibc
import LiveReload
import Logging
import Platform
import Python
import Supervisor
import Synchronization
import Telemetry

/// A worker process: what the supervisor gave it, the stack on top, and the heartbeat.
struct ProcessWorker: Sendable {
    /// About when this process began: `timeouts.start` counts from there.
    static let begun = MonotonicTime.now()

    let control: WorkerControl
    let options: ServeOptions

    init(_ control: WorkerControl, options: ServeOptions) {
        _ = Self.begun
        self.control = control
        self.options = options
    }

    /// Serves until told to stop. The result is the exit status.
    func run() throws -> Int32 {
        guard let payload = WorkerPayload(control.payload) else {
            control.failed("the supervisor's payload cannot be read")
            return Supervisor.ExitCode.internalError
        }
        var sources = try options.sources()
        sources.knownSecrets = payload.secrets.mapValues { Secret($0) }
        if let path = payload.filePath, let bytes = payload.fileBytes {
            sources.fileContents = (path, bytes)
        } else {
            // There was none when the supervisor looked; one that appeared since is not what it started with.
            sources.usualPlaces = []
        }
        let configuration = try ConfigurationOptions.load(sources)
        LogAssembly.bootstrap(configuration.settings.log, process: "worker \(control.slot + 1)")
        let logger = Logger(label: "app")
        guard let installation = payload.python else { return try serve(configuration, payload, logger, python: nil) }
        do throws(PythonInstallationError) {
            return try PythonRuntime.run(installation, logger: Logger(label: "python")) { runtime in
                do {
                    return try serve(configuration, payload, logger, python: runtime)
                } catch {
                    control.failed("\(error)")
                    return Supervisor.ExitCode.internalError
                }
            }
        } catch {
            control.failed("\(error)")
            return Supervisor.ExitCode.configuration
        }
    }

    /// The memory in which this worker says how it is: its supervisor's, or, should that be of another version, its own.
    private func status(_ configuration: Configuration) throws -> StatusRegion {
        if let descriptor = control.attachment(StatusAttachments.name),
            let region = try? StatusRegion(descriptor: descriptor)
        {
            return region
        }
        return try StatusRegion(loopCount: configuration.settings.workers.loopCount)
    }

    private func serve(
        _ configuration: Configuration, _ payload: WorkerPayload, _ logger: Logger, python: PythonRuntime?
    ) throws -> Int32 {
        let stop = try EventCounter()
        control.onDrain { reason in
            logger.debug("draining", metadata: ["reason": "\(reason)"])
            stop.signal()
        }
        let worker: Worker
        do {
            let succession = try succession()
            let live = configuration.settings.reload.live ? liveReload(configuration, succession) : nil
            let status = try status(configuration)
            MetricsSystem.bootstrap(StatusMetrics(status, logger: logger))
            worker = try Worker(
                configuration, slot: control.slot, isMultiprocess: configuration.settings.workers.mayBeSeveral,
                temporarySecret: payload.temporarySecret, python: python,
                status: status, live: live, succession: succession,
                // Should the process die of it, the supervisor knows what it was about.
                willImport: { control.failed("while importing \($0)") },
                retire: { control.retire(.init($0)) })
            let begun = MonotonicTime.now() - Self.begun
            try worker.start(on: control.listeners, within: configuration.settings.timeouts.start - begun)
        } catch let error as WorkerStartError {
            control.failed(error.description)
            return error.exitStatus
        }
        control.onHurry(worker.endLinger)
        control.onUnready(worker.denyReadiness)
        control.onReopenLogs(worker.reopenLogs)
        // Before anything else a sign of life, whose absence is noticed from then on.
        control.heartbeat(worker.report())
        control.ready()
        repeat {
            if configuration.settings.reload.live, let python { tellSources(of: python) }
        } while !heartbeat(worker, until: stop)
        worker.drain(closing: control.listeners, isReplaced: control.drainReason == .requested(.replace))
        return 0
    }

    /// Tells the supervisor how the worker is, a second later; true when it is to stop instead.
    private func heartbeat(_ worker: Worker, until stop: EventCounter) -> Bool {
        if stop.wait(within: .seconds(1)) { return true }
        control.heartbeat(worker.report())
        return false
    }

    /// Tells what has been imported, for its changes to be seen.
    private func tellSources(of python: PythonRuntime) {
        var rest = python.interpreter.newSources()[...]
        while !rest.isEmpty {
            control.tell(DevelopmentNews(files: Array(rest.prefix(DevelopmentNews.mostFiles))).text)
            rest = rest.dropFirst(DevelopmentNews.mostFiles)
        }
    }

    /// The way of connections to the worker that follows; nil where the supervisor has given none.
    private func succession() throws(SystemError) -> ConnectionSuccession? {
        let names = StatusAttachments.queueNames
        guard let input = control.attachment(names.input), let output = control.attachment(names.output) else {
            return nil
        }
        return try ConnectionSuccession(DescriptorQueue(input: input, output: output))
    }

    /// The line from the supervisor's watch of files to the pages that are open.
    private func liveReload(_ configuration: Configuration, _ succession: ConnectionSuccession?) -> LiveReload {
        let live = LiveReload(
            token: "\(getppid())-\(control.generation)", editor: configuration.settings.editor.map { EditorLink($0) },
            directory: Environment.workingDirectory)
        control.onTell { text in
            switch DevelopmentOrder(text) {
            case .pages(let state): live.take(state)
            case .hold:
                succession?.setTaking(false)
                live.hold()
            case .release:
                live.release()
                succession?.setTaking(true)
            case nil: break
            }
        }
        return live
    }
}
