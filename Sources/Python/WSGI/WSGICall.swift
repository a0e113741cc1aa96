import CPython
import Gateway
import HTTP
import NIOCore

/// One call of a WSGI application: its `start_response` (PEP 3333, "The start_response() Callable"), what that returns, and
/// `wsgi.early_hints`. To Python they are one object, made once a request: with two or three arguments it is
/// `start_response`, with one of `bytes` it is `write`, with a list it is `early_hints`.
///
/// Confined to the thread of the call.
final class WSGICall {
    private enum Target {
        case reply(WSGIReply)
        case gateway(Gateway.StartResponse, earlyHints: @Sendable (Fields) -> Void)
    }

    /// Nil between two requests.
    private var target: Target?
    private let heads: HeadCache<WSGIHeadKind>
    /// What `start_response` was given while the application was called, and the response has not been told: a whole one
    /// never is.
    private var pending: WSGIResponseHead?
    private var hasReturned = false
    /// `write`, of the gateway's `start_response`.
    private var send: ((ByteBuffer) throws -> Void)?
    private var isDisconnected = false
    /// Whether `start_response` was called, also when that raised.
    private var wasCalled = false
    /// What `start_response` was given as `Content-Length`.
    private(set) var contentLength: Int?
    private(set) var hasWritten = false

    nonisolated(unsafe) private static var type: NativeType?

    init(_ reply: WSGIReply, _ heads: HeadCache<WSGIHeadKind>) {
        target = .reply(reply)
        self.heads = heads
    }

    init(
        _ startResponse: Gateway.StartResponse, earlyHints: @escaping @Sendable (Fields) -> Void,
        _ heads: HeadCache<WSGIHeadKind>
    ) {
        target = .gateway(startResponse, earlyHints: earlyHints)
        self.heads = heads
    }

    /// To be used for another request, or, with nil, to let go of the last.
    func reset(_ reply: WSGIReply?) {
        target = reply.map(Target.reply)
        pending = nil
        hasReturned = false
        isDisconnected = false
        wasCalled = false
        contentLength = nil
        hasWritten = false
    }

    /// The Python type that carries a call, made once.
    static func type(_ header: Int) throws(PythonError) -> NativeType {
        if let type { return type }
        let slots = NativeType.Slots(
            call: { me, arguments, count, names in
                cpython_called()
                defer { cpython_returning() }
                // The highest bit says that the place before the arguments may be used (PEP 590).
                return WSGICall.of(me)?.called(me, arguments, count & Int.max, names)
            })
        let made = try NativeType("_portico.StartResponse", header: header, slots) { WSGICall.type?.free($0) }
        type = made
        return made
    }

    @inline(__always)
    static func of(_ instance: OpaquePointer) -> WSGICall? { type?.object(of: instance, as: WSGICall.self) }

    /// What is to be said of an exception that left the application.
    func failure(_ error: PythonError) -> any Error {
        if error.isTimeout { return WSGIError.interrupted }
        return isDisconnected ? WSGIError.disconnected : error
    }

    /// The application has returned: the head of a response of which nothing was written yet.
    func returned() -> WSGIResponseHead? {
        hasReturned = true
        return takePending()
    }

    private func takePending() -> WSGIResponseHead? {
        defer { pending = nil }
        return pending
    }

    private func called(
        _ me: OpaquePointer, _ arguments: UnsafePointer<OpaquePointer>?, _ count: Int, _ names: OpaquePointer?
    ) -> OpaquePointer? {
        guard names.map({ PyTuple_Size($0) == 0 }) ?? true else {
            Py.raise(PyExc_TypeError(), "start_response() takes no keyword arguments")
            return nil
        }
        guard let arguments, 1...3 ~= count else {
            Py.raise(PyExc_TypeError(), "start_response() takes 2 or 3 arguments (\(count) given)")
            return nil
        }
        if count > 1 {
            let exception = count == 3 && !Py.isNone(arguments[2]) ? arguments[2] : nil
            return startResponse(arguments[0], arguments[1], exception) ? Py.new(me) : nil
        }
        return Py.isInstance(arguments[0], PyList_Type()) ? earlyHints(arguments[0]) : write(arguments[0])
    }

    // MARK: start_response(status, headers, exc_info=None)

    private func startResponse(
        _ status: OpaquePointer, _ headers: OpaquePointer, _ exception: OpaquePointer?
    ) -> Bool {
        let isFirst = !wasCalled
        guard isFirst || exception != nil else {
            Py.raise(PyExc_AssertionError(), WSGIHead.explain(WSGIError.responseAlreadyStarted))
            return false
        }
        wasCalled = true
        guard let head = WSGIHead.head(status, headers, heads) else { return false }
        contentLength = head.length
        if case .reply = target, isFirst, exception == nil, !hasReturned {
            pending = head
            return true
        }
        do {
            try begin(head, exception.map { _ in WSGIError.responseAlreadyStarted })
            return true
        } catch {
            if let exception { raise(exception) } else { Py.raise(PyExc_AssertionError(), WSGIHead.explain(error)) }
            return false
        }
    }

    private func begin(_ head: WSGIResponseHead, _ error: (any Error)?) throws {
        switch target {
        case .reply(let reply):
            try settle()
            try reply.response.begin(head, error)
        case .gateway(let startResponse, _):
            send = try startResponse(head.head.status, head.head.fields, error: error)
        case nil: break
        }
    }

    /// Tells the response what `start_response` was given.
    private func settle() throws {
        if let head = takePending(), case .reply(let reply) = target { try reply.response.begin(head) }
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

    private func earlyHints(_ headers: OpaquePointer) -> OpaquePointer? {
        guard let fields = WSGIHead.fields(headers) else { return nil }
        switch target {
        case .reply(let reply): reply.inform(fields)
        case .gateway(_, let earlyHints): earlyHints(fields)
        case nil: break
        }
        return Py.none
    }

    // MARK: write(bytes)

    private func write(_ data: OpaquePointer) -> OpaquePointer? {
        guard wasCalled else {
            Py.raise(PyExc_TypeError(), "start_response() takes 2 or 3 arguments (1 given)")
            return nil
        }
        guard Py.isInstance(data, PyBytes_Type()), let bytes = Py.content(data) else {
            PyErr_Clear()
            Py.raise(PyExc_TypeError(), "write() argument must be bytes")
            return nil
        }
        hasWritten = true
        let buffer = ByteBuffer(bytes: bytes)
        let failure: (any Error)? = Interpreter.leave {
            do {
                try write(buffer)
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

    private func write(_ bytes: ByteBuffer) throws {
        switch target {
        case .reply(let reply):
            try settle()
            try reply.response.write(bytes)
        case .gateway: try send?(bytes)
        case nil: break
        }
    }
}
