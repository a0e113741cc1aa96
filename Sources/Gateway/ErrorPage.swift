package import HTTP
import NIOCore

/// The short pages of the server's own: what a client gets where nothing else answers.
package enum ErrorPage {
    /// Answers `status` in one line of text, in place of an application that cannot; 503 asks the client to come back after
    /// a second.
    static func send(_ status: Status, on exchange: any Exchange) {
        var fields: Fields = ["Content-Type": "text/plain; charset=utf-8"]
        if status == .serviceUnavailable { fields.append("Retry-After", "1") }
        exchange.respond(
            ResponseHead(status, fields), ByteBuffer(string: "\(status.code) \(status.reason)\n"))
    }

    /// Answers with `status`: HTML for clients that ask for it, text for others.
    package static func respond(
        _ exchange: any Exchange, _ request: RequestHead, _ status: Status, _ fields: Fields = Fields()
    ) {
        let wantsHTML = request.fields["Accept"].map { $0.contains("text/html") } ?? false
        let title = "\(status.code) \(status.reason)"
        let text: String
        if wantsHTML {
            text = """
                <!doctype html>
                <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">\
                <title>\(escape(title))</title></head>
                <body><h1>\(escape(title))</h1><p>Request \(escape(exchange.requestID))</p></body></html>

                """
        } else {
            text = "\(title)\nRequest \(exchange.requestID)\n"
        }
        let body = ByteBuffer(string: text)
        var head = ResponseHead(status, fields)
        head.fields.append("Content-Type", wantsHTML ? "text/html; charset=utf-8" : "text/plain; charset=utf-8")
        head.fields.append("Content-Length", String(body.readableBytes))
        if status == .serviceUnavailable { head.fields.append("Retry-After", "1") }
        exchange.respond(head, body)
    }

    /// `text` for HTML, in an element or a quoted attribute.
    package static func escape(_ text: String) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for character in text.unicodeScalars {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
