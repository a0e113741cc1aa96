import CPython
import Gateway
import NIOCore

/// What is under `wsgi.input` while the body is still arriving: reads wait, with the interpreter's lock given up.
final class InputBox {
    private let input: any WSGIInput

    nonisolated(unsafe) private static var type: NativeType?

    init(_ input: any WSGIInput) { self.input = input }

    /// The Python type, made once.
    static func type(_ header: Int) throws(PythonError) -> NativeType {
        if let type { return type }
        let made = try NativeType("_portico.Input", header: header, NativeType.Slots()) { InputBox.type?.free($0) }
        type = made
        return made
    }

    static func of(_ instance: OpaquePointer) -> InputBox? { type?.object(of: instance, as: InputBox.self) }

    /// `read(size)`
    func read(_ arguments: UnsafePointer<OpaquePointer>?, _ count: Int) -> OpaquePointer? {
        guard count == 1, let arguments else {
            Py.raise(PyExc_TypeError(), "read() takes one argument")
            return nil
        }
        let size = PyLong_AsLongLong(arguments[0])
        guard PyErr_Occurred() == nil else { return nil }
        let result: Result<ByteBuffer, any Error> = Interpreter.leave {
            Result { try input.readAvailable(upTo: Int(clamping: size)) }
        }
        switch result {
        case .success(let bytes): return bytes.withUnsafeReadableBytes(Py.bytes)
        case .failure(let error):
            Py.raise(PyExc_ConnectionError(), "the request body is incomplete: \(error)")
            return nil
        }
    }
}
