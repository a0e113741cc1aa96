import HTTP
import Logging
import NIOCore

/// One call of a synchronous application on a worker thread.
final class PooledCall: Sendable {
    private let application: any WSGIApplication
    private let environ: Environ
    private let relay: ResponseRelay
    private let logger: Logger

    init(_ application: any WSGIApplication, _ environ: Environ, _ exchange: any Exchange, logger: Logger) {
        self.application = application
        self.environ = environ
        self.logger = logger
        relay = ResponseRelay(exchange)
    }

    func run() {
        let response = WSGIResponse(relay, isHead: environ.request.method == .head)
        do {
            var body = try application(environ, StartResponse(begin: response.begin, write: response.write))
            defer { body.close() }
            if try !response.sendAtOnce(body) {
                while try response.step(&body) {}
            }
        } catch {
            response.fail(.internalServerError)
            WSGILog.failed(error, environ, logger)
        }
        if response.isOverrun { WSGILog.overrun(environ, logger) }
    }
}

/// One call of a synchronous application on the event loop itself; it suspends between two pieces of a body while the
/// connection takes no more.
final class InlineCall {
    private let application: any WSGIApplication
    private let environ: Environ
    private let exchange: any Exchange
    private let response: WSGIResponse
    private let logger: Logger
    private var body: (any WSGIBody)?

    init(_ application: any WSGIApplication, _ environ: Environ, _ exchange: any Exchange, logger: Logger) {
        self.application = application
        self.environ = environ
        self.exchange = exchange
        self.logger = logger
        response = WSGIResponse(DirectSink(exchange), isHead: environ.request.method == .head)
    }

    func run() {
        do {
            let body = try application(environ, StartResponse(begin: response.begin, write: response.write))
            self.body = body
            if try response.sendAtOnce(body) { end() } else { pump() }
        } catch {
            end(error)
        }
    }

    private func pump() {
        guard var body else { return }
        do {
            while exchange.isWritable || !exchange.isOpen {
                let goesOn = try response.step(&body)
                self.body = body
                guard goesOn else { return end() }
            }
            exchange.whenWritable { self.pump() }
        } catch {
            self.body = body
            end(error)
        }
    }

    private func end(_ error: (any Error)? = nil) {
        if let error {
            response.fail(.internalServerError)
            WSGILog.failed(error, environ, logger)
        }
        if response.isOverrun { WSGILog.overrun(environ, logger) }
        body?.close()
        body = nil
    }
}

/// What is logged of a synchronous application's failures: once a request, with its id.
enum WSGILog {
    static func failed(_ error: any Error, _ environ: Environ, _ logger: Logger) {
        guard error as? WSGIError != .disconnected else { return }
        logger.error(
            "the application failed",
            metadata: ["request-id": "\(environ.requestID)", "error": "\(String(reflecting: error))"])
    }

    static func overrun(_ environ: Environ, _ logger: Logger) {
        logger.error(
            "the response was longer than its Content-Length and was cut",
            metadata: ["request-id": "\(environ.requestID)"])
    }
}
