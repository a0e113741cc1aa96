import CPython
public import Gateway
import Synchronization

/// A Python application behind the WSGI gateway (PEP 3333): `environ` becomes a `dict`, `start_response` a callable, and
/// what the application returns a body that is iterated as the connection takes it.
public final class PythonWSGIApplication: WSGIApplication, @unchecked Sendable {
    // Sendable: what is not constant is touched inside the interpreter only, under its lock or, where it has none, under
    // `lock`.
    private let interpreter: Interpreter
    private let application: PythonObject
    private let types: WSGITypes
    private let environ: EnvironBuilder
    private let lock = Mutex(())

    /// Serves `application`, which ``Interpreter/load(module:callable:directory:)`` gave.
    public init(
        _ application: PythonObject, in interpreter: Interpreter, isMultithreaded: Bool, isMultiprocess: Bool
    ) throws(PythonError) {
        self.interpreter = interpreter
        self.application = application
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
        try interpreter.enter {
            let call = WSGICall(startResponse, earlyHints: environ.earlyHints)
            let instance = try Py.check(types.instance(call))
            defer { Py_DecRef(instance) }
            let dictionary = try Py.check(makeDictionary(environ, instance))
            defer { Py_DecRef(dictionary) }
            let callable = try Py.check(types.startResponse(instance))
            defer { Py_DecRef(callable) }
            guard let result = Py.call(application.pointer, dictionary, callable) else {
                throw call.failure(PythonError.take())
            }
            return try body(result, call)
        }
    }

    private func makeDictionary(_ environ: Environ, _ call: OpaquePointer) -> OpaquePointer? {
        guard interpreter.installation.isFreeThreaded else { return self.environ.dictionary(for: environ, call) }
        let call = PythonObject(call)
        return lock.withLock { _ in self.environ.dictionary(for: environ, call.pointer).map(PythonObject.init) }?
            .pointer
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
