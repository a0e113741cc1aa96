import TestSupport
import Testing

/// A person with a browser who votes: keeps the cookie, finds the token in the form.
final class PollsVisitor {
    private let connection: WireConnection
    private(set) var cookie: String?
    /// Pages seen, with what differs in each visit taken out.
    private(set) var transcript: [String] = []

    init(at endpoint: Endpoint) throws { connection = try WireConnection(endpoint) }

    convenience init(_ server: AppServer) throws { try self.init(at: server.endpoint) }

    func get(_ path: String) throws -> WireResponse { note(try connection.get(path, cookieField)) }

    func post(_ path: String, form: String) throws -> WireResponse {
        note(try connection.post(path, form: form, cookieField))
    }

    /// Opens the question, and votes.
    func vote(_ question: Int, choice: String?) throws -> WireResponse {
        let token = try #require(Self.token(in: try get("/\(question)/").text), "the form has a token")
        let chosen = choice.map { "&choice=\($0)" } ?? ""
        return try post("/\(question)/vote/", form: "csrfmiddlewaretoken=\(token)\(chosen)")
    }

    private var cookieField: [String] { cookie.map { ["Cookie: \($0)"] } ?? [] }

    private func note(_ response: WireResponse) -> WireResponse {
        for field in response.fields where field.name == "set-cookie" {
            cookie = String(field.value.prefix { $0 != ";" })
        }
        var text = response.text
        if let token = Self.token(in: text) { text = text.split(separator: token).joined(separator: "TOKEN") }
        // Pages say whether they can be live.
        text = text.replacing(#"data-gateway="wsgi""#, with: #"data-gateway="asgi""#)
        let fields = response.fields
            .filter { !["date", "set-cookie"].contains($0.name) }.map { "\($0.name): \($0.value)" }
        transcript.append(([String(response.status)] + fields.sorted() + [text]).joined(separator: "\n"))
        return response
    }

    static func token(in page: String) -> String? {
        let parts = page.split(separator: "name=\"csrfmiddlewaretoken\" value=\"", maxSplits: 1)
        guard parts.count == 2 else { return nil }
        let value = parts[1]
        return String(value.prefix { $0 != "\"" })
    }
}
