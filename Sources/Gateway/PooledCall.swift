import HTTP
import Logging
import NIOCore
import Platform

/// One call of a synchronous application on a worker thread.
final class PooledCall: ExchangeCall, @unchecked Sendable {
    // Sendable: `reply` is used on the thread alone, `exchange` and `overdue` on the loop, `work` is made for sharing.
    private let exchange: any Exchange
    private let reply: WSGIReply
    private let relay: ResponseRelay
    private let context: Context
    private let work: PooledWork
    private let submitted: MonotonicTime
    private let answer: @Sendable (WSGIReply) throws -> (any WSGIBody)?
    private var overdue: OverdueCall?

    /// What the calls of one application have in common.
    struct Context: Sendable {
        let pool: ThreadPool
        let logger: Logger
        let watchdog: Watchdog?
        /// Stops the application's own code.
        let direct: (any DirectWSGIApplication)?
        let failurePage: FailurePage?
    }

    /// `answer` calls the application.
    init(
        _ exchange: any Exchange, isHead: Bool, _ context: Context,
        _ answer: @escaping @Sendable (WSGIReply) throws -> (any WSGIBody)?
    ) {
        self.exchange = exchange
        relay = ResponseRelay(exchange)
        reply = WSGIReply(relay, isHead: isHead)
        self.context = context
        work = PooledWork(for: context.pool)
        submitted = .now()
        self.answer = answer
    }

    // MARK: On the thread

    /// It has waited too long.
    func expire() {
        if work.revoke() { relay.fail(.serviceUnavailable) }
    }

    func run(_ thread: PoolThread) -> Bool {
        guard work.begin(on: thread) else { return false }
        relay.waited = UInt64(clamping: (MonotonicTime.now() - submitted).wholeNanoseconds)
        if context.direct == nil { RequestDeadline.$work.withValue(work) { call() } } else { call() }
        let end = work.end()
        if end.isInterrupted { context.direct?.disarm(work) }
        if work.isCancelled { relay.onLoop { [self] _ in overdue?.left() } }
        return end.isReplaced
    }

    private func call() {
        do {
            guard var body = try answer(reply) else { return }
            defer { body.close() }
            if try !reply.response.sendAtOnce(body) {
                while try reply.response.step(&body) {}
            }
        } catch {
            reply.response.fail(.internalServerError, context.failurePage?.answer(to: error))
            relay.onLoop { [logger = context.logger] exchange in WSGILog.failed(error, exchange, logger) }
        }
        if reply.response.isOverrun {
            relay.onLoop { [logger = context.logger] exchange in WSGILog.overrun(exchange, logger) }
        }
    }

    // MARK: On the loop

    var isRunning: Bool { work.isUnfinished }

    func limitPassed(_ limit: TimeAmount) {
        guard !work.revoke() else {
            exchange.noteOverdue()
            // Never begun: to be tried again, as when the queue is full.
            if exchange.isOpen { ErrorPage.respond(exchange, exchange.request, .serviceUnavailable) }
            context.logger.warning(
                "\(exchange.requestLine) has waited in vain for a thread: 503",
                metadata: ["request-id": "\(exchange.requestID)"])
            return
        }
        var interrupt: (@Sendable () -> Void)?
        if let direct = context.direct { interrupt = { [work] in direct.interrupt(work) } }
        let overdue = OverdueCall(answering: exchange, limit, interrupt: interrupt)
        guard work.isRunning else { return }
        overdue.add(work)
        self.overdue = overdue
        context.watchdog?.add(overdue)
    }
}

/// The body of a response that is made on the event loop itself; it suspends between two pieces while the connection takes
/// no more.
final class InlineBody {
    private let exchange: any Exchange
    private let response: WSGIResponse
    private let context: PooledCall.Context
    private var body: any WSGIBody

    init(_ body: any WSGIBody, _ response: WSGIResponse, _ exchange: any Exchange, _ context: PooledCall.Context) {
        self.body = body
        self.response = response
        self.exchange = exchange
        self.context = context
    }

    func send() {
        do {
            if try response.sendAtOnce(body) { end() } else { pump() }
        } catch {
            end(error)
        }
    }

    private func pump() {
        do {
            while exchange.isWritable || !exchange.isOpen {
                guard try response.step(&body) else { return end() }
            }
            exchange.whenWritable { self.pump() }
        } catch {
            end(error)
        }
    }

    private func end(_ error: (any Error)? = nil) {
        if let error { Self.fail(error, response, exchange, context) }
        if response.isOverrun { WSGILog.overrun(exchange, context.logger) }
        body.close()
    }

    /// The application failed.
    static func fail(
        _ error: any Error, _ response: WSGIResponse, _ exchange: any Exchange, _ context: PooledCall.Context
    ) {
        if error as? WSGIError == .interrupted {
            response.fail(.gatewayTimeout)
        } else {
            response.fail(.internalServerError, context.failurePage?.answer(to: error))
        }
        WSGILog.failed(error, exchange, context.logger)
    }
}

/// What is logged of a synchronous application's failures: once a request, with its id. On the loop.
enum WSGILog {
    static func failed(_ error: any Error, _ exchange: any Exchange, _ logger: Logger) {
        // The watchdog has said what there is to say of one it interrupted.
        guard ![.disconnected, .interrupted].contains(error as? WSGIError) else { return }
        logger.error(
            "the application failed",
            metadata: ["request-id": "\(exchange.requestID)", "error": "\(String(reflecting: error))"])
    }

    static func overrun(_ exchange: any Exchange, _ logger: Logger) {
        logger.error(
            "the response was longer than its Content-Length and was cut",
            metadata: ["request-id": "\(exchange.requestID)"])
    }
}
