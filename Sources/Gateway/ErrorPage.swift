import HTTP
import NIOCore

/// What a gateway answers in place of an application that cannot.
enum ErrorPage {
    /// Answers `status` in plain text; 503 asks the client to come back after a second.
    static func send(_ status: Status, on exchange: any Exchange) {
        var fields: Fields = ["Content-Type": "text/plain; charset=utf-8"]
        if status == .serviceUnavailable { fields.append("Retry-After", "1") }
        exchange.respond(
            ResponseHead(status, fields), ByteBuffer(string: "\(status.code) \(status.reason)\n"))
    }
}
