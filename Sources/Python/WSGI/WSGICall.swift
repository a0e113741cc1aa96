import CPython
import Gateway
import HTTP
import NIOCore

/// One call of a WSGI application: its `start_response` and `write` (PEP 3333, "The start_response() Callable").
/// Confined to the thread of the call.
final class WSGICall {
    private let startResponse: Gateway.StartResponse
    private var send: ((ByteBuffer) throws -> Void)?
    private var isDisconnected = false
    /// Whether `start_response` was called, also when that raised.
    private var wasCalled = false
    private let earlyHints: @Sendable (Fields) -> Void
    /// What `start_response` was given as `Content-Length`.
    private(set) var contentLength: Int?
    private(set) var hasWritten = false

    nonisolated(unsafe) private static var type: NativeType?

    private static let write = NativeFunction("write") { me, arguments, count in
        cpython_called()
        defer { cpython_returning() }
        return me.flatMap(WSGICall.of)?.write(arguments, count)
    }

    init(_ startResponse: Gateway.StartResponse, earlyHints: @escaping @Sendable (Fields) -> Void) {
        self.startResponse = startResponse
        self.earlyHints = earlyHints
    }

    /// The Python type that carries a call, made once.
    static func type(_ header: Int) throws(PythonError) -> NativeType {
        if let type { return type }
        let made = try NativeType("_portico.Call", header: header, NativeType.Slots()) { WSGICall.type?.free($0) }
        type = made
        return made
    }

    static func of(_ instance: OpaquePointer) -> WSGICall? { type?.object(of: instance, as: WSGICall.self) }

    /// What is to be said of an exception that left the application.
    func failure(_ error: PythonError) -> any Error { isDisconnected ? WSGIError.disconnected : error }

    // MARK: start_response(status, headers, exc_info=None)

    func startResponse(
        _ arguments: UnsafePointer<OpaquePointer>?, _ count: Int, _ me: OpaquePointer?
    ) -> OpaquePointer? {
        guard let arguments, count == 2 || count == 3 else {
            Py.raise(PyExc_TypeError(), "start_response() takes 2 or 3 arguments (\(count) given)")
            return nil
        }
        let exception = count == 3 && !Py.isNone(arguments[2]) ? arguments[2] : nil
        guard !wasCalled || exception != nil else {
            Py.raise(PyExc_AssertionError(), WSGIHead.explain(WSGIError.responseAlreadyStarted))
            return nil
        }
        wasCalled = true
        guard let status = WSGIHead.status(arguments[0]), let fields = WSGIHead.fields(arguments[1], &contentLength)
        else { return nil }
        do {
            send = try startResponse(status, fields, error: exception.map { _ in WSGIError.responseAlreadyStarted })
        } catch {
            if let exception { raise(exception) } else { Py.raise(PyExc_AssertionError(), WSGIHead.explain(error)) }
            return nil
        }
        return Self.write.bound(to: me)
    }

    /// Raises what the application passed as `exc_info`, as the headers are out already.
    private func raise(_ exception: OpaquePointer) {
        guard PyTuple_Size(exception) == 3, let type = PyTuple_GetItem(exception, 0),
            let value = PyTuple_GetItem(exception, 1), let trace = PyTuple_GetItem(exception, 2)
        else {
            PyErr_Clear()
            return Py.raise(PyExc_TypeError(), "exc_info must be a tuple of three")
        }
        PyErr_Restore(Py.new(type), Py.new(value), Py.isNone(trace) ? nil : Py.new(trace))
    }

    // MARK: wsgi.early_hints(headers)

    private func earlyHints(_ arguments: UnsafePointer<OpaquePointer>?, _ count: Int) -> OpaquePointer? {
        guard let arguments, count == 1 else {
            Py.raise(PyExc_TypeError(), "wsgi.early_hints() takes one argument")
            return nil
        }
        var length: Int?
        guard let fields = WSGIHead.fields(arguments[0], &length) else { return nil }
        earlyHints(fields)
        return Py.none
    }

    /// `wsgi.early_hints`, bound to the object that carries a call.
    static let earlyHints = NativeFunction("early_hints") { me, arguments, count in
        cpython_called()
        defer { cpython_returning() }
        return me.flatMap(WSGICall.of)?.earlyHints(arguments, count)
    }

    // MARK: write(bytes)

    private func write(_ arguments: UnsafePointer<OpaquePointer>?, _ count: Int) -> OpaquePointer? {
        guard let arguments, count == 1, let send else {
            Py.raise(PyExc_TypeError(), "write() takes one argument")
            return nil
        }
        guard Py.isInstance(arguments[0], PyBytes_Type()), let bytes = Py.content(arguments[0]) else {
            PyErr_Clear()
            Py.raise(PyExc_TypeError(), "write() argument must be bytes")
            return nil
        }
        hasWritten = true
        let buffer = ByteBuffer(bytes: bytes)
        let failure: (any Error)? = Interpreter.leave {
            do {
                try send(buffer)
                return nil
            } catch {
                return error
            }
        }
        guard let failure else { return Py.none }
        isDisconnected = failure as? WSGIError == .disconnected
        Py.raise(PyExc_ConnectionError(), WSGIHead.explain(failure))
        return nil
    }
}
