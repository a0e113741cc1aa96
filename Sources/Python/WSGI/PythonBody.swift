import CPython
import Gateway
import Logging
import NIOCore

/// What an application returned, iterated as the connection takes it, closed once.
final class PythonBody: WSGIBody {
    private let interpreter: Interpreter
    private let call: WSGICall
    private let iterator: OpaquePointer
    private let closing: PythonClose
    private var first: ByteBuffer?
    private var isAtEnd = false
    /// The whole body, when its first piece has all the bytes that `Content-Length` announced.
    let whole: ByteBuffer?

    /// Takes over the reference to `result`; the interpreter is entered.
    init(_ result: OpaquePointer, _ call: WSGICall, _ interpreter: Interpreter) throws {
        self.interpreter = interpreter
        self.call = call
        closing = PythonClose(result, interpreter)
        do {
            iterator = try Py.check(PyObject_GetIter(result))
        } catch {
            closing()
            throw error
        }
        do {
            // PEP 3333: `start_response` may be called as late as here.
            let first = try Self.next(iterator, call)
            isAtEnd = first == nil
            self.first = first
            whole = !call.hasWritten && first.map { $0.readableBytes == call.contentLength } == true ? first : nil
        } catch {
            Py_DecRef(iterator)
            closing()
            throw error
        }
    }

    func next() throws -> ByteBuffer? {
        if let piece = first {
            first = nil
            return piece
        }
        guard !isAtEnd else { return nil }
        return try interpreter.enter { try Self.next(iterator, call) }
    }

    func close() {
        interpreter.enter {
            Py_DecRef(iterator)
            closing()
        }
    }

    private static func next(_ iterator: OpaquePointer, _ call: WSGICall) throws -> ByteBuffer? {
        guard let piece = PyIter_Next(iterator) else {
            if PyErr_Occurred() != nil { throw call.failure(PythonError.take()) }
            return nil
        }
        defer { Py_DecRef(piece) }
        return try bytes(of: piece)
    }

    /// A copy of a piece, which must be `bytes`: no encoding is guessed.
    fileprivate static func bytes(of piece: OpaquePointer) throws(PythonError) -> ByteBuffer {
        guard Py.isInstance(piece, PyBytes_Type()), let content = Py.content(piece) else {
            PyErr_Clear()
            Py.raise(PyExc_TypeError(), "the application's iterable yielded something else than bytes")
            throw PythonError.take()
        }
        return ByteBuffer(bytes: content)
    }

    /// The content of the one `bytes` in a list or tuple, valid as long as `result`; nil for everything else.
    @inline(__always)
    static func single(_ result: OpaquePointer) -> UnsafeRawBufferPointer? {
        let piece: OpaquePointer?
        if Py.isExactly(result, PyList_Type()) {
            guard PyList_Size(result) == 1 else { return nil }
            piece = PyList_GetItem(result, 0)
        } else if Py.isExactly(result, PyTuple_Type()) {
            guard PyTuple_Size(result) == 1 else { return nil }
            piece = PyTuple_GetItem(result, 0)
        } else {
            return nil
        }
        guard let piece, Py.isExactly(piece, PyBytes_Type()) else { return nil }
        return Py.content(piece)
    }

    /// The joined pieces of a list or tuple, which are all there; nil for other iterables.
    static func joined(_ result: OpaquePointer) throws(PythonError) -> ByteBuffer? {
        let isList = Py.isExactly(result, PyList_Type())
        guard isList || Py.isExactly(result, PyTuple_Type()) else { return nil }
        let count = isList ? PyList_Size(result) : PyTuple_Size(result)
        var buffer = ByteBuffer()
        for index in 0..<count {
            guard let piece = isList ? PyList_GetItem(result, index) : PyTuple_GetItem(result, index) else { break }
            var bytes = try bytes(of: piece)
            if index == 0 { buffer = bytes } else { buffer.writeBuffer(&bytes) }
        }
        return buffer
    }
}

/// Ends what an application returned: calls its `close`, if it has one, and lets go of it.
final class PythonClose: @unchecked Sendable {
    // Sendable: the reference is touched inside the interpreter only, once.
    private let interpreter: Interpreter
    private var object: OpaquePointer?

    /// Takes over the reference to `object`.
    init(_ object: OpaquePointer, _ interpreter: Interpreter) {
        self.object = object
        self.interpreter = interpreter
    }

    func callAsFunction() {
        interpreter.enter {
            guard let object else { return }
            self.object = nil
            defer { Py_DecRef(object) }
            guard let close = Py.attribute(object, "close") else { return }
            defer { Py_DecRef(close) }
            if let result = PyObject_CallNoArgs(close) {
                Py_DecRef(result)
            } else {
                let error = PythonError.take()
                interpreter.logger.error("close() of a response body failed: \(error.traceback)")
            }
        }
    }
}
