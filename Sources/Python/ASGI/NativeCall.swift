import CPython
import Gateway
import Platform

/// One call of an application, as Python sees it: the object behind `receive` and `send`, and the coroutine that a task of
/// the guest loop runs, around the application's own.
class NativeCall {
    /// What is called with what; owned, and given up when the first step is made.
    private var beginning: (application: OpaquePointer, scope: OpaquePointer)?
    /// The application's coroutine, while it runs: owned.
    private var coroutine: OpaquePointer?

    /// The task that runs it, while it runs: owned.
    private(set) final var task: OpaquePointer?
    /// What is said of it while it runs: the loop's pulse, the request's line, and how long it may block the loop, in
    /// nanoseconds.
    final var pulse: LoopPulse?
    final var line = UnsafeRawBufferPointer(start: nil, count: 0)
    final var allowance: Int64 = 0

    nonisolated(unsafe) private static var type: NativeType?

    private static let receive = NativeFunction("receive") { me, _, _ in
        cpython_called()
        defer { cpython_returning() }
        return me.flatMap(NativeCall.of)?.receive()
    }
    private static let send = NativeFunction("send") { me, arguments, count in
        cpython_called()
        defer { cpython_returning() }
        guard count == 1, let arguments else {
            Py.raise(PyExc_TypeError(), "send() takes one event")
            return nil
        }
        return me.flatMap(NativeCall.of)?.send(arguments[0])
    }

    deinit {
        // Released with the Python object, that is: inside the interpreter.
        Py_DecRef(coroutine)
        Py_DecRef(task)
        if let beginning {
            Py_DecRef(beginning.application)
            Py_DecRef(beginning.scope)
        }
    }

    /// Makes the Python type, once. The interpreter is entered.
    static func prepare(_ header: Int) throws(PythonError) {
        guard type == nil else { return }
        var slots = NativeType.Slots()
        slots.await = { Py.new($0) }
        slots.iterator = { Py.new($0) }
        slots.next = { me in
            cpython_called()
            defer { cpython_returning() }
            return NativeCall.of(me)?.seen { $0.step(me) }
        }
        slots.methods = [
            // What makes asyncio take it for a coroutine; tasks use the iterator and `throw`.
            NativeFunction("send") { me, _, _ in
                cpython_called()
                defer { cpython_returning() }
                guard let me, let call = NativeCall.of(me) else { return nil }
                let yielded = call.seen { $0.step(me) }
                if yielded == nil, PyErr_Occurred() == nil { PyErr_SetNone(PyExc_StopIteration()) }
                return yielded
            },
            NativeFunction("throw") { me, arguments, count in
                cpython_called()
                defer { cpython_returning() }
                let yielded = me.flatMap(NativeCall.of)?.seen { $0.raise(arguments, count) }
                if yielded == nil, PyErr_Occurred() == nil { PyErr_SetNone(PyExc_StopIteration()) }
                return yielded
            },
            NativeFunction("close") { _, _, _ in Py.none },
        ]
        type = try NativeType("_portico.Call", header: header, slots) { NativeCall.type?.free($0) }
    }

    private static func of(_ instance: OpaquePointer) -> NativeCall? { type?.object(of: instance, as: NativeCall.self) }

    /// The coroutine object that calls `application` with `scope`, whose reference is taken over; nil with an exception
    /// set.
    static func make(_ call: NativeCall, _ application: OpaquePointer, _ scope: OpaquePointer) -> OpaquePointer? {
        call.beginning = (Py.new(application), scope)
        return type?.make(call)
    }

    /// Runs `body`, in which Python's code is run, so that the watchdog sees whose it is.
    @inline(__always)
    private func seen(_ body: (NativeCall) -> OpaquePointer?) -> OpaquePointer? {
        guard let pulse else { return body(self) }
        // A loop that runs by itself is at rest, as far as is known, when it is not here.
        let wasWorking = pulse.value & 1 == 1
        pulse.beat()
        pulse.allow(allowance)
        let before = ThreadWork.begin(line)
        defer {
            before.restore()
            pulse.allow(0)
            if wasWorking { pulse.beat() } else { pulse.rest() }
        }
        return body(self)
    }

    /// Takes over the reference to the task that runs it, which may have ended already.
    final func keep(_ task: OpaquePointer) {
        if beginning == nil, coroutine == nil { Py_DecRef(task) } else { self.task = task }
    }

    private func letGoOfTask() {
        Py_DecRef(task)
        task = nil
    }

    /// Cancels the task; a stack of where it waits is the result, or nil when it does not wait.
    final func cancel(_ module: OpaquePointer) -> String? {
        defer { PyErr_Clear() }
        var stack: String?
        if let coroutine, let function = PyObject_GetAttrString(module, "await_stack") {
            stack = PyObject_CallOneArg(function, coroutine).flatMap(Py.consumeText)
            Py_DecRef(function)
            PyErr_Clear()
        }
        if let task, let cancel = PyObject_GetAttrString(task, "cancel") {
            Py_DecRef(PyObject_CallNoArgs(cancel))
            Py_DecRef(cancel)
        }
        return stack
    }

    // MARK: The coroutine

    /// Runs the application up to where it waits next, and returns what it waits for; at its end nil, with the exception
    /// set that is to end the task, if any.
    private func step(_ me: OpaquePointer) -> OpaquePointer? {
        if let (application, scope) = beginning {
            beginning = nil
            defer {
                Py_DecRef(application)
                Py_DecRef(scope)
            }
            coroutine = begin(me, application, scope)
            if coroutine == nil { return failed() }
        }
        guard let coroutine else { return nil }
        var result: OpaquePointer?
        switch PyIter_Send(coroutine, _Py_NoneStruct(), &result) {
        case Int32(PYGEN_NEXT): return result
        case Int32(PYGEN_RETURN):
            Py_DecRef(result)
            return returned()
        default: return failed()
        }
    }

    /// Calls the application. The result is what `await` would iterate.
    private func begin(_ me: OpaquePointer, _ application: OpaquePointer, _ scope: OpaquePointer) -> OpaquePointer? {
        guard let receive = Self.receive.bound(to: me) else { return nil }
        defer { Py_DecRef(receive) }
        guard let send = Self.send.bound(to: me) else { return nil }
        defer { Py_DecRef(send) }
        let result: OpaquePointer? = withUnsafeTemporaryAllocation(of: OpaquePointer?.self, capacity: 4) { arguments in
            // The place before the first argument belongs to the callee.
            arguments[0] = nil
            arguments[1] = scope
            arguments[2] = receive
            arguments[3] = send
            return PyObject_Vectorcall(
                application, arguments.baseAddress.map { $0 + 1 }, cpython_arguments_offset(3), nil)
        }
        guard let result, !Py.isExactly(result, PyCoro_Type()) else { return result }
        defer { Py_DecRef(result) }
        guard let method = PyObject_GetAttrString(result, "__await__") else {
            PyErr_Clear()
            Py.raise(PyExc_TypeError(), "the ASGI application returned something that cannot be awaited")
            return nil
        }
        defer { Py_DecRef(method) }
        return PyObject_CallNoArgs(method)
    }

    /// The coroutine has returned.
    private func returned() -> OpaquePointer? {
        Py_DecRef(coroutine)
        coroutine = nil
        letGoOfTask()
        ended(nil)
        return nil
    }

    /// The coroutine has raised what is set: it is reported, and ends the task only when it is a cancellation.
    private func failed() -> OpaquePointer? {
        Py_DecRef(coroutine)
        coroutine = nil
        letGoOfTask()
        var type: OpaquePointer?
        var value: OpaquePointer?
        var trace: OpaquePointer?
        PyErr_Fetch(&type, &value, &trace)
        PyErr_NormalizeException(&type, &value, &trace)
        if let value, let trace { _ = PyException_SetTraceback(value, trace) }
        if let value {
            ended(value)
            if !Py.isInstance(value, PyExc_Exception()), let type, isCancellation(type) {
                PyErr_Restore(type, value, trace)
                return nil
            }
        }
        for reference in [type, value, trace] { Py_DecRef(reference) }
        return nil
    }

    private func isCancellation(_ type: OpaquePointer) -> Bool {
        let name = Py.attribute(type, "__name__").flatMap(Py.consumeText)
        return name == "CancelledError" || name == "GeneratorExit"
    }

    /// `throw`: a task is cancelled.
    private func raise(_ arguments: UnsafePointer<OpaquePointer>?, _ count: Int) -> OpaquePointer? {
        guard let coroutine, let method = PyObject_GetAttrString(coroutine, "throw") else {
            // Cancelled before its first step.
            guard let arguments, count > 0, let type = PyObject_Type(arguments[0]) else { return nil }
            PyErr_SetObject(type, arguments[0])
            Py_DecRef(type)
            return failed()
        }
        defer { Py_DecRef(method) }
        if let yielded = PyObject_Vectorcall(
            method, UnsafePointer(arguments.map { UnsafeRawPointer($0).assumingMemoryBound(to: OpaquePointer?.self) }),
            count, nil)
        {
            return yielded
        }
        guard PyErr_ExceptionMatches(PyExc_StopIteration()) != 0 else { return failed() }
        PyErr_Clear()
        _ = returned()
        PyErr_SetNone(PyExc_StopIteration())
        return nil
    }

    // MARK: What it does

    /// `receive()`: an awaitable of the next event; nil with an exception set.
    func receive() -> OpaquePointer? { nil }
    /// `send(event)`: an awaitable that is done when the connection has taken it; nil with an exception set.
    func send(_ event: OpaquePointer) -> OpaquePointer? { nil }
    /// The application returned, or raised `error` (borrowed). Called once.
    func ended(_ error: OpaquePointer?) {}
}
