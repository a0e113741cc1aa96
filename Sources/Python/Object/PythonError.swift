import CPython

/// An exception that Python code raised, as text: nothing of it is kept alive.
public struct PythonError: Error, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    /// The name of the exception's type, as `ModuleNotFoundError`.
    public let type: String
    /// `str()` of the exception.
    public let message: String
    /// What Python's own `traceback` prints of it, chained exceptions included.
    public let traceback: String

    /// `ValueError: wrong`
    public var description: String { message.isEmpty ? type : "\(type): \(message)" }
    /// The traceback.
    public var debugDescription: String { traceback }

    init(type: String, message: String, traceback: String) {
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
        guard let type, let value else {
            return PythonError(type: "SystemError", message: "no exception was set", traceback: "")
        }
        if let trace { _ = PyException_SetTraceback(value, trace) }
        let name = Py.attribute(type, "__name__").flatMap(Py.consumeText) ?? "Exception"
        let message = PyObject_Str(value).flatMap(Py.consumeText) ?? ""
        // Whatever failed on the way to a description is of no interest.
        PyErr_Clear()
        return PythonError(type: name, message: message, traceback: format(value) ?? "\(name): \(message)")
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
