import CPython
import Gateway
import HTTP
import Logging
import NIOCore

/// One HTTP request of an ASGI application (HTTP spec 2.5): its events in both directions.
///
/// Lives on the event loop; the interpreter is entered in everything that Python calls.
final class HTTPCall: NativeCall, ExchangeCall {
    enum Phase {
        /// Nothing was sent yet.
        case waiting
        /// `http.response.start` came; it is held until the first body, so that an error can still replace it.
        case held(ResponseHead, length: Int?)
        /// The head is out.
        case streaming
        /// The body is out, trailers are to come.
        case trailing
        case complete
        case aborted
    }

    let exchange: any Exchange
    let context: ASGIContext
    var phase = Phase.waiting
    var wantsTrailers = false
    var trailerFields = Fields()
    /// Bytes that `Content-Length` still announces.
    var remaining: Int?
    private var input: HTTPCallInput
    private var hasEnded = false
    private var wasToldOfDisconnect = false
    /// Set once the deadline has passed.
    private var overdue: OverdueCall?

    init(_ exchange: any Exchange, _ context: ASGIContext) {
        self.exchange = exchange
        self.context = context
        let request = exchange.request
        input = HTTPCallInput(request.framing)
        super.init()
        pulse = context.loop.pulse
        line = request.lineBytes
        allowance = exchange.timeLimit?.nanoseconds ?? .max
    }

    /// Calls the application.
    func run(scriptName: String, path: String) {
        exchange.call = self
        context.calls += 1
        context.loop.enter {
            do throws(PythonError) {
                try context.spawn(
                    self,
                    context.scopes.scope(
                        exchange, scriptName: scriptName, path: path, state: context.state, isWebSocket: false))
            } catch {
                fail(error)
            }
        }
    }

    // MARK: receive()

    override func receive() -> OpaquePointer? {
        let loop = context.loop
        if isOver { return Awaitable.ready(makeDisconnect(), loop) }
        if let part = input.take() { return Awaitable.ready(message(part), loop) }
        guard let (awaitable, object) = Awaitable.waiting(loop) else { return nil }
        input.waiting.append(awaitable)
        ask()
        return object
    }

    /// Whether there is nothing more to hear: the response is complete, or the client has left.
    private var isOver: Bool {
        switch phase {
        case .complete, .aborted: true
        case .waiting, .held, .streaming, .trailing: input.isDisconnected
        }
    }

    private func ask() {
        guard !input.isAsking, !input.isDisconnected else { return }
        input.isAsking = true
        exchange.receive { part in
            self.input.isAsking = false
            self.context.loop.enter { self.deliver(part) }
        }
    }

    private func deliver(_ part: BodyPart) {
        guard let part = input.arrived(part) else {
            // The end of a body that had ended already says nothing; what comes next is the client's leaving.
            return input.isDisconnected ? settle() : ask()
        }
        guard let awaitable = input.nextWaiting() else { return input.stash(part) }
        if let message = message(part) { awaitable.resolve(message) }
        if input.hasWaiting { ask() }
    }

    /// The client has left, or the response is complete: whoever waits hears it.
    private func settle() {
        while let awaitable = input.nextWaiting() {
            if let message = makeDisconnect() { awaitable.resolve(message) }
        }
    }

    private func message(_ part: HTTPCallInput.Part) -> OpaquePointer? {
        let keys = context.keys
        guard let dict = PyDict_New() else { return nil }
        let body: OpaquePointer? =
            part.bytes.readableBytes == 0 ? Py.new(keys.emptyBytes) : part.bytes.withUnsafeReadableBytes(Py.bytes)
        defer { Py_DecRef(body) }
        guard let body, PyDict_SetItem(dict, keys.type, keys.httpRequest) == 0,
            PyDict_SetItem(dict, keys.body, body) == 0,
            PyDict_SetItem(dict, keys.moreBody, part.isLast ? _Py_FalseStruct() : _Py_TrueStruct()) == 0
        else {
            Py_DecRef(dict)
            return nil
        }
        return dict
    }

    private func makeDisconnect() -> OpaquePointer? {
        if input.isDisconnected { wasToldOfDisconnect = true }
        guard let dict = PyDict_New() else { return nil }
        guard PyDict_SetItem(dict, context.keys.type, context.keys.httpDisconnect) == 0 else {
            Py_DecRef(dict)
            return nil
        }
        return dict
    }

    // MARK: send(event)

    override func send(_ object: OpaquePointer) -> OpaquePointer? {
        guard let event = ASGIEvent(object, context.keys) else { return nil }
        switch phase {
        case .complete:
            // Anything after completion is ignored (A7), but not what is no event at all.
            return Py.new(context.done)
        case .waiting, .held, .streaming, .trailing, .aborted: break
        }
        guard hasClient else {
            phase = .aborted
            Py.raise(context.loop.clientDisconnected, "the client has disconnected")
            return nil
        }
        guard take(event) else { return nil }
        return exchange.isWritable || !exchange.isOpen ? Py.new(context.done) : waitUntilWritable()
    }

    /// An awaitable that is done when the connection takes more.
    private func waitUntilWritable() -> OpaquePointer? {
        guard let (awaitable, object) = Awaitable.waiting(context.loop) else { return nil }
        let loop = context.loop
        exchange.whenWritable { loop.enter { awaitable.resolve(Py.none) } }
        return object
    }

    /// The response is complete.
    func complete() {
        phase = .complete
        settle()
    }

    // MARK: The end

    override func ended(_ error: OpaquePointer?) {
        guard !hasEnded else { return }
        hasEnded = true
        context.calls -= 1
        if let overdue {
            overdue.left()
            return settle()
        }
        if let error, RequestTimeout.isOne(error) {
            // It had blocked the loop. The watchdog has said what there is to say.
            phase = .aborted
            exchange.giveUpWaiting()
            return settle()
        }
        switch phase {
        case .complete:
            if let error, !isOurs(error) { log("the application failed after its response", error) }
        case .aborted: endedForNobody(error)
        case .waiting, .held, .streaming, .trailing: if hasClient { endedEarly(error) } else { endedForNobody(error) }
        }
        settle()
    }

    /// A client that has closed its half is taken at its word once the application was told so.
    private var hasClient: Bool { exchange.isOpen && !wasToldOfDisconnect }

    private func endedForNobody(_ error: OpaquePointer?) {
        let isAborted = if case .aborted = phase { true } else { false }
        // An application that is cancelled long after its connection has gone is no news.
        if let error, isAborted || exchange.isOpen, !isOurs(error) {
            log("the application failed; the client had left", error)
        }
        phase = .aborted
        // The client may have closed its half alone: then it is for us to end the connection.
        exchange.abort()
    }

    /// Without an answer, or in the middle of one.
    private func endedEarly(_ error: OpaquePointer?) {
        switch phase {
        case .complete, .aborted: break
        case .waiting, .held:
            let failure: any Error = error.map(PythonError.init(describing:)) ?? NoAnswer()
            log(error == nil ? "\(failure)" : "the application failed\n\(String(reflecting: failure))")
            answer(failure)
        case .streaming, .trailing:
            phase = .aborted
            if let error {
                log("the application failed in the middle of its response", error)
            } else {
                log("the application returned in the middle of its response")
            }
            exchange.abort()
        }
    }

    /// The deadline has passed.
    func limitPassed(_ limit: TimeAmount) {
        phase = .aborted
        let overdue = OverdueCall(
            answering: exchange, limit, stack: { context.loop.enter { cancel(context.loop.module) } })
        self.overdue = overdue
        context.watchdog?.add(overdue)
    }

    var isRunning: Bool { !hasEnded }

    /// The call could not even be started.
    private func fail(_ error: PythonError) {
        if !hasEnded { context.calls -= 1 }
        hasEnded = true
        log("the application cannot be called\n\(error.traceback)")
        answer(error)
    }

    /// Answers in place of an application that has not.
    private func answer(_ failure: any Error) {
        phase = .complete
        if let page = context.failurePage {
            page(failure, exchange)
        } else {
            exchange.respond(.internalServerError, text: "500 Internal Server Error\n")
        }
    }

    /// Whether `error` is what `send` raised because the client left.
    private func isOurs(_ error: OpaquePointer) -> Bool {
        let isOurs = PyObject_IsInstance(error, context.loop.clientDisconnected) == 1
        PyErr_Clear()
        return isOurs
    }

    func log(_ message: String, _ error: OpaquePointer? = nil) {
        var text = message
        if let error { text += "\n\(PythonError(describing: error).traceback)" }
        context.logger.error("\(text)", metadata: ["request-id": "\(exchange.requestID)"])
    }
}

/// The application has returned too early.
private struct NoAnswer: Error, CustomStringConvertible {
    let description = "the application returned without an answer"
}

/// What arrived of a request body, and who waits for it.
struct HTTPCallInput {
    struct Part {
        let bytes: ByteBuffer
        let isLast: Bool
    }

    var isAsking = false
    private(set) var isDisconnected = false
    var waiting: [Awaitable] = []
    private var stashed: Part?
    /// What `Content-Length` still announces; nil in chunks.
    private var expected: Int?
    private var isAtEnd = false

    init(_ framing: BodyFraming) {
        switch framing {
        case .none: stashed = Part(bytes: ByteBuffer(), isLast: true)
        case .length(let count): expected = count
        case .chunked: break
        }
    }

    var hasWaiting: Bool { waiting.contains(where: \.isWaiting) }

    /// What is there already.
    mutating func take() -> Part? {
        guard let part = stashed else { return nil }
        stashed = nil
        isAtEnd = isAtEnd || part.isLast
        return part
    }

    /// What arrived while nobody waited any more.
    mutating func stash(_ part: Part) { stashed = part }

    mutating func nextWaiting() -> Awaitable? {
        while !waiting.isEmpty {
            let awaitable = waiting.removeFirst()
            if awaitable.isWaiting { return awaitable }
        }
        return nil
    }

    /// What a part of the body is to the application; nil for the end of the connection, and for what it knows already.
    mutating func arrived(_ part: BodyPart) -> Part? {
        switch part {
        case .bytes(let bytes):
            guard let expected else { return Part(bytes: bytes, isLast: false) }
            self.expected = expected - bytes.readableBytes
            guard expected == bytes.readableBytes else { return Part(bytes: bytes, isLast: false) }
            isAtEnd = true
            return Part(bytes: bytes, isLast: true)
        case .end:
            // Its last bytes said so already.
            guard !isAtEnd else { return nil }
            isAtEnd = true
            return Part(bytes: ByteBuffer(), isLast: true)
        case .failed, .disconnected:
            isDisconnected = true
            return nil
        }
    }
}
