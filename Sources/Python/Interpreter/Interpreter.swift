import CPython
import Gateway
import Glibc
public import Logging
import NIOCore
import Platform
import Synchronization

/// The CPython inside this process. There is at most one, for the whole life of the process.
///
/// It is started as its own executable would be (`Py_BytesMain`, with that executable as `argv[0]`), so that prefix,
/// packages, `pyvenv.cfg`, `PYTHON*` variables and the locale are what they are there. Its main thread is the one that
/// calls ``main(_:logger:_:)``.
public final class Interpreter: Sendable {
    /// What runs.
    public let installation: PythonInstallation
    let logger: Logger
    /// The module of Python code that belongs to the adapters.
    let support: PythonObject
    /// The module that deals with the process.
    let process: PythonObject
    let ending: Ending
    /// `object.__basicsize__`: what a Python object's header takes in this build.
    let headerSize: Int
    private let state: InterpreterState

    /// For `cpython_enter`.
    @inline(__always)
    var statePointer: OpaquePointer { state.pointer }

    private struct InterpreterState: @unchecked Sendable {
        // Sendable: an address that only CPython looks behind.
        let pointer: OpaquePointer
    }

    /// Opens the library and runs `body` inside a started interpreter, on the calling thread, which does not hold the
    /// interpreter's lock meanwhile. When `body` returns, the interpreter ends as it does at the end of a program
    /// (`atexit`, threads that are no daemons), or, when threads of the server are still inside, without taking itself
    /// apart (``endsWithin(_:)``). The result is the exit status: that of `body`, unless ending failed. Called once per
    /// process.
    public static func main(
        _ installation: PythonInstallation, logger: Logger, _ body: @escaping (Interpreter) -> Int32
    ) throws(PythonInstallationError) -> Int32 {
        // Extension modules do not name libpython among what they need: its symbols have to be everybody's.
        guard let library = dlopen(installation.library, RTLD_NOW | RTLD_GLOBAL) else {
            throw .notLoadable(library: installation.library, reason: String(cString: dlerror()))
        }
        if let missing = cpython_load(library) {
            throw .notLoadable(
                library: installation.library, reason: "it does not export \(String(cString: missing))")
        }
        let entry = EntryModule(installation: installation, logger: logger, body: body)
        guard entry.register() else {
            throw .notLoadable(library: installation.library, reason: "no memory for a built-in module")
        }
        return entry.run()
    }

    /// The interpreter is entered.
    init(_ installation: PythonInstallation, logger: Logger) throws(PythonError) {
        self.installation = installation
        self.logger = logger
        guard let pointer = PyInterpreterState_Get() else { throw PythonError.take() }
        state = InterpreterState(pointer: pointer)
        process = PythonObject(try SupportModule.process())
        support = PythonObject(try SupportModule.load())
        try RequestTimeout.prepare(process.pointer)
        ending = Ending(logger: logger)
        let builtins = try Py.check(PyImport_ImportModule("builtins"))
        defer { Py_DecRef(builtins) }
        let object = try Py.check(PyObject_GetAttrString(builtins, "object"))
        defer { Py_DecRef(object) }
        let size = try Py.check(PyObject_GetAttrString(object, "__basicsize__"))
        defer { Py_DecRef(size) }
        headerSize = Int(PyLong_AsLongLong(size))
        cpython_find_type(headerSize)
        try StandardStreams.redirect(process.pointer, logger: logger)
    }

    /// Runs `body` with the calling thread attached to the interpreter and its lock held; nested calls are free.
    @inline(__always)
    func enter<T>(_ body: () throws -> T) rethrows -> T {
        cpython_enter(state.pointer)
        defer { cpython_leave() }
        return try body()
    }

    /// Takes the lock, if the calling thread does not hold it, until the end of this turn of `loop`, whose thread it is: the
    /// requests that came together are served without giving it up between them.
    func enter(forTheTurnOf loop: any EventLoop) {
        guard cpython_is_inside() == 0 else { return }
        cpython_keep(state.pointer)
        loop.assumeIsolated().execute { cpython_let_go() }
    }

    /// From now on counts at `numbers` how often the interpreter's lock was asked for, and behind it how many nanoseconds that
    /// took. Called before any other thread enters; the memory stays.
    public func countLockWaits(at numbers: UnsafeMutablePointer<UInt64>) { cpython_count_lock_waits(numbers) }

    /// The lock, as a thread of a pool keeps it from one call to the next.
    var lease: ThreadLease {
        let state = state
        return ThreadLease(begin: { cpython_keep(state.pointer) }, end: { cpython_let_go() })
    }

    /// Runs `body`, which may wait, with the lock given up; called inside ``enter(_:)`` or from Python.
    static func leave<T>(_ body: () throws -> T) rethrows -> T {
        let released = cpython_release()
        defer { cpython_regain(released) }
        return try body()
    }

    /// Imports `module` and returns its attribute `callable` (dotted names go deeper), with `directory` first on
    /// `sys.path`.
    public func load(module: String, callable: String, directory: String?) throws(PythonLoadError) -> PythonObject {
        cpython_enter(state.pointer)
        defer { cpython_leave() }
        do throws(PythonError) {
            let function = try Py.check(PyObject_GetAttrString(support.pointer, "load"))
            defer { Py_DecRef(function) }
            let arguments = try [module, callable, directory ?? ""].map { text throws(PythonError) in
                try Py.check(Py.text(text))
            }
            defer { arguments.forEach(Py_DecRef) }
            return PythonObject(try Py.check(Py.call(function, arguments)))
        } catch {
            throw PythonLoadError(target: "\(module):\(callable)", error: error)
        }
    }
}

/// How a Python application wants to be called.
public enum PythonGateway: String, Sendable {
    case wsgi, asgi
    /// ASGI 2: called with the scope, and what that returns with `receive` and `send`.
    case asgi2
}

extension Interpreter {
    /// What `application` looks like, decided as asgiref does.
    public func gateway(of application: PythonObject) -> PythonGateway {
        enter {
            defer { PyErr_Clear() }
            guard let function = PyObject_GetAttrString(support.pointer, "gateway_of") else { return .wsgi }
            defer { Py_DecRef(function) }
            let name = PyObject_CallOneArg(function, application.pointer).flatMap(Py.consumeText) ?? ""
            return PythonGateway(rawValue: name) ?? .wsgi
        }
    }
}

/// Why a Python application cannot be served.
public struct PythonLoadError: Error, Sendable, CustomStringConvertible {
    /// `module:callable`
    public let target: String
    /// What Python raised.
    public let error: PythonError

    /// One line for what was expected, the whole traceback for what the application's own code raised.
    public var description: String {
        error.type == "ApplicationNotFound" ? "\(target): \(error.message)" : "\(target): \(error.traceback)"
    }
}

/// A reference to a Python object that lives as long as the process, or is released explicitly inside the interpreter.
public struct PythonObject: @unchecked Sendable {
    // Sendable: what it points to is touched only by threads that are inside the interpreter.
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) { self.pointer = pointer }
}
