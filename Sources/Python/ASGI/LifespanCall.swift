import CPython
import Logging
import NIOCore

/// The lifespan of an application on its loop (lifespan spec 2.0).
final class LifespanCall: NativeCall {
    typealias Outcome = PythonASGIHandler.LifespanOutcome

    private enum Stage { case starting, started, stopping, over }

    private let context: ASGIContext
    private var stage = Stage.starting
    private var queued: [String] = []
    private var waiting: [Awaitable] = []
    private var report: EventLoopPromise<Outcome>?

    init(_ context: ASGIContext) { self.context = context }

    /// Calls the application and tells it to start.
    func startup() -> EventLoopFuture<Outcome> {
        let promise = context.loop.eventLoop.makePromise(of: Outcome.self)
        report = promise
        queued = ["lifespan.startup"]
        context.loop.enter {
            do throws(PythonError) {
                let state = try Py.check(PyDict_New())
                context.state = state
                let scope = try ScopeBuilder.base("lifespan", spec: "2.0", context.keys)
                try Py.check(PyDict_SetItemString(scope, "state", state))
                try context.spawn(self, scope)
            } catch {
                finish(.unsupported(error.traceback))
            }
        }
        return promise.futureResult
    }

    /// Tells the application to stop; done at once when it takes no part.
    func shutdown() -> EventLoopFuture<Outcome> {
        let eventLoop = context.loop.eventLoop
        guard stage == .started else { return eventLoop.makeSucceededFuture(.complete) }
        stage = .stopping
        let promise = eventLoop.makePromise(of: Outcome.self)
        report = promise
        context.loop.enter { put("lifespan.shutdown") }
        return promise.futureResult
    }

    private func put(_ type: String) {
        while !waiting.isEmpty {
            let awaitable = waiting.removeFirst()
            guard awaitable.isWaiting else { continue }
            if let message = message(type) { awaitable.resolve(message) }
            return
        }
        queued.append(type)
    }

    private func message(_ type: String) -> OpaquePointer? {
        guard let dict = PyDict_New(), let text = Py.text(type) else { return nil }
        defer { Py_DecRef(text) }
        _ = PyDict_SetItem(dict, context.keys.type, text)
        return dict
    }

    override func receive() -> OpaquePointer? {
        if !queued.isEmpty { return Awaitable.ready(message(queued.removeFirst()), context.loop) }
        guard let (awaitable, object) = Awaitable.waiting(context.loop) else { return nil }
        waiting.append(awaitable)
        return object
    }

    override func send(_ object: OpaquePointer) -> OpaquePointer? {
        guard let event = ASGIEvent(object, context.keys) else { return nil }
        switch (event.name, stage) {
        case ("lifespan.startup.complete", .starting):
            stage = .started
            do throws(PythonError) {
                try context.scopes.offerState()
            } catch {
                context.logger.error("\(error)")
            }
            finish(.complete)
        case ("lifespan.startup.failed", .starting), ("lifespan.shutdown.failed", .stopping):
            stage = .over
            finish(.failed(event.value(context.keys.message).flatMap(Py.string) ?? ""))
        case ("lifespan.shutdown.complete", .stopping):
            stage = .over
            finish(.complete)
        case (let name, _):
            Py.raise(PyExc_ValueError(), "'\(name)' is no event that lifespan expects now")
            return nil
        }
        return Py.new(context.done)
    }

    override func ended(_ error: OpaquePointer?) {
        var text = "it returned"
        if let error { text = PythonError(describing: error).traceback }
        switch stage {
        case .starting:
            // The specification: go on without lifespan, and then without its state.
            Py_DecRef(context.state)
            context.state = nil
            finish(.unsupported(text))
        case .stopping: finish(error == nil ? .complete : .failed(text))
        case .started:
            if error != nil { context.logger.error("the application left its lifespan early\n\(text)") }
        case .over: break
        }
        stage = .over
    }

    private func finish(_ outcome: Outcome) {
        let promise = report
        report = nil
        promise?.succeed(outcome)
    }
}
