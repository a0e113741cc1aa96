import CPython

/// An exception that Python code raised, as text: nothing of it is kept alive.
public struct PythonError: Error, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    /// The name of the exception's type, as `ModuleNotFoundError`.
    public let type: String
    /// `str()` of the exception.
    public let message: String
    /// What Python's own `traceback` prints of it, chained exceptions included.
    public let traceback: String
    /// Whether it is what an application is made to leave by when its time is over.
    let isTimeout: Bool

    /// `ValueError: wrong`
    public var description: String { message.isEmpty ? type : "\(type): \(message)" }
    /// The traceback.
    public var debugDescription: String { traceback }

    init(type: String, message: String, traceback: String, isTimeout: Bool = false) {
        self.isTimeout = isTimeout
        self.type = type
        self.message = message
        self.traceback = traceback
    }

    /// Takes the exception that is set on this thread; the interpreter is entered.
    static func take() -> PythonError {
        var type: OpaquePointer?
        var value: OpaquePointer?
        var trace: OpaquePointer?
        PyErr_Fetch(&type, &value, &trace)
        PyErr_NormalizeException(&type, &value, &trace)
        defer { for reference in [type, value, trace] { Py_DecRef(reference) } }
        guard type != nil, let value else {
            return PythonError(type: "SystemError", message: "no exception was set", traceback: "")
        }
        if let trace { _ = PyException_SetTraceback(value, trace) }
        return PythonError(describing: value)
    }

    /// What an exception object says. The interpreter is entered, and no exception is set.
    init(describing value: OpaquePointer) {
        let type = PyObject_Type(value)
        defer { Py_DecRef(type) }
        let name = type.flatMap { Py.attribute($0, "__name__") }.flatMap(Py.consumeText) ?? "Exception"
        let message = PyObject_Str(value).flatMap(Py.consumeText) ?? ""
        // Whatever failed on the way to a description is of no interest.
        PyErr_Clear()
        self.init(
            type: name, message: message, traceback: Self.format(value) ?? "\(name): \(message)",
            isTimeout: RequestTimeout.isOne(value))
    }

    private static func format(_ exception: OpaquePointer) -> String? {
        defer { PyErr_Clear() }
        guard let support = PyImport_ImportModule("_portico_support") else { return nil }
        defer { Py_DecRef(support) }
        guard let function = Py.attribute(support, "format_exception") else { return nil }
        defer { Py_DecRef(function) }
        return PyObject_CallOneArg(function, exception).flatMap(Py.consumeText)
    }
}
