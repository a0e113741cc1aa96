import Crypto
import Diagnosis
import FoundationEssentials
import HTTP
import NIOCore
import Templates

/// A panel at the end of a page that shows a developer what the page has cost: time, statements, templates; and what was
/// asked for. It needs no script and nothing from elsewhere, and lives in a shadow tree, where the page's own style sheets
/// do not reach it.
struct DebugToolbar {
    let profile: RequestProfile
    let request: Request

    /// Whether the answer to a request may become a page that somebody looks at, rather than a part of one.
    static func isWanted(_ head: RequestHead) -> Bool {
        guard head.method != .head, head.fields["Accept"]?.contains("text/html") ?? false else { return false }
        return head.fields["Sec-Fetch-Dest"].map { ["document", "iframe", "frame"].contains($0) } ?? true
    }

    /// The response with the panel in it; anything but a whole, plain page stays as it is.
    func added(to response: Response) -> Response {
        guard case .bytes(let page) = response.body, Self.isPage(response) else { return response }
        var response = response
        let nonce = adjustPolicies(&response)
        let panel = Array(html(nonce: nonce).utf8)
        let bytes = Array(page.readableBytesView)
        let end = Self.endOfBody(bytes)
        response.body = .bytes(ByteBuffer(bytes: bytes[..<end] + panel + bytes[end...]))
        if response.fields.contains("Content-Length") {
            response.fields.set("Content-Length", String(bytes.count + panel.count))
        }
        return response
    }

    private static func isPage(_ response: Response) -> Bool {
        guard !response.fields.contains("Content-Encoding"), !response.status.isBodiless else { return false }
        return (response.fields["Content-Type"] ?? response.contentType?.value ?? "").lowercased()
            .hasPrefix("text/html")
    }

    /// Where the body element ends; without an end tag, the end.
    private static func endOfBody(_ bytes: [UInt8]) -> Int {
        let tag = Array("</body".utf8)
        guard bytes.count >= tag.count else { return bytes.count }
        let found = (0...(bytes.count - tag.count)).last { start in
            bytes[start] == tag[0] && bytes[start..<(start + tag.count)].map { $0 | 0x20 } == tag.map { $0 | 0x20 }
        }
        return found ?? bytes.count
    }

    /// Lets the panel's style sheet count under the page's policies: by the nonce of the first, else by its hash.
    private func adjustPolicies(_ response: inout Response) -> String? {
        let policies = response.fields.values("Content-Security-Policy").map(ContentPolicy.init)
        guard !policies.isEmpty else { return nil }
        let nonce = policies.lazy.compactMap(\.styleNonce).first
        response.fields.remove("Content-Security-Policy")
        for policy in policies {
            let isMet = nonce != nil && policy.styleNonce == nonce
            response.fields.append(
                "Content-Security-Policy", (isMet ? policy : policy.allowingStyle(hash: Self.styleHash)).value)
        }
        return nonce
    }

    private static let styleHash = "sha256-" + Data(SHA256.hash(data: Data(style.utf8))).base64EncodedString()

    // MARK: - The panel

    private func html(nonce: String?) -> String {
        let notes = profile.notes
        let elapsed = profile.elapsed
        let count = notes.statements.count
        let nonce = nonce.map { " nonce=\"\(Self.escaped($0))\"" } ?? ""
        return """
            <aside id="portico-toolbar" aria-label="Debug toolbar"><template shadowrootmode="open">\
            <style\(nonce)>\(Self.style)</style>
            <details>
            <summary>\(Self.text(elapsed)) · \(count) \(count == 1 ? "statement" : "statements")</summary>
            <div role="region" aria-label="What this page has cost" tabindex="0">
            \(times(notes, elapsed))
            \(statements(notes))
            \(templates(notes))
            \(fields)
            </div>
            </details></template></aside>

            """
    }

    private func times(_ notes: RequestProfile.Notes, _ elapsed: Duration) -> String {
        let view = request.parameters.route.map { "View \($0.viewName)" } ?? "View"
        let rows = [
            ("Routing", notes.routing), (view, notes.view),
            ("– of it SQL", notes.statements.reduce(.zero) { $0 + $1.duration }),
            ("– of it templates", notes.rendered.reduce(.zero) { $0 + $1.duration }), ("Total", elapsed),
        ]
        return Self.table("Time", ["What", "Time"], rows.map { [$0, Self.text($1)] })
    }

    private func statements(_ notes: RequestProfile.Notes) -> String {
        guard !notes.statements.isEmpty else { return "<h2>SQL</h2><p>No statement was run.</p>" }
        let times = Dictionary(notes.statements.map { ($0.sql, 1) }, uniquingKeysWith: +)
        let duplicates = times.values.reduce(0) { $0 + $1 - 1 }
        let rows = notes.statements.map { statement in
            let same = times[statement.sql] ?? 1
            return [statement.sql, Self.text(statement.duration), same > 1 ? "\(same) times" : ""]
        }
        let title =
            "SQL: \(rows.count) " + (rows.count == 1 ? "statement" : "statements")
            + (duplicates > 0 ? ", \(duplicates) of them duplicates" : "")
        return Self.table(title, ["Statement", "Time", "Same"], rows)
    }

    private func templates(_ notes: RequestProfile.Notes) -> String {
        guard !notes.rendered.isEmpty else { return "<h2>Templates</h2><p>No template was rendered.</p>" }
        let rows = notes.rendered.map { [$0.template, Self.text($0.duration), $0.others.joined(separator: ", ")] }
        return Self.table("Templates", ["Template", "Time", "With"], rows)
    }

    private var fields: String {
        let rows = SecretMask.applied(to: request.fields.pairs.map { ($0.name, $0.value) })
        return Self.table("Request header", ["Field", "Value"], rows.map { [$0, $1] })
    }

    private static func table(_ title: String, _ columns: [String], _ rows: [[String]]) -> String {
        let head = columns.map { "<th scope=\"col\">\(escaped($0))</th>" }.joined()
        let lines = rows.map { row in "<tr>" + row.map { "<td>\(escaped($0))</td>" }.joined() + "</tr>" }
        return """
            <h2>\(escaped(title))</h2>
            <table><thead><tr>\(head)</tr></thead><tbody>
            \(lines.joined(separator: "\n"))
            </tbody></table>
            """
    }

    private static func text(_ duration: Duration) -> String {
        let hundredths = Int((duration / .milliseconds(1) * 100).rounded())
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest) ms"
    }

    private static func escaped(_ text: String) -> String { HTMLEscape.escaped(text) }

    private static let style = """
        :host { all: initial; position: fixed; left: 0; bottom: 0; z-index: 2147483646; max-width: 100vw;
          font: 14px/1.45 system-ui, sans-serif; color-scheme: light dark; color: CanvasText }
        @media print { :host { display: none } }
        details { background: Canvas; border: 1px solid GrayText; border-width: 1px 1px 0 0; border-radius: 0 8px 0 0 }
        summary { cursor: pointer; padding: 4px 12px; font-variant-numeric: tabular-nums }
        summary:focus-visible, div:focus-visible { outline: 2px solid Highlight; outline-offset: -2px }
        div { max-height: 70vh; max-width: min(72rem, calc(100vw - 2px)); overflow: auto; padding: 0 12px 12px }
        h2 { font-size: 15px; margin: 16px 0 4px }
        p { margin: 0 }
        table { border-collapse: collapse; width: 100% }
        th { text-align: left; white-space: nowrap }
        th, td { padding: 3px 16px 3px 0; border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent);
          vertical-align: top; overflow-wrap: anywhere }
        td { font-family: ui-monospace, monospace; font-size: 13px }
        td:nth-child(2) { white-space: nowrap; font-variant-numeric: tabular-nums }
        table:last-child td:nth-child(2) { white-space: normal }
        """
}
