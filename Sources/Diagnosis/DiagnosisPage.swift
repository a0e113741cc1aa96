import Gateway
public import HTTP
public import NIOCore

/// What a developer is shown of a failure: HTML for browsers, text for everybody else.
public struct DiagnosisPage: Sendable {
    /// One line.
    public let title: String
    /// What the error says of itself; empty where the title says it all.
    public let message: String
    public let sections: [Section]
    /// Why this is shown, or what to do.
    public let footer: String

    /// A part of the page.
    public enum Section: Sendable {
        /// A line between groups of others.
        case heading(String)
        case excerpt(SourceExcerpt)
        /// Names and values.
        case table(String, [(String, String)])
        /// Text as it was written.
        case text(String, String)
    }

    public init(title: String, message: String = "", sections: [Section], footer: String) {
        self.title = title
        self.message = message
        self.sections = sections
        self.footer = footer
    }

    /// The whole answer, in the form that `request` asks for.
    public func response(to request: RequestHead, _ status: Status) -> (ResponseHead, ByteBuffer) {
        // Who does not say what is accepted accepts everything (RFC 9110 §12.5.1).
        let wantsHTML = request.fields["Accept"]?.contains("text/html") ?? true
        let body = ByteBuffer(string: wantsHTML ? html : text)
        return (
            ResponseHead(
                status,
                [
                    "Content-Type": wantsHTML ? "text/html; charset=utf-8" : "text/plain; charset=utf-8",
                    "Content-Length": String(body.readableBytes), "Cache-Control": "no-store",
                ]), body
        )
    }

    // MARK: - HTML

    public var html: String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(Self.escaped(title))</title>
        <style>
        \(Self.style)
        </style>
        </head>
        <body>
        <main>
        <h1>\(Self.escaped(title))</h1>
        \(message.isEmpty ? "" : "<pre class=\"said\">\(Self.escaped(message))</pre>")
        \(sections.map(\.html).joined(separator: "\n"))
        </main>
        <footer>\(Self.escaped(footer))</footer>
        </body>
        </html>

        """
    }

    private static let style = """
        :root { color-scheme: light dark; --quiet: color-mix(in srgb, currentColor 55%, transparent) }
        body { font: 1.05rem/1.5 system-ui, sans-serif; max-width: 64rem; margin: 6vh auto; padding: 0 1.25rem }
        h1 { font-size: 1.5rem; border-left: .4rem solid #d33; padding-left: .8rem; overflow-wrap: anywhere }
        h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
        h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; overflow-wrap: anywhere }
        p { margin: .3rem 0; overflow-wrap: anywhere }
        pre { font: .9rem/1.5 ui-monospace, monospace; overflow-x: auto; border: 1px solid var(--quiet); border-radius: .4rem;
          padding: .6rem 0; margin: .4rem 0 }
        pre span { display: block; padding: 0 .8rem; white-space: pre }
        pre .here { background: color-mix(in srgb, #d33 22%, transparent); font-weight: 600 }
        pre b { font-weight: normal; color: var(--quiet); display: inline-block; width: 3.5em; user-select: none }
        .said { padding: .6rem .8rem; white-space: pre-wrap; overflow-wrap: anywhere }
        table { border-collapse: collapse; width: 100%; table-layout: fixed }
        th { text-align: left; font-weight: 600; width: 16rem }
        th, td { padding: .25rem .5rem; border-bottom: 1px solid var(--quiet); vertical-align: top; overflow-wrap: anywhere }
        footer { color: var(--quiet); margin: 2rem 0 }
        """

    static func escaped(_ text: String) -> String { ErrorPage.escape(text) }

    // MARK: - Text

    public var text: String {
        let parts = [title, message] + sections.map(\.text) + [footer]
        return parts.filter { !$0.isEmpty }.joined(separator: "\n\n") + "\n"
    }
}

extension DiagnosisPage.Section {
    var html: String {
        switch self {
        case .heading(let title): "<h2>\(DiagnosisPage.escaped(title))</h2>"
        case .excerpt(let excerpt): excerpt.html
        case .table(let title, let rows): "<h2>\(DiagnosisPage.escaped(title))</h2>\n\(Self.table(rows))"
        case .text(let title, let text):
            "<h2>\(DiagnosisPage.escaped(title))</h2>\n<pre class=\"said\">\(DiagnosisPage.escaped(text))</pre>"
        }
    }

    private static func table(_ rows: [(String, String)]) -> String {
        let lines = rows.map { name, value in
            "<tr><th scope=\"row\">\(DiagnosisPage.escaped(name))</th><td>\(DiagnosisPage.escaped(value))</td></tr>"
        }
        return "<table>\n\(lines.joined(separator: "\n"))\n</table>"
    }

    var text: String {
        switch self {
        case .heading(let title): title
        case .excerpt(let excerpt): excerpt.text
        case .table(let title, let rows): ([title] + rows.map { "  \($0): \($1)" }).joined(separator: "\n")
        case .text(let title, let text): "\(title)\n\(text)"
        }
    }
}

extension SourceExcerpt {
    var html: String {
        let name = DiagnosisPage.escaped(place)
        let heading = link.map { "<a href=\"\(DiagnosisPage.escaped($0))\">\(name)</a>" } ?? name
        let rows = lines.map { line in
            let mark = line.isHere ? " class=\"here\"" : ""
            return "<span\(mark)><b>\(line.number)</b>\(DiagnosisPage.escaped(String(line.text)))</span>"
        }
        return """
            <section>
            <h3>\(heading)</h3>
            \(note.isEmpty ? "" : "<p>\(DiagnosisPage.escaped(note))</p>")
            \(rows.isEmpty ? "" : "<pre>\(rows.joined())</pre>")
            </section>
            """
    }

    var text: String {
        let rows = lines.map { "\($0.isHere ? ">" : " ") \($0.number)\t\($0.text)" }
        return ([note.isEmpty ? place : "\(place) \(note)"] + rows).joined(separator: "\n")
    }
}
