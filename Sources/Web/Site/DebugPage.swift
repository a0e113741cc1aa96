import Gateway
import HTTP
import Templates

/// What a developer is shown of a failure, with `debug` on: the error and where it stands, the request, and the site's
/// settings, without what is secret.
struct DebugPage {
    let request: Request
    let error: any Error

    /// Lines shown before and after the one.
    private static let context = 5
    /// Fields and values whose names hold one of these are not shown (Django's `HIDDEN_SETTINGS`, and what carries credentials).
    private static let secretWords = [
        "auth", "cookie", "csrf", "token", "secret", "pass", "key", "signature", "session",
    ]

    var html: String {
        let title = "\(type(of: error)) at \(request.path)"
        return """
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(Self.escaped(title))</title>
            <style>
            :root { color-scheme: light dark; --quiet: color-mix(in srgb, currentColor 55%, transparent) }
            body { font: 1.05rem/1.5 system-ui, sans-serif; max-width: 64rem; margin: 6vh auto; padding: 0 1.25rem }
            h1 { font-size: 1.5rem; overflow-wrap: anywhere }
            h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
            pre { font: .9rem/1.5 ui-monospace, monospace; overflow-x: auto; padding: .6rem .8rem; border: 1px solid var(--quiet);
              border-radius: .4rem; white-space: pre-wrap; overflow-wrap: anywhere }
            pre mark { background: color-mix(in srgb, #d33 22%, transparent); color: inherit }
            table { border-collapse: collapse; width: 100%; table-layout: fixed }
            th { text-align: left; font-weight: 600; width: 16rem }
            th, td { padding: .25rem .5rem; border-bottom: 1px solid var(--quiet); vertical-align: top; overflow-wrap: anywhere }
            footer { color: var(--quiet); margin: 2rem 0 }
            </style>
            </head>
            <body>
            <main>
            <h1>\(Self.escaped(title))</h1>
            <pre>\(Self.escaped("\(error)"))</pre>
            \(excerpt)
            <h2>Request</h2>
            \(Self.table(requestRows))
            <h2>Header fields</h2>
            \(Self.table(Self.masked(request.fields.pairs.map { ($0.name, $0.value) })))
            \(section("Query", request.query.pairs.map { ($0.name, $0.value) }))
            \(section("Form", form))
            <h2>Settings</h2>
            \(Self.table(settingRows))
            </main>
            <footer>Shown because <code>debug</code> is on. Request \(Self.escaped(request.requestID)).</footer>
            </body>
            </html>

            """
    }

    // MARK: - Parts

    /// The lines of the template around the mistake.
    private var excerpt: String {
        guard let error = error as? TemplateError, error.line > 0,
            let source = request.application.pages.source(of: error.template)
        else { return "" }
        let lines = source.split(separator: "\n", omittingEmptySubsequences: false)
        let first = max(1, error.line - Self.context)
        let last = min(lines.count, error.line + Self.context)
        guard first <= last else { return "" }
        let rows = (first...last).map { number in
            let text = Self.escaped("\(number)\t\(lines[number - 1])")
            return number == error.line ? "<mark>\(text)</mark>" : text
        }
        return "<h2>\(Self.escaped("\(error.template):\(error.line)"))</h2>\n<pre>\(rows.joined(separator: "\n"))</pre>"
    }

    private var form: [(String, String)] { ((try? request.form)?.pairs ?? []).map { ($0.name, $0.value) } }

    private var requestRows: [(String, String)] {
        let route = request.parameters.route
        return [
            ("Method", request.method.name), ("Path", request.path), ("Host", request.host),
            ("Site", request.application.site.name), ("Route", route?.name ?? "–"),
            ("Pattern", route.map { "/\($0.pattern.source)" } ?? "–"), ("View", route?.viewName ?? "–"),
            ("Client", request.connection.remoteHost),
        ]
    }

    private var settingRows: [(String, String)] {
        let settings = request.application.settings
        return [
            ("database", settings.database.map { "\($0)" } ?? "none"), ("secret-key", "****"), ("debug", "true"),
            ("allowed-hosts", settings.allowedHosts.joined(separator: ", ")),
            ("body limit", "\(settings.bodyLimit) B"),
            ("template directories", settings.templateDirectories.joined(separator: ", ")),
            ("static directories", settings.staticDirectories.joined(separator: ", ")),
            ("middleware", request.application.site.middleware.map { "\(type(of: $0))" }.joined(separator: ", ")),
        ]
    }

    private func section(_ title: String, _ rows: [(String, String)]) -> String {
        rows.isEmpty ? "" : "<h2>\(title)</h2>\n\(Self.table(Self.masked(rows)))"
    }

    // MARK: - Text

    static func masked(_ rows: [(String, String)]) -> [(String, String)] {
        rows.map { name, value in
            let lower = name.lowercased()
            return (name, secretWords.contains { lower.contains($0) } ? "****" : value)
        }
    }

    private static func table(_ rows: [(String, String)]) -> String {
        let lines = rows.map { "<tr><th scope=\"row\">\(escaped($0))</th><td>\(escaped($1))</td></tr>" }
        return "<table>\n\(lines.joined(separator: "\n"))\n</table>"
    }

    private static func escaped(_ text: String) -> String { HTMLEscape.escaped(text) }
}
