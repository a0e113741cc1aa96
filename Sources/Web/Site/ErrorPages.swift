import Gateway
import HTTP
import Logging
import NIOCore
import Templates

/// The pages of what went wrong: a template of the site's (`404.html`) where it has one, else a plain page.
struct ErrorPages: Sendable {
    let isDebug: Bool

    /// The page for what a view threw. What is not an answer by itself is logged and becomes 500.
    func response(to request: Request, error: any Error) -> Response {
        switch error {
        case let error as any HTTPError:
            var message = error.message
            if isDebug, error.status == .notFound { message += routes(request) }
            var response = page(request, error.status, message)
            response.fields.append(contentsOf: error.fields)
            return response
        case let error as DatabaseError:
            request.logger.error("\(request.method.name) \(request.path): \(error)")
            if isDebug, !error.isTemporary { return DebugPage(request: request, error: error).response }
            let status: Status = error.isTemporary ? .serviceUnavailable : .internalServerError
            var response = page(request, status, isDebug ? error.description : "")
            if error.isTemporary { response.fields.append("Retry-After", "5") }
            return response
        case is ThreadPoolError, is CancellationError:
            var response = page(request, .serviceUnavailable, "")
            response.fields.append("Retry-After", "1")
            return response
        default:
            request.logger.error("\(request.method.name) \(request.path): \(error)")
            if isDebug { return DebugPage(request: request, error: error).response }
            return page(request, .internalServerError, "")
        }
    }

    /// The page for a refused form.
    func response(to request: Request, refusal: CSRF.Refusal) -> Response {
        request.logger.warning("\(request.method.name) \(request.path) refused: \(refusal.rawValue)")
        return page(
            request, .forbidden,
            "CSRF verification failed. "
                + (isDebug ? refusal.rawValue : "Go back, load the page again and send the form once more."))
    }

    private func routes(_ request: Request) -> String {
        let patterns = request.application.routes.map { "\(request.scriptName)\($0.pattern)" }
        return "No URL of site '\(request.application.site.name)' matches '\(request.path)'. There are:\n"
            + patterns.joined(separator: "\n")
    }

    private func page(_ request: Request, _ status: Status, _ message: String) -> Response {
        let own = "\(status.code).html"
        let engine = request.application.pages.engine(at: request.scriptName)
        if (try? engine.template(own)) != nil {
            do throws(TemplateError) {
                return try request.render(own, ["exception": message, "status": status.code], status: status)
            } catch {
                // A broken error page must not hide the error it is about.
                request.logger.error("\(error)")
            }
        }
        return .html(Self.html(status, message), status: status)
    }

    static func html(_ status: Status, _ message: String) -> String {
        let paragraphs = (message.isEmpty ? explanation(status) : message).split(separator: "\n").map {
            "<p>\(HTMLEscape.escaped(String($0)))</p>"
        }
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(status.code) \(HTMLEscape.escaped(status.reason))</title>
            <style>
            :root { color-scheme: light dark }
            body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 15vh auto; padding: 0 1.5rem }
            h1 { font-size: 1.6rem }
            p { overflow-wrap: anywhere }
            </style>
            </head>
            <body>
            <main>
            <h1>\(status.code) \(HTMLEscape.escaped(status.reason))</h1>
            \(paragraphs.joined(separator: "\n"))
            </main>
            </body>
            </html>

            """
    }

    private static func explanation(_ status: Status) -> String {
        switch status.code {
        case 400: "The server could not make sense of this request."
        case 403: "You may not do this."
        case 404: "There is no page at this address."
        case 405: "This page cannot be used in that way."
        case 413: "What you sent is larger than this site takes."
        case 415: "What you sent is of a kind this site does not take."
        case 500: "Something went wrong on our side. It has been noted."
        case 503: "The site cannot answer at the moment. Please try again in a few seconds."
        default: ""
        }
    }
}
