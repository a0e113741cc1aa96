import CPython

/// Small steps over CPython's functions. The interpreter is entered wherever they are called; a returned pointer is a
/// reference that the caller owns, unless it says "borrowed".
enum Py {
    /// A result, or the exception that is set.
    @inline(__always)
    static func check(_ result: OpaquePointer?) throws(PythonError) -> OpaquePointer {
        guard let result else { throw PythonError.take() }
        return result
    }

    /// For functions that return -1 when they have set an exception.
    @inline(__always)
    static func check(_ result: Int32) throws(PythonError) {
        if result < 0 { throw PythonError.take() }
    }

    /// A new reference to `object`.
    @inline(__always)
    static func new(_ object: OpaquePointer) -> OpaquePointer {
        Py_IncRef(object)
        return object
    }

    /// A new reference to `None`.
    static var none: OpaquePointer { new(_Py_NoneStruct()) }

    /// Whether `object` is `None`.
    @inline(__always)
    static func isNone(_ object: OpaquePointer) -> Bool { object == _Py_NoneStruct() }

    /// A new reference to `True` or `False`.
    static func bool(_ value: Bool) -> OpaquePointer { new(value ? _Py_TrueStruct() : _Py_FalseStruct()) }

    /// Whether the type of `object` is exactly `type`.
    @inline(__always)
    static func isExactly(_ object: OpaquePointer, _ type: OpaquePointer) -> Bool {
        cpython_is_exactly(object, type) != 0
    }

    /// Whether `object` is an instance of `type` or of a subclass.
    static func isInstance(_ object: OpaquePointer, _ type: OpaquePointer) -> Bool {
        isExactly(object, type) || PyObject_IsInstance(object, type) == 1
    }

    /// The attribute, or nil with the exception cleared.
    static func attribute(_ object: OpaquePointer, _ name: String) -> OpaquePointer? {
        guard let value = PyObject_GetAttrString(object, name) else {
            PyErr_Clear()
            return nil
        }
        return value
    }

    // MARK: Text and bytes

    /// A `str`.
    static func text(_ text: String) -> OpaquePointer? {
        var text = text
        return text.withUTF8 { utf8 in
            utf8.withMemoryRebound(to: CChar.self) { PyUnicode_FromStringAndSize($0.baseAddress, $0.count) }
        }
    }

    /// A `str` of the code points U+0000 to U+00FF that the bytes stand for, as PEP 3333 has it.
    @inline(__always)
    static func latin1(_ bytes: UnsafeRawBufferPointer) -> OpaquePointer? {
        PyUnicode_DecodeLatin1(bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, nil)
    }

    /// A `bytes`.
    @inline(__always)
    static func bytes(_ bytes: UnsafeRawBufferPointer) -> OpaquePointer? {
        PyBytes_FromStringAndSize(bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
    }

    /// The UTF-8 of a `str`, valid as long as the object; nil with an exception set when it is none or holds lone surrogates.
    @inline(__always)
    static func utf8(_ object: OpaquePointer) -> UnsafeRawBufferPointer? {
        var count = 0
        guard let bytes = PyUnicode_AsUTF8AndSize(object, &count) else { return nil }
        return UnsafeRawBufferPointer(start: bytes, count: count)
    }

    /// The content of a `bytes`, valid as long as the object; nil with an exception set when it is none.
    @inline(__always)
    static func content(_ object: OpaquePointer) -> UnsafeRawBufferPointer? {
        var start: UnsafeMutablePointer<CChar>?
        var count = 0
        guard PyBytes_AsStringAndSize(object, &start, &count) == 0, let start else { return nil }
        return UnsafeRawBufferPointer(start: start, count: count)
    }

    /// The text of a `str`; nil, with the exception cleared, for anything else.
    static func string(_ object: OpaquePointer) -> String? {
        guard let utf8 = utf8(object) else {
            PyErr_Clear()
            return nil
        }
        return String(decoding: utf8, as: UTF8.self)
    }

    /// ``string(_:)`` of a reference that ends here.
    static func consumeText(_ object: OpaquePointer) -> String? {
        defer { Py_DecRef(object) }
        return string(object)
    }

    // MARK: Calls

    /// Calls `function`; arguments stay the caller's.
    @inline(__always)
    static func call(_ function: OpaquePointer, _ first: OpaquePointer, _ second: OpaquePointer) -> OpaquePointer? {
        withUnsafeTemporaryAllocation(of: OpaquePointer?.self, capacity: 3) { arguments in
            // The place before the first argument belongs to the callee.
            arguments[0] = nil
            arguments[1] = first
            arguments[2] = second
            return PyObject_Vectorcall(
                function, arguments.baseAddress.map { $0 + 1 }, cpython_arguments_offset(2), nil)
        }
    }

    /// Calls `function` with any number of arguments, which stay the caller's.
    static func call(_ function: OpaquePointer, _ arguments: [OpaquePointer]) -> OpaquePointer? {
        let arguments: [OpaquePointer?] = [nil] + arguments
        return arguments.withUnsafeBufferPointer { buffer in
            PyObject_Vectorcall(
                function, buffer.baseAddress.map { $0 + 1 }, cpython_arguments_offset(buffer.count - 1), nil)
        }
    }

    /// Calls the function `name` of a module with nothing, for its effect.
    static func run(_ module: OpaquePointer, _ name: String) throws(PythonError) {
        Py_DecRef(try value(module, name))
    }

    /// What the function `name` of a module returns.
    static func value(_ module: OpaquePointer, _ name: String) throws(PythonError) -> OpaquePointer {
        let function = try check(PyObject_GetAttrString(module, name))
        defer { Py_DecRef(function) }
        return try check(PyObject_CallNoArgs(function))
    }

    /// Calls the function `name` of a module with one text or bytes, which end here.
    static func run(
        _ module: OpaquePointer, _ name: String, _ argument: OpaquePointer?
    ) throws(PythonError) {
        let argument = try check(argument)
        defer { Py_DecRef(argument) }
        let function = try check(PyObject_GetAttrString(module, name))
        defer { Py_DecRef(function) }
        Py_DecRef(try check(PyObject_CallOneArg(function, argument)))
    }

    /// Sets an exception for the Python code that called us.
    static func raise(_ type: OpaquePointer, _ message: String) {
        PyErr_SetString(type, message)
    }
}
