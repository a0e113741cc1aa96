import HTTP
import Logging
import NIOCore

/// The channel of one HTTP request to an asynchronous application: turns what the application sends into calls of the
/// exchange, in an order that HTTP allows.
///
/// The bytes of the request's body come through ``ASGIRequestBody``.
final class ASGIExchange: HTTPScope.Storage, ASGIChannel, @unchecked Sendable {
    // Sendable by confinement: everything stored is touched on `eventLoop` alone; calls from elsewhere go there first.

    /// How far the response is.
    enum Phase {
        /// Nothing was sent.
        case initial
        /// `responseStart` was sent, and is kept until a body event follows, so that an error can still replace it.
        case held(ResponseHead)
        /// The head is out; `remaining` is what is missing to `Content-Length`, when there is one to keep to.
        case streaming(remaining: Int?)
        /// The body is complete; these trailers were sent so far, and more are to come.
        case trailing(Fields)
        /// The response is complete.
        case complete
        /// The response was given up.
        case aborted
    }

    /// Runs the application for this request, as long as it runs: what a deadline cancels.
    var runner: ASGIRunner?
    /// Set once the deadline has passed.
    var overdue: OverdueCall?
    private let watchdog: Watchdog?

    let exchange: any Exchange
    private let isHead: Bool
    var phase = Phase.initial
    /// Whether the response goes on after its body.
    private var hasTrailers = false
    private var body: ASGIRequestBody

    init(
        _ exchange: any Exchange, on eventLoop: any EventLoop, scriptName: String, path: String,
        state: LifespanState? = nil, prepared: (any AnyObject & Sendable)? = nil, watchdog: Watchdog? = nil
    ) {
        self.exchange = exchange
        self.watchdog = watchdog
        let request = exchange.request
        isHead = if case .head = request.method { true } else { false }
        body = ASGIRequestBody(request.framing)
        super.init(
            request, exchange.connection, scriptName, path, exchange.id, eventLoop, state, prepared: prepared)
    }

    /// What the application is called for.
    var scope: Scope { .http(HTTPScope(self)) }

    // MARK: Receive

    nonisolated(nonsending) func receive() async throws -> ReceiveEvent {
        guard eventLoop.inEventLoop else { return try await receiveFromElsewhere() }
        if let event = try nextEvent() { return event }
        return await withUnsafeContinuation { body.waiter = .task($0) }
    }

    private nonisolated(nonsending) func receiveFromElsewhere() async throws -> ReceiveEvent {
        try await withUnsafeThrowingContinuation { continuation in
            eventLoop.execute {
                do {
                    if let event = try self.nextEvent() {
                        continuation.resume(returning: event)
                    } else {
                        self.body.waiter = .throwing(continuation)
                    }
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
    }

    /// The next event if it is there; without one the caller waits in `body.waiter`.
    private func nextEvent() throws(ASGIError) -> ReceiveEvent? {
        guard body.waiter == nil else { throw .unexpectedEvent("receive is already waited for") }
        switch phase {
        case .complete, .aborted: return .disconnect
        case .initial, .held, .streaming, .trailing: break
        }
        while true {
            if let event = body.next() { return event }
            // A part asked for earlier is still to come: whoever waited for it was told that the response is complete.
            guard !body.isAsked else { return nil }
            body.isAsked = true
            exchange.receive { part in self.deliver(part) }
            guard !body.isAsked else { return nil }
        }
    }

    private func deliver(_ part: BodyPart) {
        body.take(part)
        guard body.waiter != nil else { return }
        do {
            let waiter = body.waiter
            body.waiter = nil
            if let event = try nextEvent() { waiter?.resume(event) } else { body.waiter = waiter }
        } catch {
            // Only a second waiter throws, and there was none.
        }
    }

    // MARK: Send

    nonisolated(nonsending) func send(_ event: SendEvent) async throws {
        guard eventLoop.inEventLoop else {
            return try await fromElsewhere { channel throws(ASGIError) in try channel.take(event) }
        }
        if try take(event) { try await writable() }
    }

    nonisolated(nonsending) func respond(_ head: ResponseHead, _ body: ByteBuffer) async throws {
        guard eventLoop.inEventLoop else {
            return try await fromElsewhere { channel throws(ASGIError) in
                try channel.complete(head, body)
                return false
            }
        }
        try complete(head, body)
    }

    func respondAtOnce(_ head: ResponseHead, _ body: ByteBuffer) throws -> Bool {
        guard eventLoop.inEventLoop else { return false }
        try complete(head, body)
        return true
    }

    /// Does `work` on the loop, and waits there for the connection when it says so.
    private nonisolated(nonsending) func fromElsewhere(
        _ work: @escaping @Sendable (ASGIExchange) throws(ASGIError) -> Bool
    ) async throws {
        let error: ASGIError? = await withUnsafeContinuation { continuation in
            eventLoop.execute {
                do throws(ASGIError) {
                    guard try work(self) else { return continuation.resume(returning: nil) }
                    self.exchange.whenWritable {
                        continuation.resume(returning: self.exchange.isOpen ? nil : .disconnected)
                    }
                } catch {
                    continuation.resume(returning: error)
                }
            }
        }
        if let error { throw error }
    }

    /// Suspends until the connection takes more; throws when it is gone instead.
    private nonisolated(nonsending) func writable() async throws(ASGIError) {
        await withUnsafeContinuation { continuation in
            exchange.whenWritable { continuation.resume() }
        }
        guard exchange.isOpen else { throw .disconnected }
    }

    /// Takes one event; true when the connection should be waited for before the next.
    func take(_ event: SendEvent) throws(ASGIError) -> Bool {
        switch event {
        case .responseStart(let head, let trailers):
            switch phase {
            case .initial:
                guard exchange.isOpen else { throw .disconnected }
                guard (200...999).contains(head.status.code) else {
                    throw .unexpectedEvent("a response with status \(head.status.code)")
                }
                phase = .held(head)
                hasTrailers = trailers
                return false
            case .held, .streaming, .trailing: throw .unexpectedEvent("a second response start")
            case .complete: return false
            case .aborted: throw .disconnected
            }
        case .responseBody(let bytes, let moreBody):
            switch phase {
            case .initial: throw .unexpectedEvent("a response body before the response start")
            case .held(let head):
                if moreBody { return try start(head, bytes) }
                if hasTrailers {
                    _ = try start(head, bytes)
                    return endBody()
                }
                phase = .initial
                try complete(head, bytes)
                return false
            case .streaming(let remaining): return try write(bytes, moreBody: moreBody, remaining: remaining)
            case .trailing: throw .unexpectedEvent("a response body after its end")
            case .complete: return false
            case .aborted: throw .disconnected
            }
        default: return try takeExtension(event)
        }
    }

    /// The body is complete: so is the response, unless trailers follow. True when the connection should be waited for.
    func endBody() -> Bool {
        guard case .streaming = phase else { return false }
        guard !hasTrailers else {
            phase = .trailing(Fields())
            exchange.flush()
            return !exchange.isWritable
        }
        phase = .complete
        exchange.finish()
        finishReceiving()
        return false
    }

    /// The whole response.
    private func complete(_ head: ResponseHead, _ bytes: ByteBuffer) throws(ASGIError) {
        switch phase {
        case .initial: break
        case .held, .streaming, .trailing: throw .unexpectedEvent("a second response start")
        case .complete: return
        case .aborted: throw .disconnected
        }
        guard exchange.isOpen else { throw .disconnected }
        let framing = try framing(head)
        if let length = framing.contentLength, length != bytes.readableBytes, !isBodiless(head) {
            throw .contentLengthMismatch
        }
        phase = .complete
        // Almost no head needs a change, and a changed one is a copy.
        if framing.hopByHopField == nil, !head.status.isBodiless {
            exchange.respond(head, bytes)
        } else {
            exchange.respond(stripped(head), bytes)
        }
        finishReceiving()
    }

    /// The head and the first part of a body that goes on.
    func start(_ head: ResponseHead, _ bytes: ByteBuffer) throws(ASGIError) -> Bool {
        guard exchange.isOpen else { throw .disconnected }
        let length = try framing(head).contentLength
        let head = stripped(head)
        guard !isBodiless(head) else {
            // Nothing of the body would be sent, so the response is complete here; the rest of it is ignored.
            phase = .complete
            exchange.start(head)
            exchange.finish()
            finishReceiving()
            return false
        }
        if let length, length < bytes.readableBytes { throw .contentLengthMismatch }
        phase = .streaming(remaining: length.map { $0 - bytes.readableBytes })
        exchange.start(head)
        if bytes.readableBytes > 0 { exchange.write(bytes) }
        exchange.flush()
        return !exchange.isWritable
    }

    private func write(_ bytes: ByteBuffer, moreBody: Bool, remaining: Int?) throws(ASGIError) -> Bool {
        guard exchange.isOpen else { throw .disconnected }
        let left = remaining.map { $0 - bytes.readableBytes }
        if let left, left < 0 || (left > 0 && !moreBody) {
            abort()
            throw .contentLengthMismatch
        }
        if bytes.readableBytes > 0 { exchange.write(bytes) }
        guard moreBody else { return endBody() }
        phase = .streaming(remaining: left)
        exchange.flush()
        return !exchange.isWritable
    }

    func framing(_ head: ResponseHead) throws(ASGIError) -> FramingFields {
        let framing = FramingFields(head.fields)
        guard !framing.isContentLengthInvalid else { throw .contentLengthMismatch }
        return framing
    }

    /// The head without what only the server may say, and without the length of what is not there.
    func stripped(_ head: ResponseHead) -> ResponseHead {
        var head = head
        head.fields.remove("Transfer-Encoding")
        if head.status.code == 204 { head.fields.remove("Content-Length") }
        return head
    }

    func isBodiless(_ head: ResponseHead) -> Bool { isHead || head.status.isBodiless }

    func abort() {
        phase = .aborted
        exchange.abort()
        finishReceiving()
    }

    /// Tells whoever still waits for the client that the exchange is over.
    func finishReceiving() {
        guard let waiter = body.waiter else { return }
        body.waiter = nil
        waiter.resume(.disconnect)
    }

    // MARK: End

    /// The whole response of an application that needs not be called.
    func answer(_ head: ResponseHead, _ body: ByteBuffer, logger: Logger) {
        do throws(ASGIError) {
            try complete(head, body)
            end(nil, logger: logger)
        } catch {
            end(error, logger: logger)
        }
    }

    /// The application has returned, or thrown `error`: what is missing of the response is made up for. On the loop.
    func end(_ error: (any Error)?, logger: Logger) {
        runner = nil
        if let overdue { return overdue.left() }
        switch phase {
        case .complete:
            if let error { log(error, "the application failed after its response", logger) }
        case .aborted: log(error ?? ASGIError.contentLengthMismatch, "the response was aborted", logger)
        case .streaming, .trailing:
            let wasOpen = exchange.isOpen
            abort()
            if error != nil || wasOpen {
                log(error ?? IncompleteResponse(), "the application failed in the middle of its response", logger)
            }
        case .initial, .held: answer(error, logger)
        }
    }

    /// Answers in place of an application that has not.
    private func answer(_ error: (any Error)?, _ logger: Logger) {
        phase = .complete
        defer { finishReceiving() }
        if let failure = body.failure, error == nil || error as? ASGIError == .disconnected {
            if exchange.isOpen { ErrorPage.send(failure.status, on: exchange) }
            return
        }
        guard exchange.isOpen else {
            if let error { log(error, "the application failed; the client had left", logger) }
            return
        }
        if error is ThreadPoolError {
            ErrorPage.send(.serviceUnavailable, on: exchange)
        } else {
            ErrorPage.send(.internalServerError, on: exchange)
            log(error ?? IncompleteResponse(), "the application failed", logger)
        }
    }

    /// The deadline has passed.
    func limitPassed(_ limit: TimeAmount) {
        let overdue = OverdueCall(answering: exchange, limit)
        self.overdue = overdue
        phase = .aborted
        finishReceiving()
        OverdueCall.$cancelling.withValue(overdue) { runner?.cancel() }
        watchdog?.add(overdue)
    }

    private func log(_ error: any Error, _ message: Logger.Message, _ logger: Logger) {
        guard error as? ASGIError != .disconnected else { return }
        logger.error(
            message, metadata: ["request-id": "\(exchange.requestID)", "error": "\(String(reflecting: error))"])
    }
}

extension ASGIExchange: ExchangeCall {
    var isRunning: Bool { runner != nil }
}

/// The application returned before its response was complete (ASGI HTTP, "Response Body").
private struct IncompleteResponse: Error, CustomDebugStringConvertible {
    var debugDescription: String { "the application returned without completing its response" }
}
