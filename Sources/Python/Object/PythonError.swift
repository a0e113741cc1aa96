import CPython

/// An exception that Python code raised, as text: nothing of it is kept alive.
public struct PythonError: Error, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
    /// The name of the exception's type, as `ModuleNotFoundError`.
    public let type: String
    /// `str()` of the exception.
    public let message: String
    /// What Python's own `traceback` prints of it, chained exceptions included.
    public let traceback: String
    /// Where it was raised: the exception itself, then what led to it.
    public let chain: [Link]
    /// Whether it is what an application is made to leave by when its time is over.
    let isTimeout: Bool

    /// One exception of a chain.
    public struct Link: Sendable {
        /// How it came from the next of the chain.
        public let relation: Relation?
        /// What it says, with its type.
        public let description: String
        /// The innermost first.
        public fileprivate(set) var frames: [Frame] = []
    }

    /// How one exception comes from another.
    public enum Relation: String, Sendable {
        /// `raise … from …`
        case cause
        /// Raised while the other was handled.
        case context
    }

    /// A place that the exception went through.
    public struct Frame: Sendable {
        public let file: String
        public let line: Int
        /// Empty where the file could not even be compiled.
        public let function: String
    }

    /// `ValueError: wrong`
    public var description: String { message.isEmpty ? type : "\(type): \(message)" }
    /// The traceback.
    public var debugDescription: String { traceback }

    init(type: String, message: String, traceback: String, chain: [Link] = [], isTimeout: Bool = false) {
        self.chain = chain
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
            type: name, message: message,
            traceback: Self.ask("format_exception", of: value).flatMap(Py.consumeText) ?? "\(name): \(message)",
            chain: Self.ask("describe_chain", of: value).map(Self.chain) ?? [],
            isTimeout: RequestTimeout.isOne(value))
        PyErr_Clear()
    }

    /// What the function of that name says of an exception: a reference that the caller owns.
    private static func ask(_ name: String, of exception: OpaquePointer) -> OpaquePointer? {
        defer { PyErr_Clear() }
        guard let support = PyImport_ImportModule("_portico_support") else { return nil }
        defer { Py_DecRef(support) }
        guard let function = Py.attribute(support, name) else { return nil }
        defer { Py_DecRef(function) }
        return PyObject_CallOneArg(function, exception)
    }

    /// Reads what `describe_chain` returns; the reference ends here.
    private static func chain(_ list: OpaquePointer) -> [Link] {
        defer { Py_DecRef(list) }
        var texts = (0..<PyList_Size(list)).map { PyList_GetItem(list, $0).flatMap(Py.string) ?? "?" }[...]
        var chain: [Link] = []
        while let kind = texts.popFirst() {
            if kind == "error", let relation = texts.popFirst(), let description = texts.popFirst() {
                chain.append(Link(relation: Relation(rawValue: relation), description: description))
            } else if kind == "frame", let file = texts.popFirst(), let line = texts.popFirst().flatMap({ Int($0) }),
                let function = texts.popFirst(), !chain.isEmpty
            {
                chain[chain.count - 1].frames.append(Frame(file: file, line: line, function: function))
            }
        }
        return chain
    }
}
