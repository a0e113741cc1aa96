import CPython

/// The Python half of the adapters: what is shorter and clearer in Python, compiled in from `Scripts`.
enum SupportModule {
    /// The module for everything but ASGI. The interpreter is entered.
    static func load() throws(PythonError) -> OpaquePointer {
        try run(PackageResources.portico_support_py, as: "_portico_support")
    }

    /// The module that deals with the process: output, signals, forks, the end. The interpreter is entered.
    static func process() throws(PythonError) -> OpaquePointer {
        try run(PackageResources.portico_process_py, as: "_portico_process")
    }

    /// The module with the guest loop. The interpreter is entered.
    static func asgi() throws(PythonError) -> OpaquePointer {
        try run(PackageResources.portico_asgi_py, as: "_portico_asgi")
    }

    private static func run(_ source: [UInt8], as name: String) throws(PythonError) -> OpaquePointer {
        // Borrowed: sys.modules holds it.
        let module = try Py.check(PyImport_AddModule(name))
        let globals = try Py.check(PyModule_GetDict(module))
        let builtins = try Py.check(PyImport_ImportModule("builtins"))
        defer { Py_DecRef(builtins) }
        try Py.check(PyDict_SetItemString(globals, "__builtins__", builtins))
        let text = String(decoding: source, as: UTF8.self)
        let code = try Py.check(Py_CompileString(text, "<portico>", Int32(Py_file_input)))
        defer { Py_DecRef(code) }
        Py_DecRef(try Py.check(PyEval_EvalCode(code, globals, globals)))
        return Py.new(module)
    }
}
