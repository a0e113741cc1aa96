import CPython
import Gateway
import Logging
import NIOCore

/// What an application returned, iterated as the connection takes it, closed once.
final class PythonBody: LendingBody {
    private let interpreter: Interpreter
    private let call: WSGICall
    private let iterator: OpaquePointer
    private let closing: PythonClose
    /// The first piece, until it is asked for.
    private var first: OpaquePointer?
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
            first = try Self.next(iterator, call)
            isAtEnd = first == nil
            let content = try first.map(Self.content(of:))
            let isWhole = !call.hasWritten && content?.count == call.contentLength
            whole = isWhole ? content.map { ByteBuffer(bytes: $0) } : nil
        } catch {
            Py_DecRef(first)
            Py_DecRef(iterator)
            closing()
            throw error
        }
    }

    func next() throws -> ByteBuffer? {
        var copy: ByteBuffer?
        return try lend { copy = ByteBuffer(bytes: $0) } ? copy : nil
    }

    func lend(_ take: (UnsafeRawBufferPointer) throws -> Void) throws -> Bool {
        guard !isAtEnd else { return false }
        return try interpreter.enter {
            guard let piece = try takeFirst() ?? Self.next(iterator, call) else {
                isAtEnd = true
                return false
            }
            defer { Py_DecRef(piece) }
            try take(Self.content(of: piece))
            return true
        }
    }

    private func takeFirst() -> OpaquePointer? {
        defer { first = nil }
        return first
    }

    func close() {
        interpreter.enter {
            Py_DecRef(takeFirst())
            Py_DecRef(iterator)
            closing()
        }
    }

    /// The next piece, as a reference that the caller owns; nil at the end.
    private static func next(_ iterator: OpaquePointer, _ call: WSGICall) throws -> OpaquePointer? {
        let piece = PyIter_Next(iterator)
        if piece == nil, PyErr_Occurred() != nil { throw call.failure(PythonError.take()) }
        return piece
    }

    /// What is in a piece, which must be `bytes`: no encoding is guessed.
    private static func content(of piece: OpaquePointer) throws(PythonError) -> UnsafeRawBufferPointer {
        guard Py.isInstance(piece, PyBytes_Type()), let content = Py.content(piece) else {
            PyErr_Clear()
            Py.raise(PyExc_TypeError(), "the application's iterable yielded something else than bytes")
            throw PythonError.take()
        }
        return content
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
            buffer.writeBytes(try content(of: piece))
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
