import CPython

/// The Python half of the adapters: what is shorter and clearer in Python, compiled in from `Scripts`.
enum SupportModule {
    /// Runs the script as module `_portico_support` and returns the module. The interpreter is entered.
    static func load() throws(PythonError) -> OpaquePointer {
        let source = String(decoding: PackageResources.portico_support_py, as: UTF8.self)
        // Borrowed: sys.modules holds it.
        let module = try Py.check(PyImport_AddModule("_portico_support"))
        let globals = try Py.check(PyModule_GetDict(module))
        let builtins = try Py.check(PyImport_ImportModule("builtins"))
        defer { Py_DecRef(builtins) }
        try Py.check(PyDict_SetItemString(globals, "__builtins__", builtins))
        let code = try Py.check(Py_CompileString(source, "<portico>", Int32(Py_file_input)))
        defer { Py_DecRef(code) }
        Py_DecRef(try Py.check(PyEval_EvalCode(code, globals, globals)))
        return Py.new(module)
    }
}
