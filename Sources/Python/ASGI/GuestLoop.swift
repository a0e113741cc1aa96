import CPython
import Gateway
import Logging
import NIOCore
import Platform
import Synchronization

/// An asyncio loop as a guest of an event loop: both share one thread. Its callbacks run in turns, which are asked for when
/// something is ready, when the next timer is due, and when a descriptor of the application's became ready.
///
/// Everything but ``wake()`` is called on the event loop.
final class GuestLoop {
    let eventLoop: any EventLoop
    /// Of ``eventLoop``.
    let pulse: LoopPulse?
    let interpreter: Interpreter
    private let logger: Logger
    /// The Python objects: the loop, its bound methods, and its queue of ready callbacks.
    private let loop, createFuture, scheduledName, setResultName, doneName: OpaquePointer
    /// Nil when the loop runs by itself.
    private let turnMethod, readyQueue: OpaquePointer?
    private let blockingName: OpaquePointer
    let tasks: TaskStarter
    let clientDisconnected: OpaquePointer
    let module: OpaquePointer
    private let waker: Waker
    private var isTurnScheduled = false
    private var timer: (deadline: NIODeadline, task: Scheduled<Void>)?
    private var timerCount = 0
    private(set) var isClosed = false
    /// How many applications live on it.
    private var users = 1

    /// The guest of the interpreter's main thread, once there is one: all applications of a worker share it.
    nonisolated(unsafe) private static weak var guest: GuestLoop?

    /// A loop for one more application. As ``init(on:_:running:logger:)``.
    static func shared(
        on eventLoop: any EventLoop, _ interpreter: Interpreter, running: RunningLoop?, logger: Logger
    ) throws(PythonError) -> GuestLoop {
        guard running == nil else {
            return try GuestLoop(on: eventLoop, interpreter, running: running, logger: logger)
        }
        if let guest, guest.eventLoop === eventLoop, !guest.isClosed {
            guest.users += 1
            return guest
        }
        let made = try GuestLoop(on: eventLoop, interpreter, running: nil, logger: logger)
        guest = made
        return made
    }

    /// A guest on the calling thread, which is `eventLoop`'s; or, with `running`, a loop that runs there by itself. The
    /// interpreter is entered.
    private init(
        on eventLoop: any EventLoop, _ interpreter: Interpreter, running: RunningLoop?, logger: Logger
    ) throws(PythonError) {
        self.eventLoop = eventLoop
        pulse = (eventLoop as? any WatchedLoop)?.pulse
        self.interpreter = interpreter
        self.logger = logger
        let module = try SupportModule.asgi()
        self.module = module
        func attribute(_ object: OpaquePointer, _ name: String) throws(PythonError) -> OpaquePointer {
            try Py.check(PyObject_GetAttrString(object, name))
        }
        func name(_ text: String) throws(PythonError) -> OpaquePointer {
            try Py.check(PyUnicode_InternFromString(text))
        }
        try Awaitable.prepare(interpreter.headerSize)
        waker = Waker(eventLoop, logger: logger)
        if let running {
            loop = Py.new(running.object.pointer)
            turnMethod = nil
            readyQueue = nil
        } else {
            let host = try Py.check(Waker.object(waker, interpreter.headerSize))
            defer { Py_DecRef(host) }
            let type = try attribute(module, "GuestLoop")
            defer { Py_DecRef(type) }
            loop = try Py.check(PyObject_CallOneArg(type, host))
            turnMethod = try attribute(loop, "turn")
            readyQueue = try attribute(loop, "_ready")
            let begin = try attribute(loop, "begin")
            defer { Py_DecRef(begin) }
            Py_DecRef(try Py.check(PyObject_CallNoArgs(begin)))
        }
        createFuture = try attribute(loop, "create_future")
        scheduledName = try name("_scheduled")
        setResultName = try name("set_result")
        doneName = try name("done")
        blockingName = try name("_asyncio_future_blocking")
        clientDisconnected = try attribute(module, "ClientDisconnected")
        tasks = try TaskStarter(loop, module, isGuest: running == nil, header: interpreter.headerSize)
        let registry = try Py.value(module, "task_registry")
        defer { Py_DecRef(registry) }
        if !Py.isNone(registry) { try TaskRegistry.adopt(registry, interpreter.headerSize) }
        waker.loop = self
    }

    // MARK: Turns

    /// Runs `body` inside the interpreter, and afterwards sees to what it left to be done.
    @inline(__always)
    func enter<T>(_ body: () throws -> T) rethrows -> T {
        // A loop that runs by itself is inside already.
        if turnMethod != nil { interpreter.enter(forTheTurnOf: eventLoop) }
        cpython_enter(interpreter.statePointer)
        defer {
            lookForWork()
            cpython_leave()
        }
        return try body()
    }

    /// Asks for a turn when callbacks are ready or timers were added. The interpreter is entered.
    private func lookForWork() {
        guard let readyQueue, !isTurnScheduled, !isClosed else { return }
        if PyObject_Size(readyQueue) > 0 || countTimers() > timerCount { scheduleTurn() }
    }

    private func countTimers() -> Int {
        guard let scheduled = PyObject_GetAttr(loop, scheduledName) else {
            PyErr_Clear()
            return 0
        }
        defer { Py_DecRef(scheduled) }
        return PyList_Size(scheduled)
    }

    func scheduleTurn() {
        guard !isTurnScheduled, !isClosed else { return }
        isTurnScheduled = true
        eventLoop.assumeIsolated().execute { self.turn() }
    }

    /// A turn because a descriptor is ready.
    func turnNow() { turn() }

    private func turn() {
        isTurnScheduled = false
        guard !isClosed else { return }
        cpython_enter(interpreter.statePointer)
        let delay = runOnce()
        timerCount = countTimers()
        cpython_leave()
        if delay == 0 { scheduleTurn() } else { setTimer(delay) }
    }

    private func runOnce() -> Double {
        guard let turnMethod else { return -1 }
        guard let result = PyObject_CallNoArgs(turnMethod) else {
            let error = PythonError.take()
            logger.error("a callback ended the turn of the event loop\n\(error.traceback)")
            return 0
        }
        defer { Py_DecRef(result) }
        return PyFloat_AsDouble(result)
    }

    private func setTimer(_ delay: Double) {
        guard delay > 0 else {
            timer?.task.cancel()
            timer = nil
            return
        }
        // Rounded up: a turn that comes too early would find nothing due.
        let deadline = NIODeadline.now() + .nanoseconds(Int64(min(delay, 86_400) * 1_000_000_000) + 50_000)
        if let timer, timer.deadline <= deadline, timer.deadline > NIODeadline.now() { return }
        timer?.task.cancel()
        let task = eventLoop.assumeIsolated().scheduleTask(deadline: deadline) {
            self.timer = nil
            self.turn()
        }
        timer = (deadline, task)
    }

    // MARK: Futures

    /// A new future of the loop; nil with an exception set.
    func makeFuture() -> OpaquePointer? { PyObject_CallNoArgs(createFuture) }

    /// Tells asyncio that the future it is about to get from an iterator is meant to be waited for.
    func markBlocking(_ future: OpaquePointer) -> Bool {
        PyObject_SetAttr(future, blockingName, _Py_TrueStruct()) == 0
    }

    /// Wakes the task that waits for `future`. The interpreter is entered.
    func wake(_ future: OpaquePointer) {
        var arguments: (OpaquePointer?, OpaquePointer?) = (future, _Py_NoneStruct())
        withUnsafePointer(to: &arguments) { pointer in
            pointer.withMemoryRebound(to: OpaquePointer?.self, capacity: 2) { arguments in
                if let done = PyObject_VectorcallMethod(doneName, arguments, 1, nil) {
                    let isDone = done == _Py_TrueStruct()
                    Py_DecRef(done)
                    guard !isDone else { return }
                    Py_DecRef(PyObject_VectorcallMethod(setResultName, arguments, 2, nil))
                }
                PyErr_Clear()
            }
        }
    }

    // MARK: The end

    /// Cancels what still runs, gives it some turns, and closes the loop.
    func close() {
        guard !isClosed else { return }
        users -= 1
        guard users == 0 else { return }
        guard turnMethod != nil else { return stopRunning() }
        interpreter.enter {
            for _ in 0..<100 {
                guard let left = call("end") else { break }
                Py_DecRef(left)
                if left == _Py_TrueStruct() { break }
                _ = runOnce()
            }
            isClosed = true
            timer?.task.cancel()
            waker.stop()
            Py_DecRef(call("finish"))
            PyErr_Clear()
        }
    }

    private func stopRunning() {
        isClosed = true
        interpreter.enter {
            if let stop = PyObject_GetAttrString(module, "stop_running") {
                Py_DecRef(PyObject_CallOneArg(stop, loop))
                Py_DecRef(stop)
            }
            PyErr_Clear()
        }
    }

    private func call(_ name: String) -> OpaquePointer? {
        guard let method = PyObject_GetAttrString(loop, name) else { return nil }
        defer { Py_DecRef(method) }
        return PyObject_CallNoArgs(method)
    }
}
