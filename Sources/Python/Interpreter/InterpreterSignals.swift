import CPython
import Logging

// Signals that are not the server's own are the application's. CPython notes them wherever they arrive and calls their
// handlers on the main thread, the next time it runs Python there. That thread usually waits for connections: CPython
// writes a byte into a pipe for each signal, which the main thread's event loop reads.
extension Interpreter {
    /// Begins to take notice of signals. The result is the reading end of the pipe, the caller's to watch and to close;
    /// what comes out of it goes to ``handleSignals(_:)``. Called once, on the main thread.
    public func takeSignals() throws(PythonError) -> Int32 {
        let result: Result<Int32, PythonError> = enter {
            do throws(PythonError) {
                let function = try Py.check(PyObject_GetAttrString(process.pointer, "take_signals"))
                defer { Py_DecRef(function) }
                let number = try Py.check(PyObject_CallNoArgs(function))
                defer { Py_DecRef(number) }
                return .success(Int32(truncatingIfNeeded: PyLong_AsLongLong(number)))
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }

    /// Calls the application's handlers for the signals that have come; `numbers` is what the pipe said. On the main thread.
    public func handleSignals(_ numbers: [UInt8]) {
        enter {
            if PyErr_CheckSignals() < 0 {
                logger.error("a signal handler failed: \(PythonError.take().traceback)")
            }
            do throws(PythonError) {
                try Py.run(process.pointer, "pass_signals_on", numbers.withUnsafeBytes(Py.bytes))
            } catch {
                logger.error("a signal handler failed: \(error.traceback)")
            }
        }
    }

    /// Says on which sockets the server accepts: a process that the application forks gives them up, and the connections
    /// accepted from them.
    public func setListeners(_ descriptors: [Int32]) {
        cpython_set_listeners(descriptors, Int32(descriptors.count))
    }
}
