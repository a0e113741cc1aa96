import Gateway
import HTTP
import Logging
import NIOCore

/// In place of a site that could not be set up: every request gets to know why, when `debug` is on.
final class BrokenSite: ServedSite, SiteHandler {
    let name: String
    private let page: ByteBuffer

    /// `reason` is shown to whoever asks; nil keeps it for the log.
    init(_ name: String, reason: String?) {
        self.name = name
        page = ByteBuffer(string: Self.html(name, reason))
    }

    func makeHandler(on loop: any EventLoop) -> any SiteHandler { self }

    func start(on loops: [any EventLoop]) {}

    func stop() {}

    func handle(_ exchange: any Exchange, scriptName: String, path: String) {
        exchange.respond(
            ResponseHead(
                .internalServerError, ["Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store"]), page)
    }

    private static func html(_ name: String, _ reason: String?) -> String {
        let title = "Site ‘\(escaped(name))’ did not start"
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(title)</title>
            <style>
            :root { color-scheme: light dark }
            body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 60rem; margin: 8vh auto; padding: 0 1.5rem }
            h1 { font-size: 1.6rem }
            pre { font-size: .95rem; overflow-x: auto; padding: 1rem; border: 1px solid; white-space: pre-wrap }
            </style>
            </head>
            <body>
            <main>
            <h1>\(title)</h1>
            \(reason.map { "<pre>\(escaped($0))</pre>\n<p>Shown because <code>debug</code> is on.</p>" }
                ?? "<p>The reason is in the log.</p>")
            </main>
            </body>
            </html>

            """
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}
