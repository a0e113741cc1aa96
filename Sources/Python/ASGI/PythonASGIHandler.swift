import CPython
public import Gateway
import HTTP
public import Logging
public import NIOCore

/// A Python application behind ASGI 3.0 on one event loop, with its asyncio loop as a guest of that loop.
public final class PythonASGIHandler: SiteHandler {
    let context: ASGIContext
    private var lifespan: LifespanCall?

    /// Serves `application`, which ``Interpreter/load(module:callable:directory:)`` gave, on `eventLoop`, whose thread
    /// calls this; with `running`, on that loop instead of a guest. `isDoubleCallable` says that it is an ASGI 2 application.
    /// `watchdog` is told of calls whose deadline has passed; `failurePage` stands in for answers that fail.
    public init(
        _ application: PythonObject, in interpreter: Interpreter, on eventLoop: any EventLoop,
        running: RunningLoop? = nil,
        isDoubleCallable: Bool, watchdog: Watchdog? = nil, failurePage: FailurePage? = nil, logger: Logger
    ) throws(PythonError) {
        let made: Result<ASGIContext, PythonError> = interpreter.enter {
            do throws(PythonError) {
                return .success(
                    try ASGIContext(
                        application, interpreter, eventLoop, running, isDoubleCallable: isDoubleCallable,
                        watchdog: watchdog, failurePage: failurePage, logger: logger))
            } catch {
                return .failure(error)
            }
        }
        context = try made.get()
    }

    public var callsInProgress: Int { context.calls }

    public func handle(_ exchange: any Exchange, scriptName: String, path: String) {
        guard !context.loop.isClosed else { return exchange.respond(.serviceUnavailable, text: "stopping\n") }
        if exchange.isWebSocketHandshake {
            // How long a socket is open, and how long its handshake takes, is the application's business.
            exchange.timeLimit = nil
            WebSocketCall(exchange, context).run(scriptName: scriptName, path: path)
        } else if !exchange.refusesWebSocketHandshake() {
            HTTPCall(exchange, context).run(scriptName: scriptName, path: path)
        }
    }
}

extension PythonASGIHandler {
    /// How a stage of the lifespan ended.
    public enum LifespanOutcome: Sendable, Equatable {
        case complete
        /// The application refused, in its own words.
        case failed(String)
        /// It raised or returned instead of answering: it is served without lifespan, as the specification demands.
        case unsupported(String)
    }

    /// Tells the application to start (lifespan 2.0). On the event loop, once, before the first request.
    public func startup() -> EventLoopFuture<LifespanOutcome> {
        let call = LifespanCall(context)
        lifespan = call
        return call.startup()
    }

    /// Tells the application that its last request has been answered. On the event loop.
    public func shutdown() -> EventLoopFuture<LifespanOutcome> {
        lifespan?.shutdown() ?? context.loop.eventLoop.makeSucceededFuture(.complete)
    }

    /// Cancels the tasks that are left and closes the asyncio loop. On the event loop, last.
    public func close() {
        context.loop.close()
    }
}

/// What the calls of one application on one event loop share.
final class ASGIContext {
    let loop: GuestLoop
    let logger: Logger
    let scopes: ScopeBuilder
    let keys: ASGIKeys
    let interpreter: Interpreter
    let heads: HeadCache<ASGIHeadKind>
    /// Told of calls whose deadline has passed.
    let watchdog: Watchdog?
    let failurePage: FailurePage?
    private let application: OpaquePointer
    private var spareBody = ByteBuffer()
    /// `lifespan`'s state, once there is one: owned.
    var state: OpaquePointer?
    /// Calls of the application that have not returned. On the event loop.
    var calls = 0
    /// An awaitable of `None`, for every `send()` that need not wait.
    let done: OpaquePointer

    init(
        _ application: PythonObject, _ interpreter: Interpreter, _ eventLoop: any EventLoop, _ running: RunningLoop?,
        isDoubleCallable: Bool, watchdog: Watchdog?, failurePage: FailurePage?, logger: Logger
    ) throws(PythonError) {
        self.watchdog = watchdog
        self.failurePage = failurePage
        self.interpreter = interpreter
        self.logger = logger
        heads = HeadCache(isUsed: !interpreter.installation.isFreeThreaded)
        loop = try GuestLoop.shared(on: eventLoop, interpreter, running: running, logger: logger)
        keys = try ASGIKeys()
        scopes = try ScopeBuilder(keys)
        done = try Py.check(CompletedAwaitable.make(interpreter.headerSize))
        try NativeCall.prepare(interpreter.headerSize)
        if isDoubleCallable {
            let adapter = try Py.check(PyObject_GetAttrString(loop.module, "double_callable"))
            defer { Py_DecRef(adapter) }
            self.application = try Py.check(PyObject_CallOneArg(adapter, application.pointer))
        } else {
            self.application = Py.new(application.pointer)
        }
    }

    /// Bodies up to this size are copied into a buffer that is used again for the next.
    private static let smallBody = 16 * 1024

    /// The content of `bytes` in the spare buffer; nil for what is no `bytes`, or is empty or large.
    func smallBody(_ object: OpaquePointer) -> ByteBuffer? {
        guard Py.isExactly(object, PyBytes_Type()), let content = Py.content(object),
            1...Self.smallBody ~= content.count
        else { return nil }
        // Out of the property, so that the buffer is the caller's alone.
        var buffer = spareBody
        spareBody = ByteBuffer()
        buffer.clear()
        buffer.writeBytes(content)
        return buffer
    }

    /// The content of `bytes` that are not small, valid as long as they are; nil for everything else.
    func largeBody(_ object: OpaquePointer) -> UnsafeRawBufferPointer? {
        guard Py.isExactly(object, PyBytes_Type()), let content = Py.content(object) else { return nil }
        return content.count > Self.smallBody ? content : nil
    }

    /// A body that was sent, to be the next one's.
    func giveBack(_ body: ByteBuffer) {
        if 1...Self.smallBody ~= body.capacity { spareBody = body }
    }

    /// Starts the application for `call`. Takes over the reference to `scope`. The interpreter is entered.
    func spawn(_ call: NativeCall, _ scope: OpaquePointer?) throws(PythonError) {
        let coroutine = try Py.check(NativeCall.make(call, application, try Py.check(scope)))
        defer { Py_DecRef(coroutine) }
        call.keep(try loop.tasks.start(coroutine))
    }
}
