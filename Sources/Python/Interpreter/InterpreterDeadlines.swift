import CPython
public import Gateway
import Glibc
import Platform
import Synchronization

// How an application is made to leave when its time is over. On the main thread, whatever blocks it: a signal whose handler, in
// Python, raises the exception, for the system call is interrupted, and CPython calls handlers from within most of what takes
// long. On other threads an asynchronous exception, which is raised when Python's own code goes on.
extension Interpreter {
    /// Has what blocks `loop`, whose thread is the interpreter's main thread and the calling one, interrupted when that is
    /// asked for, and every thread's stack told. Once.
    public func watchOver(_ loop: any WatchedLoop) throws {
        let output = try ThreadStack.chainOutput()
        try enter {
            let function = try Py.check(PyObject_GetAttrString(process.pointer, "prepare_deadlines"))
            defer { Py_DecRef(function) }
            let numbers = [MainThreadInterrupter.signal, ThreadStack.signal, output]
            let arguments = try numbers.map { try Py.check(PyLong_FromLongLong(Int64($0))) }
            defer { arguments.forEach(Py_DecRef) }
            Py_DecRef(try Py.check(Py.call(function, arguments)))
        }
        try ThreadStack.chainHandler()
        MainThreadInterrupter.begin(self, loop.pulse)
    }

    /// Raises the exception in what the thread of `work` runs, as long as that is `work`.
    func raiseTimeout(in work: PooledWork) {
        enter {
            RequestTimeout.lock.withLock { _ in
                guard let type = RequestTimeout.type, work.markInterrupted() else { return }
                _ = PyThreadState_SetAsyncExc(work.threadHandle, type.pointer)
            }
        }
    }

    /// `work` is done: what was to be raised in it, and was not yet, is forgotten. On its thread.
    func forgetTimeout(of work: PooledWork) {
        enter {
            RequestTimeout.lock.withLock { _ in _ = PyThreadState_SetAsyncExc(work.threadHandle, nil) }
        }
    }
}

/// The exception by which an application is made to leave.
enum RequestTimeout {
    /// Orders raising and forgetting, where no interpreter's lock does.
    static let lock = Mutex(())
    /// Set while the interpreter starts.
    nonisolated(unsafe) static var type: PythonObject?

    /// The interpreter is entered.
    static func prepare(_ process: OpaquePointer) throws(PythonError) {
        type = PythonObject(try Py.check(PyObject_GetAttrString(process, "RequestTimeout")))
    }

    /// Whether `error` is one. The interpreter is entered.
    static func isOne(_ error: OpaquePointer) -> Bool {
        guard let type else { return false }
        defer { PyErr_Clear() }
        return Py.isInstance(error, type.pointer)
    }
}

/// Interrupts what the interpreter's main thread runs, for the event loop on it.
final class MainThreadInterrupter: LoopInterrupter {
    private let interpreter: Interpreter
    private let pulse: LoopPulse
    private let thread: UInt
    /// The pulse at which the exception is to be raised, and at which it was; 0: none.
    private let wanted = Atomic<UInt64>(0)
    private let raised = Atomic<UInt64>(0)

    private static let current = Mutex<MainThreadInterrupter?>(nil)

    /// The signal, which CPython has the handler of.
    static var signal: Int32 { ThreadStack.signal + 1 }

    private init(_ interpreter: Interpreter, _ pulse: LoopPulse) {
        self.interpreter = interpreter
        self.pulse = pulse
        thread = UInt(pthread_self())
    }

    /// On the main thread.
    static func begin(_ interpreter: Interpreter, _ pulse: LoopPulse) {
        let interrupter = MainThreadInterrupter(interpreter, pulse)
        current.withLock { $0 = interrupter }
        pulse.setInterrupter(interrupter)
    }

    func arm(at value: UInt64) -> Int32 {
        wanted.store(value, ordering: .sequentiallyConsistent)
        return Self.signal
    }

    var isPending: Bool { wanted.load(ordering: .sequentiallyConsistent) != 0 }

    func hasRaised(at value: UInt64) -> Bool { raised.load(ordering: .sequentiallyConsistent) == value }

    func stack() -> String? {
        interpreter.enter {
            defer { PyErr_Clear() }
            guard let function = PyObject_GetAttrString(interpreter.process.pointer, "stack"),
                let number = PyLong_FromLongLong(Int64(bitPattern: UInt64(thread)))
            else { return nil }
            defer {
                Py_DecRef(function)
                Py_DecRef(number)
            }
            return PyObject_CallOneArg(function, number).flatMap(Py.consumeText)
        }
    }

    /// `is_overdue()`: whether the exception is to be raised in what runs now. Called by the handler, on the main thread, where
    /// the pulse stands still meanwhile.
    static let isOverdue = NativeFunction("is_overdue") { _, _, _ in
        Py.bool(current.withLock { $0 }?.takeWanted() ?? false)
    }

    private func takeWanted() -> Bool {
        let value = wanted.exchange(0, ordering: .sequentiallyConsistent)
        guard value != 0, value == pulse.value else { return false }
        raised.store(value, ordering: .sequentiallyConsistent)
        return true
    }
}
