import CPython

/// One call of an application, as Python sees it: the object behind `receive` and `send`, and what is told of its end.
class NativeCall {
    nonisolated(unsafe) private static var type: NativeType?

    static let receive = NativeFunction("receive") { me, _, _ in
        cpython_called()
        defer { cpython_returning() }
        return me.flatMap(NativeCall.of)?.receive()
    }
    static let send = NativeFunction("send") { me, arguments, count in
        cpython_called()
        defer { cpython_returning() }
        guard count == 1, let arguments else {
            Py.raise(PyExc_TypeError(), "send() takes one event")
            return nil
        }
        return me.flatMap(NativeCall.of)?.send(arguments[0])
    }

    /// Makes the Python type, once. The interpreter is entered.
    static func prepare(_ header: Int) throws(PythonError) {
        guard type == nil else { return }
        var slots = NativeType.Slots()
        slots.methods = [
            NativeFunction("ended") { me, arguments, count in
                cpython_called()
                defer { cpython_returning() }
                guard count == 1, let arguments else { return nil }
                me.flatMap(NativeCall.of)?.ended(Py.isNone(arguments[0]) ? nil : arguments[0])
                return Py.none
            }
        ]
        type = try NativeType("_portico.Call", header: header, slots) { NativeCall.type?.free($0) }
    }

    private static func of(_ instance: OpaquePointer) -> NativeCall? { type?.object(of: instance, as: NativeCall.self) }

    static func make(_ call: NativeCall) -> OpaquePointer? { type?.make(call) }

    /// `receive()`: an awaitable of the next event; nil with an exception set.
    func receive() -> OpaquePointer? { nil }
    /// `send(event)`: an awaitable that is done when the connection has taken it; nil with an exception set.
    func send(_ event: OpaquePointer) -> OpaquePointer? { nil }
    /// The application returned, or raised `error` (borrowed).
    func ended(_ error: OpaquePointer?) {}
}
