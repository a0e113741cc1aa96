import CPython
import Logging
import Synchronization

/// What Python code prints, logs or warns about goes to our log, line by line.
enum StandardStreams {
    private static let logger = Mutex<Logger?>(nil)

    /// `write(level, text)`: one record. Called by the streams of the process module.
    static let write = NativeFunction("write") { _, arguments, count in
        guard count == 2, let arguments, let text = Py.utf8(arguments[1]) else { return nil }
        let level = PyLong_AsLongLong(arguments[0])
        let message = String(decoding: text, as: UTF8.self)
        let logger = StandardStreams.logger.withLock { $0 }
        // Another thread may run Python while this one waits for a slow log.
        Interpreter.leave { logger?.log(level: Logger.Level(python: level), "\(message)") }
        return Py.none
    }

    /// Puts the streams in place. The interpreter is entered.
    static func redirect(_ process: OpaquePointer, logger: Logger) throws(PythonError) {
        var logger = logger
        logger[metadataKey: "source"] = "python"
        StandardStreams.logger.withLock { [logger] in $0 = logger }
        try Py.run(process, "redirect_output")
    }
}

extension Logger.Level {
    /// From the numbers of Python's `logging`.
    fileprivate init(python level: Int64) {
        self =
            switch level {
            case ..<10: .trace
            case ..<20: .debug
            case ..<30: .info
            case ..<40: .warning
            case ..<50: .error
            default: .critical
            }
    }
}
