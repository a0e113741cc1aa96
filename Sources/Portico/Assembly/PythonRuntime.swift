import Config
import Glibc
import Logging
import NIOCore
import NIOPosix
import Platform
import Python
import Supervisor
import Synchronization

/// The interpreter of this process, and the event loop that runs on its main thread.
struct PythonRuntime: Sendable {
    let interpreter: Interpreter
    let mainLoop: any EventLoop

    /// Runs `body` on a thread of its own, while the calling thread becomes the interpreter's main thread and an event loop.
    /// The result is what `body` returned, once the interpreter has ended in order.
    static func run(
        _ installation: PythonInstallation, logger: Logger, _ body: @escaping @Sendable (PythonRuntime) -> Int32
    ) throws(PythonInstallationError) -> Int32 {
        try Interpreter.main(installation, logger: logger) { interpreter in
            let status = ExitStatus()
            MultiThreadedEventLoopGroup.withCurrentThreadAsEventLoop { loop in
                let runtime = PythonRuntime(interpreter: interpreter, mainLoop: loop)
                do {
                    try DedicatedThread.start(name: "worker") {
                        status.value = body(runtime)
                        loop.shutdownGracefully { _ in }
                    }
                } catch {
                    logger.critical("\(error)")
                    loop.shutdownGracefully { _ in }
                }
            }
            return status.value
        }
    }

    /// The Python that the configuration's sites need; nil when there is no Python site. They share one interpreter, so
    /// that they have to agree on it.
    static func installation(for configuration: Configuration) throws(ConfigErrors) -> PythonInstallation? {
        var found: (site: String, installation: PythonInstallation)?
        for site in configuration.settings.sites {
            guard case .python = site.source else { continue }
            let place = ConfigPath([.key("sites"), .key(site.name), .key("python")])
            let installation: PythonInstallation
            do throws(PythonInstallationError) {
                installation = try .find(
                    .init(
                        python: site.interpreter, virtualenv: site.virtualenv,
                        directory: site.directory ?? Environment.workingDirectory, environment: Environment.all),
                    environment: Environment.all)
            } catch {
                throw ConfigErrors([configuration.error("\(error)", at: place)])
            }
            if let found, found.installation != installation {
                throw ConfigErrors([
                    configuration.error(
                        "it runs on \(installation.executable), but site '\(found.site)' on "
                            + "\(found.installation.executable): the sites of one server share one interpreter",
                        at: place)
                ])
            }
            found = (site.name, installation)
        }
        return found?.installation
    }
}

/// What the worker's thread leaves for the main thread.
private final class ExitStatus: Sendable {
    private let status = Atomic<Int32>(Supervisor.ExitCode.internalError)

    var value: Int32 {
        get { status.load(ordering: .acquiring) }
        set { status.store(newValue, ordering: .releasing) }
    }
}
