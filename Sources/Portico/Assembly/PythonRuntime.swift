import Glibc
import Logging
import NIOCore
import Platform
import Python
import Server
import Supervisor
import Synchronization

/// The interpreter of this process, and the event loop that runs on its main thread.
struct PythonRuntime: Sendable {
    let interpreter: Interpreter
    let mainLoop: ServerLoop

    /// Runs `body` on a thread of its own, while the calling thread becomes the interpreter's main thread and an event loop.
    /// The result is what `body` returned, once the interpreter has ended in order.
    static func run(
        _ installation: PythonInstallation, logger: Logger, _ body: @escaping @Sendable (PythonRuntime) -> Int32
    ) throws(PythonInstallationError) -> Int32 {
        try Interpreter.main(installation, logger: logger) { interpreter in
            let status = ExitStatus()
            do throws(SystemError) {
                try ServerLoop.runOnCurrentThread(logger: logger) { loop in
                    let runtime = PythonRuntime(interpreter: interpreter, mainLoop: loop)
                    do {
                        try SignalReader.start(interpreter, on: loop)
                        try interpreter.watchOver(loop)
                        try DedicatedThread.start(name: "worker") {
                            status.value = body(runtime)
                            loop.shutdownGracefully { _ in }
                        }
                    } catch {
                        logger.critical("\(error)")
                        loop.shutdownGracefully { _ in }
                    }
                }
            } catch {
                logger.critical("\(error)")
            }
            return status.value
        }
    }
}

/// Wakes the main thread for signals that the application wants to hear of.
private enum SignalReader {
    /// On the main thread, which is that of `loop`.
    static func start(_ interpreter: Interpreter, on loop: ServerLoop) throws {
        let pipe = try interpreter.takeSignals()
        try loop.whenReadable(pipe) {
            var signals = [UInt8](repeating: 0, count: 64)
            let count = read(pipe, &signals, signals.count)
            if count > 0 {
                interpreter.handleSignals(Array(signals[..<count]))
            } else if count == 0 || errno != EAGAIN && errno != EINTR {
                loop.forget(pipe)
            }
        }
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
