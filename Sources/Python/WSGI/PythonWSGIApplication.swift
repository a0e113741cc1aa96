import CPython
public import Gateway
import NIOCore
import Synchronization

/// A Python application behind the WSGI gateway (PEP 3333): `environ` becomes a `dict`, `start_response` a callable, and
/// what the application returns a body that is iterated as the connection takes it.
public final class PythonWSGIApplication: WSGIApplication, @unchecked Sendable {
    // Sendable: what is not constant is touched inside the interpreter only, under its lock or, where it has none, under
    // `lock`.

    /// Bodies up to this size are copied into a buffer that is used again for the next.
    private static let smallBody = 16 * 1024

    private let interpreter: Interpreter
    private let application: PythonObject
    private let types: WSGITypes
    private let environ: EnvironBuilder
    private let heads: HeadCache<WSGIHeadKind>
    private let lock = Mutex(())
    private let hasLock: Bool
    /// The last call and its body's buffer, to be used again when nobody kept them.
    private var spareCall: WSGICall?
    private var spareBody = ByteBuffer()
    package let lease: ThreadLease?

    /// Serves `application`, which ``Interpreter/load(module:callable:directory:)`` gave.
    public init(
        _ application: PythonObject, in interpreter: Interpreter, isMultithreaded: Bool, isMultiprocess: Bool
    ) throws(PythonError) {
        self.interpreter = interpreter
        self.application = application
        hasLock = !interpreter.installation.isFreeThreaded
        heads = HeadCache(isUsed: hasLock)
        lease = hasLock ? interpreter.lease : nil
        let made: Result<(WSGITypes, EnvironBuilder), PythonError> = interpreter.enter {
            do throws(PythonError) {
                let types = try WSGITypes(interpreter)
                return .success(
                    (types, try EnvironBuilder(types, isMultithreaded: isMultithreaded, isMultiprocess: isMultiprocess))
                )
            } catch {
                return .failure(error)
            }
        }
        (types, environ) = try made.get()
    }

    public func callAsFunction(_ environ: Environ, _ startResponse: Gateway.StartResponse) throws -> any WSGIBody {
        let request = WSGIRequest(
            environ.request, environ.connection, scriptName: environ.scriptName, pathInfo: environ.pathInfo,
            input: environ.input)
        return try interpreter.enter {
            let call = WSGICall(startResponse, earlyHints: environ.earlyHints, heads)
            return try body(try result(request, call), call)
        }
    }

    /// Calls the application: what it returned, as a reference that the caller owns. The interpreter is entered.
    private func result(_ request: WSGIRequest, _ call: WSGICall) throws -> OpaquePointer {
        let instance = try Py.check(types.instance(call))
        defer { Py_DecRef(instance) }
        let dictionary = try Py.check(makeDictionary(request, instance))
        defer { Py_DecRef(dictionary) }
        guard let result = Py.call(application.pointer, dictionary, instance) else {
            throw call.failure(PythonError.take())
        }
        return result
    }

    private func makeDictionary(_ request: WSGIRequest, _ call: OpaquePointer) -> OpaquePointer? {
        guard !hasLock else { return environ.dictionary(for: request, call) }
        let call = PythonObject(call)
        return lock.withLock { _ in environ.dictionary(for: request, call.pointer).map(PythonObject.init) }?.pointer
    }

    /// Takes over the reference to `result`.
    private func body(_ result: OpaquePointer, _ call: WSGICall) throws -> any WSGIBody {
        do throws(PythonError) {
            if let joined = try PythonBody.joined(result) {
                Py_DecRef(result)
                return WholeBody(joined)
            }
        } catch {
            Py_DecRef(result)
            throw error
        }
        if let file = types.file(result) {
            Py_DecRef(result)
            return file
        }
        return try PythonBody(result, call, interpreter)
    }
}

extension PythonWSGIApplication: DirectWSGIApplication {
    package func callAsFunction(_ request: WSGIRequest, _ reply: WSGIReply) throws -> (any WSGIBody)? {
        if let loop = reply.loop { interpreter.enter(forTheTurnOf: loop) }
        return try interpreter.enter {
            var call = takeCall(reply)
            defer { giveBack(&call) }
            let result = try result(request, call)
            guard let head = call.returned() else { return try body(result, call) }
            if let content = PythonBody.single(result) {
                if respond(reply, head, content) {
                    Py_DecRef(result)
                    return nil
                }
            }
            do {
                try reply.response.begin(head)
            } catch {
                Py_DecRef(result)
                throw error
            }
            return try body(result, call)
        }
    }

    package func interrupt(_ work: PooledWork) { interpreter.raiseTimeout(in: work) }

    package func disarm(_ work: PooledWork) { interpreter.forgetTimeout(of: work) }

    private func respond(_ reply: WSGIReply, _ head: WSGIResponseHead, _ content: UnsafeRawBufferPointer) -> Bool {
        guard hasLock, content.count <= Self.smallBody else { return reply.respond(head, ByteBuffer(bytes: content)) }
        // Out of the property, so that the buffer is this one's alone.
        var buffer = spareBody
        spareBody = ByteBuffer()
        buffer.clear()
        buffer.writeBytes(content)
        defer { spareBody = buffer }
        return reply.respond(head, buffer)
    }

    private func takeCall(_ reply: WSGIReply) -> WSGICall {
        guard let call = spareCall else { return WSGICall(reply, heads) }
        spareCall = nil
        call.reset(reply)
        return call
    }

    /// The call is over for the application, unless it, or a body that is still to be sent, has kept it.
    private func giveBack(_ call: inout WSGICall) {
        guard hasLock, isKnownUniquelyReferenced(&call) else { return }
        call.reset(nil)
        spareCall = call
    }
}
