import Glibc
import Platform

/// The page about an ``ErrorReport``: each place with the lines around it, then all that was said.
public struct ErrorReportPage {
    let report: ErrorReport
    let editor: EditorLink?
    /// What relative file names are relative to.
    let directory: String?

    public init(_ report: ErrorReport, editor: EditorLink? = nil, directory: String? = nil) {
        self.report = report
        self.editor = editor
        self.directory = directory
    }

    /// Lines shown before and after the one.
    private static let context = 4

    public var html: String {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(Self.escaped(report.title))</title>
        <style>
        :root { color-scheme: light dark; --quiet: color-mix(in srgb, currentColor 55%, transparent) }
        body { font: 1.05rem/1.5 system-ui, sans-serif; max-width: 64rem; margin: 6vh auto; padding: 0 1.25rem }
        h1 { font-size: 1.5rem; border-left: .4rem solid #d33; padding-left: .8rem }
        h2 { font-size: 1rem; margin: 2rem 0 .3rem; overflow-wrap: anywhere }
        p { margin: .3rem 0; overflow-wrap: anywhere }
        pre { font: .9rem/1.5 ui-monospace, monospace; overflow-x: auto; border: 1px solid var(--quiet); border-radius: .4rem;
          padding: .6rem 0; margin: .4rem 0 }
        pre span { display: block; padding: 0 .8rem; white-space: pre }
        pre .here { background: color-mix(in srgb, #d33 22%, transparent) }
        pre b { font-weight: normal; color: var(--quiet); display: inline-block; width: 3.5em; user-select: none }
        .said { padding: .6rem .8rem; white-space: pre-wrap; overflow-wrap: anywhere }
        footer { color: var(--quiet); margin: 2rem 0 }
        </style>
        </head>
        <body>
        <main>
        <h1>\(Self.escaped(report.title))</h1>
        \(report.places.map(section).joined(separator: "\n"))
        <h2>All that was said</h2>
        <pre class="said">\(Self.escaped(report.text))</pre>
        </main>
        <footer>This page comes back to what it was when the mistake is mended.</footer>
        </body>
        </html>

        """
    }

    private func section(_ place: ErrorReport.Place) -> String {
        let path = absolute(place.file)
        let column = place.column.map { ":\($0)" } ?? ""
        let name = Self.escaped("\(place.file):\(place.line)\(column)")
        let heading = editor.map { editor in
            let url = editor.url(file: path, line: place.line, column: place.column)
            return "<a href=\"\(Self.escaped(url))\">\(name)</a>"
        }
        return """
            <section>
            <h2>\(heading ?? name)</h2>
            <p>\(Self.escaped(place.message))</p>
            \(excerpt(path, place.line))</section>
            """
    }

    /// The lines around `line`; nothing when the file cannot be read.
    private func excerpt(_ path: String, _ line: Int) -> String {
        guard let bytes = try? Descriptor.contents(ofFile: path) else { return "" }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        let first = max(1, line - Self.context)
        let last = min(lines.count, line + Self.context)
        guard first <= last else { return "" }
        let rows = (first...last).map { number in
            let mark = number == line ? " class=\"here\"" : ""
            return "<span\(mark)><b>\(number)</b>\(Self.escaped(String(lines[number - 1])))</span>"
        }
        return "<pre>\(rows.joined())</pre>\n"
    }

    private func absolute(_ file: String) -> String {
        file.hasPrefix("/") ? file : directory.map { "\($0)/\(file)" } ?? file
    }

    static func escaped(_ text: String) -> String {
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
