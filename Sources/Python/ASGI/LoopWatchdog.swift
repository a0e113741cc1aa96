import CPython
import Glibc
import Logging
import Platform
import Synchronization

/// Notices a callback that blocks the guest loop, and says where it stands and how long it took.
final class LoopWatchdog: Sendable {
    /// What blocks for longer is named in the log.
    private static let limit: UInt64 = 200_000_000
    /// How often the loop is looked at, in microseconds.
    private static let interval: UInt32 = 100_000

    private let interpreter: Interpreter
    private let module: PythonObject
    private let logger: Logger
    /// When the loop's thread entered the interpreter, in nanoseconds; 0 while it is outside.
    private let since = Atomic<UInt64>(0)
    private let depth = Atomic<Int>(0)
    private let reported = Atomic<UInt64>(0)
    private let isStopped = Atomic(false)

    init(_ interpreter: Interpreter, module: PythonObject, logger: Logger) {
        self.interpreter = interpreter
        self.module = module
        self.logger = logger
    }

    /// Begins to watch the calling thread, whose Python identity is `thread`.
    func start(thread: UInt) throws(SystemError) {
        try DedicatedThread.start(name: "watchdog", stackSize: 1024 * 1024) { [self] in
            while !isStopped.load(ordering: .relaxed) {
                usleep(Self.interval)
                look(thread)
            }
        }
    }

    func stop() { isStopped.store(true, ordering: .relaxed) }

    @inline(__always)
    func entered() {
        if depth.wrappingAdd(1, ordering: .relaxed).oldValue == 0 { since.store(Self.now, ordering: .relaxed) }
    }

    @inline(__always)
    func left() {
        guard depth.wrappingSubtract(1, ordering: .relaxed).newValue == 0 else { return }
        let begun = since.exchange(0, ordering: .relaxed)
        if reported.load(ordering: .relaxed) == begun, begun != 0 {
            logger.warning("the event loop was blocked for \(Self.seconds(Self.now - begun)) s in all")
        }
    }

    private func look(_ thread: UInt) {
        let begun = since.load(ordering: .relaxed)
        guard begun != 0, reported.load(ordering: .relaxed) != begun, Self.now - begun > Self.limit else { return }
        // Waits until the interpreter's lock can be had: C code that keeps it is only seen when it has given it up.
        let stack = interpreter.enter { () -> String? in
            guard since.load(ordering: .relaxed) == begun,
                let function = PyObject_GetAttrString(module.pointer, "stack"),
                let number = PyLong_FromLongLong(Int64(bitPattern: UInt64(thread)))
            else { return nil }
            defer {
                Py_DecRef(function)
                Py_DecRef(number)
                PyErr_Clear()
            }
            return PyObject_CallOneArg(function, number).flatMap(Py.consumeText)
        }
        guard let stack, since.load(ordering: .relaxed) == begun else { return }
        reported.store(begun, ordering: .relaxed)
        logger.warning(
            "the event loop has been blocked for \(Self.seconds(Self.now - begun)) s; nothing else is served meanwhile\n\(stack)"
        )
    }

    private static var now: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    private static func seconds(_ nanoseconds: UInt64) -> String {
        let hundredths = nanoseconds / 10_000_000
        return "\(hundredths / 100).\(hundredths % 100 < 10 ? "0" : "")\(hundredths % 100)"
    }
}
