import CPython

/// The awaitable of everything that is done already: it has no state, so there is one for all.
enum CompletedAwaitable {
    private final class Nothing {}

    nonisolated(unsafe) private static var type: NativeType?

    /// Nil with an exception set.
    static func make(_ header: Int) -> OpaquePointer? {
        if type == nil {
            var slots = NativeType.Slots()
            slots.await = { Py.new($0) }
            slots.iterator = { Py.new($0) }
            // At its end at once, with the value None.
            slots.next = { _ in nil }
            slots.methods = [
                NativeFunction("send") { _, _, _ in
                    PyErr_SetNone(PyExc_StopIteration())
                    return nil
                },
                NativeFunction("throw") { _, arguments, count in
                    if let arguments, count > 0, let type = PyObject_Type(arguments[0]) {
                        PyErr_SetObject(type, arguments[0])
                        Py_DecRef(type)
                    }
                    return nil
                },
                NativeFunction("close") { _, _, _ in Py.none },
            ]
            type = try? NativeType("_portico.Completed", header: header, slots) { CompletedAwaitable.type?.free($0) }
        }
        return type?.make(Nothing())
    }
}
