import Gateway
import HTTP
import NIOCore

/// What an exchange can do besides one request and one response: informational responses and trailers.
extension HTTP1Exchange {
    func inform(_ status: Status, _ fields: Fields) {
        guard let link, response == .pending, request.version == .http11, (102...199).contains(status.code) else {
            return
        }
        ResponseEncoder.writeInterim(status, fields, into: &link.socket.output.tail)
        link.wroteToTail()
        link.flushNow()
    }

    func finish(trailers: Fields) {
        guard let link, response == .chunked, !trailers.isEmpty, request.acceptsTrailers else { return finish() }
        link.socket.output.tail.writeStaticString("0\r\n")
        ResponseEncoder.writeTrailers(trailers, into: &link.socket.output.tail)
        link.socket.output.tail.writeStaticString("\r\n")
        link.wroteToTail()
        complete()
    }
}

extension ResponseEncoder {
    /// A whole informational response. It has no framing fields (RFC 9110 §8.6, RFC 9112 §6.1).
    static func writeInterim(_ status: Status, _ fields: Fields, into buffer: inout ByteBuffer) {
        writeStatusLine(status, into: &buffer)
        for line in fields.lines where !isFraming(line) { buffer.writeBytes(fields.wire[line.range]) }
        buffer.writeStaticString("\r\n")
    }

    /// The fields that may stand in a trailer section (RFC 9110 §6.5.1).
    static func writeTrailers(_ fields: Fields, into buffer: inout ByteBuffer) {
        for line in fields.lines where !isFraming(line) && !isForbiddenInTrailers(line) {
            buffer.writeBytes(fields.wire[line.range])
        }
    }

    private static func isFraming(_ line: Fields.Line) -> Bool {
        ["Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Upgrade"].contains { line.isNamed($0) }
    }

    /// What had to be known before the body, or could make a recipient take the message for another one.
    private static func isForbiddenInTrailers(_ line: Fields.Line) -> Bool {
        [
            "Host", "Trailer", "TE", "Content-Encoding", "Content-Type", "Content-Range", "Set-Cookie", "Location",
            "Authorization", "WWW-Authenticate", "Cache-Control", "Expires", "Vary", "Date", "Age", "Retry-After",
        ].contains { line.isNamed($0) }
    }
}
