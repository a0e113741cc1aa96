import CPython
import Dispatch
import Gateway
import Glibc
import NIOCore
import Platform
import Synchronization

/// An event loop of Python's (uvloop) that runs by itself on a thread of Python's, as the server's code sees it: what is
/// executed here is run by a callback of that loop, inside the interpreter.
///
/// It has no timers of its own; those of another loop hand over to it.
final class ForeignLoop: EventLoop, WatchedLoop, @unchecked Sendable {
    // Sendable: the queue is locked, the identity atomic, the rest constant.
    private let timers: any EventLoop
    private let wakeUp: EventCounter
    private let queue = Mutex<[@Sendable () -> Void]>([])
    private let thread = Atomic<UInt>(0)
    /// Says what the loop does for us; the rest it does unseen.
    let pulse = LoopPulse()

    /// A loop whose timers run on `timers`.
    init(timers: any EventLoop) throws(SystemError) {
        self.timers = timers
        wakeUp = try EventCounter()
    }

    /// What Python's loop is to watch for reading: ``run()`` is to be called when it is ready.
    var descriptor: Int32 { wakeUp.descriptor }

    /// The calling thread is the loop's from now on.
    func adoptThread() {
        thread.store(UInt(pthread_self()), ordering: .releasing)
        pulse.adoptThread()
    }

    /// Runs what was handed over. On the loop's thread, inside the interpreter.
    func run() {
        wakeUp.wait(within: .zero)
        let tasks = queue.withLock { queue in
            defer { queue = [] }
            return queue
        }
        for task in tasks {
            pulse.beat()
            task()
        }
        pulse.rest()
    }

    // MARK: EventLoop

    var inEventLoop: Bool { thread.load(ordering: .relaxed) == UInt(pthread_self()) }

    var now: NIODeadline { .now() }

    func execute(_ task: @escaping @Sendable () -> Void) {
        let isFirst = queue.withLock { queue in
            queue.append(task)
            return queue.count == 1
        }
        if isFirst { wakeUp.signal() }
    }

    @discardableResult
    func scheduleTask<T>(deadline: NIODeadline, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
        let promise = makePromise(of: T.self)
        let timer = timers.scheduleTask(deadline: deadline) {
            self.execute {
                do { promise.assumeIsolated().succeed(try task()) } catch { promise.fail(error) }
            }
        }
        return Scheduled(promise: promise, cancellationTask: { timer.cancel() })
    }

    @discardableResult
    func scheduleTask<T>(in delay: TimeAmount, _ task: @escaping @Sendable () throws -> T) -> Scheduled<T> {
        scheduleTask(deadline: .now() + delay, task)
    }

    func next() -> any EventLoop { self }

    func makeIterator() -> EventLoopIterator { EventLoopIterator([self]) }

    func shutdownGracefully(queue: DispatchQueue, _ callback: @escaping @Sendable ((any Error)?) -> Void) {
        queue.async { callback(nil) }
    }
}

extension ForeignLoop {
    /// What Python sees of a foreign loop: `fileno()`, `adopt()` on its thread, and `run()` when the descriptor is ready.
    final class Host {
        let loop: ForeignLoop

        nonisolated(unsafe) private static var type: NativeType?

        init(_ loop: ForeignLoop) { self.loop = loop }

        /// The Python object. The interpreter is entered.
        static func object(_ loop: ForeignLoop, _ header: Int) throws(PythonError) -> OpaquePointer {
            if type == nil {
                var slots = NativeType.Slots()
                slots.methods = [
                    NativeFunction("fileno") { me, _, _ in
                        PyLong_FromLongLong(Int64(me.flatMap(Host.of)?.loop.descriptor ?? -1))
                    },
                    NativeFunction("adopt") { me, _, _ in
                        me.flatMap(Host.of)?.loop.adoptThread()
                        return Py.none
                    },
                    NativeFunction("run") { me, _, _ in
                        cpython_called()
                        defer { cpython_returning() }
                        me.flatMap(Host.of)?.loop.run()
                        return Py.none
                    },
                ]
                type = try NativeType("_portico.ForeignHost", header: header, slots) { Host.type?.free($0) }
            }
            guard let object = type?.make(Host(loop)) else { throw PythonError.take() }
            return object
        }

        private static func of(_ instance: OpaquePointer) -> Host? { type?.object(of: instance, as: Host.self) }
    }
}

/// An asyncio loop that runs by itself: uvloop, on a thread of Python's.
public struct RunningLoop: Sendable {
    /// Where what talks to the application runs.
    public let eventLoop: any EventLoop
    let object: PythonObject

    /// Starts uvloop on a thread of its own; its timers are those of `timers`. Throws when uvloop is not installed.
    public static func uvloop(in interpreter: Interpreter, timers: any EventLoop) throws -> RunningLoop {
        let loop = try ForeignLoop(timers: timers)
        return try interpreter.enter {
            let module = try SupportModule.asgi()
            defer { Py_DecRef(module) }
            let host = try ForeignLoop.Host.object(loop, interpreter.headerSize)
            defer { Py_DecRef(host) }
            let start = try Py.check(PyObject_GetAttrString(module, "start_uvloop"))
            defer { Py_DecRef(start) }
            return RunningLoop(
                eventLoop: loop, object: PythonObject(try Py.check(PyObject_CallOneArg(start, host))))
        }
    }
}
