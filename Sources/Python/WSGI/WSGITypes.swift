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
    private let methods: [String: OpaquePointer]
    private var addresses = AddressTexts()

    private static let startResponse = NativeFunction("start_response") { me, arguments, count in
        cpython_called()
        defer { cpython_returning() }
        return me.flatMap(WSGICall.of)?.startResponse(arguments, count, me)
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
        var methods: [String: OpaquePointer] = [:]
        for name in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"] {
            methods[name] = try Py.check(PyUnicode_InternFromString(name))
        }
        self.methods = methods
    }

    func baseEnviron(isMultithreaded: Bool, isMultiprocess: Bool) -> OpaquePointer? {
        Py.call(
            makeBase, isMultithreaded ? _Py_TrueStruct() : _Py_FalseStruct(),
            isMultiprocess ? _Py_TrueStruct() : _Py_FalseStruct())
    }

    func method(_ method: HTTP.Method) -> OpaquePointer? {
        let name = method.name
        return methods[name].map(Py.new) ?? Py.text(name)
    }

    /// The callable `start_response` of one call.
    func startResponse(_ instance: OpaquePointer) -> OpaquePointer? { Self.startResponse.bound(to: instance) }

    /// The Python object that carries `call`.
    func instance(_ call: WSGICall) -> OpaquePointer? { callType.make(call) }

    /// `wsgi.input`: a `BytesIO` of a body that is there, else a buffered stream over what is still to come.
    func input(_ input: any WSGIInput) -> OpaquePointer? {
        guard !input.isComplete else {
            guard input.count > 0 else { return PyObject_CallNoArgs(bytesIO) }
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

    /// Host and port as texts; borrowed until the next call.
    func address(_ address: SocketAddress?, isLocal: Bool) -> AddressTexts.Pair? {
        addresses.pair(address, isLocal: isLocal)
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

/// The texts of a connection's two ends: the local one hardly ever changes, the remote one is the same for all requests of a
/// connection.
struct AddressTexts {
    struct Pair {
        let host: OpaquePointer
        let port: OpaquePointer
    }

    private var local: (address: SocketAddress?, pair: Pair)?
    private var remote: (address: SocketAddress?, pair: Pair)?

    /// Borrowed until the next call; nil with an exception set.
    mutating func pair(_ address: SocketAddress?, isLocal: Bool) -> Pair? {
        let known = isLocal ? local : remote
        if let known, known.address == address { return known.pair }
        // Never empty on this side (PEP 3333), also on a Unix socket.
        let host = address?.ipAddress ?? (isLocal ? "localhost" : "")
        let port = address?.port.map { String($0) } ?? (isLocal ? "80" : "")
        guard let hostText = Py.text(host), let portText = Py.text(port) else { return nil }
        if let known {
            Py_DecRef(known.pair.host)
            Py_DecRef(known.pair.port)
        }
        let pair = Pair(host: hostText, port: portText)
        if isLocal { local = (address, pair) } else { remote = (address, pair) }
        return pair
    }
}
