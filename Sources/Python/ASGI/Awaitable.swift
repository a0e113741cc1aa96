import CPython

/// What `receive()` and `send()` return: an awaitable with a value that is there, or one that is still to come.
///
/// It has the methods of a coroutine, so that `asyncio.create_task(receive())` and `wait_for` take it as one.
final class Awaitable {
    private enum State {
        /// Owned.
        case value(OpaquePointer)
        /// An exception to raise: owned.
        case error(OpaquePointer)
        case waiting
        /// Cancelled, or its value was taken.
        case spent
    }

    private let loop: GuestLoop
    private var state: State
    /// What a task waits for, once one does: owned.
    private var future: OpaquePointer?

    nonisolated(unsafe) private static var type: NativeType?

    private init(_ loop: GuestLoop, _ state: State) {
        self.loop = loop
        self.state = state
    }

    deinit {
        // Released with the Python object, that is: inside the interpreter.
        switch state {
        case .value(let object), .error(let object): Py_DecRef(object)
        case .waiting, .spent: break
        }
        Py_DecRef(future)
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
            return Awaitable.of(me)?.next()
        }
        slots.methods = [
            NativeFunction("send") { me, _, _ in
                cpython_called()
                defer { cpython_returning() }
                guard let awaitable = me.flatMap(Awaitable.of) else { return nil }
                if let yielded = awaitable.next() { return yielded }
                if PyErr_Occurred() == nil { PyErr_SetNone(PyExc_StopIteration()) }
                return nil
            },
            NativeFunction("throw") { me, arguments, count in
                cpython_called()
                defer { cpython_returning() }
                me.flatMap(Awaitable.of)?.cancel()
                guard let arguments, count > 0 else { return nil }
                // Either an exception alone, or a type with value and traceback.
                let value = count > 1 && !Py.isNone(arguments[1]) ? arguments[1] : arguments[0]
                if count > 1, !Py.isInstance(value, PyExc_BaseException()) {
                    PyErr_SetObject(arguments[0], value)
                } else if Py.isInstance(value, PyExc_BaseException()) {
                    guard let type = PyObject_Type(value) else { return nil }
                    PyErr_SetObject(type, value)
                    Py_DecRef(type)
                } else {
                    PyErr_SetNone(value)
                }
                return nil
            },
            NativeFunction("close") { me, _, _ in
                cpython_called()
                defer { cpython_returning() }
                me.flatMap(Awaitable.of)?.cancel()
                return Py.none
            },
        ]
        type = try NativeType("_portico.Awaitable", header: header, slots) { Awaitable.type?.free($0) }
    }

    private static func of(_ instance: OpaquePointer) -> Awaitable? { type?.object(of: instance, as: Awaitable.self) }

    /// The Python object of a value that is there. Takes over the reference; nil with an exception set.
    static func ready(_ value: OpaquePointer?, _ loop: GuestLoop) -> OpaquePointer? {
        guard let value else { return nil }
        return type?.make(Awaitable(loop, .value(value)))
    }

    /// One whose value is still to come, and its Python object; nil with an exception set.
    static func waiting(_ loop: GuestLoop) -> (awaitable: Awaitable, object: OpaquePointer)? {
        let awaitable = Awaitable(loop, .waiting)
        return type?.make(awaitable).map { (awaitable, $0) }
    }

    /// Whether somebody may still want the value.
    var isWaiting: Bool {
        if case .waiting = state { return true }
        return false
    }

    /// Gives it its value. Takes over the reference. The interpreter is entered.
    func resolve(_ value: OpaquePointer) { settle(.value(value)) }

    /// Makes it raise `error`. Takes over the reference. The interpreter is entered.
    func reject(_ error: OpaquePointer) { settle(.error(error)) }

    private func settle(_ outcome: State) {
        guard isWaiting else { return }
        state = outcome
        if let future { loop.wake(future) }
    }

    private func cancel() {
        if isWaiting { state = .spent }
    }

    /// The iterator protocol: yields the future to wait for, or ends with the value.
    private func next() -> OpaquePointer? {
        switch state {
        case .value(let value):
            state = .spent
            defer { Py_DecRef(value) }
            if !Py.isNone(value) { PyErr_SetObject(PyExc_StopIteration(), value) }
            return nil
        case .error(let error):
            state = .spent
            defer { Py_DecRef(error) }
            if let type = PyObject_Type(error) {
                PyErr_SetObject(type, error)
                Py_DecRef(type)
            }
            return nil
        case .waiting:
            if future == nil { future = loop.makeFuture() }
            guard let future, loop.markBlocking(future) else { return nil }
            return Py.new(future)
        case .spent:
            Py.raise(PyExc_RuntimeError(), "cannot reuse an awaitable that was awaited")
            return nil
        }
    }
}
