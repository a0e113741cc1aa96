import CPython
import Glibc
import Logging
import Synchronization

/// The built-in module `_portico`, by which the interpreter, started as a program, calls back into this one.
final class EntryModule {
    private let installation: PythonInstallation
    private let logger: Logger
    private let body: (Interpreter) -> Int32
    private var status: Int32 = 70

    /// The one of this process; written before the interpreter starts, on the thread that starts it.
    nonisolated(unsafe) private static var current: EntryModule?

    init(installation: PythonInstallation, logger: Logger, body: @escaping (Interpreter) -> Int32) {
        self.installation = installation
        self.logger = logger
        self.body = body
    }

    /// Makes the module known to the interpreter that is about to start.
    func register() -> Bool {
        Self.current = self
        let functions = [
            NativeFunction("run") { _, _, _ in
                cpython_called()
                defer { cpython_returning() }
                EntryModule.current?.enter()
                return Py.none
            },
            NativeFunction("forked") { _, _, _ in
                cpython_begin_forked()
                return Py.none
            },
            StandardStreams.write, MainThreadInterrupter.isOverdue,
        ]
        let methods = UnsafeMutablePointer<PyMethodDef>.allocate(capacity: functions.count + 1)
        for (index, function) in functions.enumerated() {
            (methods + index).initialize(to: function.definition.pointee)
        }
        (methods + functions.count).initialize(to: PyMethodDef())
        return cpython_add_module("_portico", methods, installation.isFreeThreaded ? 1 : 0) == 0
    }

    /// Runs the interpreter's main program to its end.
    func run() -> Int32 {
        // Kept for ever: the interpreter may look at its arguments until the process ends.
        // It would ask for commands after the end.
        unsetenv("PYTHONINSPECT")
        let texts = [installation.executable, "-c", "import _portico; _portico.run()"]
        let arguments: [UnsafeMutablePointer<CChar>?] = texts.map { strdup($0) } + [nil]
        let pointers = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: arguments.count)
        pointers.initialize(from: arguments, count: arguments.count)
        let ended = Py_BytesMain(Int32(arguments.count - 1), pointers)
        return status == 0 ? ended : status
    }

    /// Called by Python, on its main thread.
    private func enter() {
        let interpreter: Interpreter
        do {
            interpreter = try Interpreter(installation, logger: logger)
        } catch {
            logger.critical("Python does not start: \(error.traceback)")
            return
        }
        status = Interpreter.leave { body(interpreter) }
        interpreter.end(status)
    }
}
