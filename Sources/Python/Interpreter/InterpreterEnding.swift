import CPython
import Glibc
import Logging
import Platform
import Synchronization

/// How the interpreter comes to its end: in time, and with the application's `atexit` handlers run.
///
/// CPython takes itself apart only when nobody else is inside: a thread that comes back into an interpreter which is being
/// taken apart is ended in the middle of what it does.
final class Ending: Sendable {
    private let logger: Logger
    private let isWatched = Atomic(false)
    private let exit = Mutex<@Sendable (Int32) -> Void>({ _exit($0) })
    let isBusy = Atomic(false)

    init(logger: Logger) { self.logger = logger }

    /// Ends the process when `limit` is over, after the `atexit` handlers were run.
    func watch(
        _ interpreter: Interpreter, _ limit: Duration, status: Int32, exit: @escaping @Sendable (Int32) -> Void
    ) {
        self.exit.withLock { $0 = exit }
        guard !isWatched.exchange(true, ordering: .relaxed) else { return }
        let logger = self.logger
        start("ending") {
            guard let timer = try? EventCounter() else { return }
            timer.wait(within: limit)
            logger.warning("the end of the application takes longer than \(limit); leaving what still runs")
            self.start("atexit") {
                interpreter.abandon(limit)
                exit(status)
            }
            // For one that never gives up the interpreter's lock.
            timer.wait(within: .seconds(2))
            exit(status)
        }
    }

    /// Ends the process with threads of the server still inside.
    func leave(_ status: Int32) { exit.withLock { $0 }(status) }

    private func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
        do throws(SystemError) {
            try DedicatedThread.start(name: name, body)
        } catch {
            logger.warning("nobody watches over the end: \(error)")
        }
    }
}

extension Interpreter {
    /// Begins the end: when it is not reached within `limit` (because something blocks the event loop, a thread of the
    /// application's does not end, or an `atexit` handler), the handlers are run and the process exits with status 0, by way
    /// of `exit`, which does not return.
    public func endsWithin(_ limit: Duration, exit: @escaping @Sendable (Int32) -> Void = { _exit($0) }) {
        ending.watch(self, limit, status: 0, exit: exit)
    }

    /// Says that threads of the server are still inside, and will be when ``main(_:logger:_:)``'s body returns.
    public func leavesThreadsBehind() { ending.isBusy.store(true, ordering: .relaxed) }

    /// On the main thread, inside the interpreter, after the last request. Does not return when threads are left behind.
    func end(_ status: Int32) {
        do throws(PythonError) {
            try Py.run(process.pointer, "prepare_end")
            guard ending.isBusy.load(ordering: .relaxed) else { return }
            try Py.run(process.pointer, "end")
        } catch {
            logger.error("the interpreter does not end in order: \(error.traceback)")
        }
        if ending.isBusy.load(ordering: .relaxed) { ending.leave(status) }
    }

    /// Says what is left, and runs the `atexit` handlers.
    fileprivate func abandon(_ limit: Duration) {
        enter {
            do throws(PythonError) {
                try Py.run(process.pointer, "abandon", Py.text("\(limit)"))
            } catch {
                logger.error("the interpreter does not end in order: \(error.traceback)")
            }
        }
    }
}
