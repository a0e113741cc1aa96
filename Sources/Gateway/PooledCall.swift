import HTTP
import Logging
import NIOCore

/// One call of a synchronous application on a worker thread.
final class PooledCall: @unchecked Sendable {
    // Sendable: `reply` is used on the thread alone.
    private let reply: WSGIReply
    private let relay: ResponseRelay
    private let logger: Logger
    private let answer: @Sendable (WSGIReply) throws -> (any WSGIBody)?

    /// `answer` calls the application.
    init(
        _ exchange: any Exchange, isHead: Bool, logger: Logger,
        _ answer: @escaping @Sendable (WSGIReply) throws -> (any WSGIBody)?
    ) {
        relay = ResponseRelay(exchange)
        reply = WSGIReply(relay, isHead: isHead)
        self.logger = logger
        self.answer = answer
    }

    func run() {
        do {
            guard var body = try answer(reply) else { return }
            defer { body.close() }
            if try !reply.response.sendAtOnce(body) {
                while try reply.response.step(&body) {}
            }
        } catch {
            reply.response.fail(.internalServerError)
            relay.onLoop { [logger] exchange in WSGILog.failed(error, exchange, logger) }
        }
        if reply.response.isOverrun { relay.onLoop { [logger] exchange in WSGILog.overrun(exchange, logger) } }
    }
}

/// The body of a response that is made on the event loop itself; it suspends between two pieces while the connection takes
/// no more.
final class InlineBody {
    private let exchange: any Exchange
    private let response: WSGIResponse
    private let logger: Logger
    private var body: any WSGIBody

    init(_ body: any WSGIBody, _ response: WSGIResponse, _ exchange: any Exchange, logger: Logger) {
        self.body = body
        self.response = response
        self.exchange = exchange
        self.logger = logger
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
        if let error { Self.fail(error, response, exchange, logger) }
        if response.isOverrun { WSGILog.overrun(exchange, logger) }
        body.close()
    }

    /// The application failed.
    static func fail(_ error: any Error, _ response: WSGIResponse, _ exchange: any Exchange, _ logger: Logger) {
        response.fail(.internalServerError)
        WSGILog.failed(error, exchange, logger)
    }
}

/// What is logged of a synchronous application's failures: once a request, with its id. On the loop.
enum WSGILog {
    static func failed(_ error: any Error, _ exchange: any Exchange, _ logger: Logger) {
        guard error as? WSGIError != .disconnected else { return }
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
