import CPython
import Gateway
import Glibc
import HTTP
import NIOCore

/// The Python objects that the WSGI adapter makes for each request, and what they are made from.
final class WSGITypes {
    private let interpreter: Interpreter
    private let callType: NativeType
    private let inputType: NativeType
    private let bytesIO: OpaquePointer
    private let requestBody: OpaquePointer
    private let fileWrapper: OpaquePointer
    private let makeBase: OpaquePointer
    private let methods: Methods

    /// The names of the methods that need no making.
    private struct Methods {
        let get, head, post, put, delete, options, patch: OpaquePointer

        init() throws(PythonError) {
            func text(_ text: String) throws(PythonError) -> OpaquePointer {
                try Py.check(PyUnicode_InternFromString(text))
            }
            get = try text("GET")
            head = try text("HEAD")
            post = try text("POST")
            put = try text("PUT")
            delete = try text("DELETE")
            options = try text("OPTIONS")
            patch = try text("PATCH")
        }
    }

    private static let read = NativeFunction("read") { me, arguments, count in
        cpython_called()
        defer { cpython_returning() }
        return me.flatMap(InputBox.of)?.read(arguments, count)
    }

    /// The interpreter is entered.
    init(_ interpreter: Interpreter) throws(PythonError) {
        self.interpreter = interpreter
        func support(_ name: String) throws(PythonError) -> OpaquePointer {
            try Py.check(PyObject_GetAttrString(interpreter.support.pointer, name))
        }
        callType = try WSGICall.type(interpreter.headerSize)
        inputType = try InputBox.type(interpreter.headerSize)
        bytesIO = try support("BytesIO")
        requestBody = try support("RequestBody")
        fileWrapper = try support("FileWrapper")
        makeBase = try support("base_environ")
        methods = try Methods()
    }

    func baseEnviron(isMultithreaded: Bool, isMultiprocess: Bool) -> OpaquePointer? {
        Py.call(
            makeBase, isMultithreaded ? _Py_TrueStruct() : _Py_FalseStruct(),
            isMultiprocess ? _Py_TrueStruct() : _Py_FalseStruct())
    }

    func method(_ method: HTTP.Method) -> OpaquePointer? {
        switch method {
        case .get: Py.new(methods.get)
        case .head: Py.new(methods.head)
        case .post: Py.new(methods.post)
        case .put: Py.new(methods.put)
        case .delete: Py.new(methods.delete)
        case .options: Py.new(methods.options)
        case .patch: Py.new(methods.patch)
        case .connect, .trace, .other: Py.text(method.name)
        }
    }

    /// The Python object that carries `call`.
    func instance(_ call: WSGICall) -> OpaquePointer? { callType.make(call) }

    /// `wsgi.input`: a `BytesIO` of a body that is there, else a buffered stream over what is still to come.
    func input(_ input: any WSGIInput) -> OpaquePointer? {
        guard !input.isComplete else {
            guard let buffer = try? input.read(nil), let bytes = buffer.withUnsafeReadableBytes(Py.bytes) else {
                return nil
            }
            defer { Py_DecRef(bytes) }
            return PyObject_CallOneArg(bytesIO, bytes)
        }
        guard let box = inputType.make(InputBox(input)) else { return nil }
        defer { Py_DecRef(box) }
        guard let read = Self.read.bound(to: box) else { return nil }
        defer { Py_DecRef(read) }
        return PyObject_CallOneArg(requestBody, read)
    }

    /// The open file behind a `wsgi.file_wrapper` that can be sent by the kernel: a regular file, from its current
    /// position; nil for everything else.
    func file(_ result: OpaquePointer) -> FileBody? {
        guard Py.isExactly(result, fileWrapper), let file = Py.attribute(result, "filelike") else { return nil }
        defer { Py_DecRef(file) }
        let descriptor = PyObject_AsFileDescriptor(file)
        guard descriptor >= 0, let name = Py.text("tell") else {
            PyErr_Clear()
            return nil
        }
        defer { Py_DecRef(name) }
        var arguments: OpaquePointer? = file
        guard let position = PyObject_VectorcallMethod(name, &arguments, 1, nil) else {
            PyErr_Clear()
            return nil
        }
        defer { Py_DecRef(position) }
        let offset = PyLong_AsLongLong(position)
        var status = stat()
        guard offset >= 0, fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            PyErr_Clear()
            return nil
        }
        let own = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
        guard own >= 0 else { return nil }
        return FileBody(
            takingOwnershipOf: own, offset: Int(offset), count: max(0, Int(status.st_size) - Int(offset)),
            whenClosed: PythonClose(Py.new(result), interpreter).callAsFunction)
    }
}
