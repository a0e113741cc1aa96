import Config
import HTTP
import Platform

/// Someone who goes through the steps: keeps cookies, remembers the last page for its form's token, follows redirects.
struct SmokeSession {
    /// Why a step has no answer to look at.
    enum Failure: Error, Equatable, CustomStringConvertible {
        case client(ClientFailure)
        case noToken(field: String)
        case redirectElsewhere(String)
        case tooManyRedirects

        var description: String {
            switch self {
            case .client(let failure): "\(failure)"
            case .noToken(let field):
                "no CSRF token: no page before had a form with '\(field)', and there is no cookie 'csrftoken'"
            case .redirectElsewhere(let location): "redirected to another host: \(location)"
            case .tooManyRedirects: "more than \(SmokeSession.maximumRedirects) redirects"
            }
        }
    }

    static let maximumRedirects = 10

    private let address: ClientAddress
    /// The value of `Host`.
    private let authority: String
    /// How long one request may take.
    private let timeout: Duration
    private var cookies: [KeptCookie] = []
    private var page = ""
    private var pageTarget = "/"

    init(_ address: ClientAddress, authority: String? = nil, timeout: Duration) {
        self.address = address
        self.authority = authority ?? address.authority
        self.timeout = timeout
    }

    /// Sends the step's request; the answer is the last one where redirects are followed.
    mutating func perform(_ step: SmokeStep) throws(Failure) -> ClientResponse {
        var token: (field: String, value: String)?
        if let field = step.csrfField { token = (field, try self.token(field)) }
        var method = step.method
        var target = step.target
        var body = Self.body(of: step, token: token)
        var fields = step.send.map { (name: $0.name, value: $0.value.text) }
        if let type = body?.type, !fields.contains(where: { $0.name.lowercased() == "content-type" }) {
            fields.append(("Content-Type", type))
        }
        if let token {
            // Django asks for the Referer where it takes the connection to be secure.
            fields.append(("Referer", "http://\(authority)\(pageTarget)"))
            if case .form = step.body {} else { fields.append(("X-CSRFToken", token.value)) }
        }
        let deadline = MonotonicTime.now() + timeout
        for _ in 0...Self.maximumRedirects {
            let response = try send(method, target, fields, body?.bytes, before: deadline)
            guard step.follow, [301, 302, 303, 307, 308].contains(response.status),
                let location = response.values("Location").first
            else { return response }
            target = try resolved(location, from: target)
            // As browsers do: a form that was redirected by 301, 302 or 303 is followed by a GET.
            if response.status < 307, method != "HEAD" {
                method = "GET"
                body = nil
                fields.removeAll { $0.name.lowercased() == "content-type" }
            }
        }
        throw .tooManyRedirects
    }

    private mutating func send(
        _ method: String, _ target: String, _ fields: [(name: String, value: String)], _ body: [UInt8]?,
        before deadline: MonotonicTime
    ) throws(Failure) -> ClientResponse {
        var request = ClientRequest(method, target)
        request.fields = fields
        if !fields.contains(where: { $0.name.lowercased() == "host" }) { request.fields.append(("Host", authority)) }
        let path = String(target.prefix { $0 != "?" })
        let sent = cookies.filter { $0.applies(to: path) }.map { "\($0.name)=\($0.value)" }
        if !sent.isEmpty { request.fields.append(("Cookie", sent.joined(separator: "; "))) }
        request.body = body
        let response: ClientResponse
        do throws(ClientFailure) { response = try request.send(to: address, before: deadline) } catch {
            throw .client(error)
        }
        for field in response.values("Set-Cookie") { keep(field) }
        page = response.text
        pageTarget = target
        return response
    }

    private mutating func keep(_ field: String) {
        guard let cookie = KeptCookie(field) else { return }
        cookies.removeAll { $0.name == cookie.name && $0.path == cookie.path }
        if !cookie.isForgotten { cookies.append(cookie) }
    }

    /// The token on the last page, else that of the cookie.
    private func token(_ field: String) throws(Failure) -> String {
        if let token = HiddenField.value(of: field, in: page) { return token }
        if let cookie = cookies.last(where: { $0.name == "csrftoken" }) { return cookie.value }
        throw .noToken(field: field)
    }

    private static func body(of step: SmokeStep, token: (field: String, value: String)?) -> (
        bytes: [UInt8], type: String?
    )? {
        switch step.body {
        case .form(let pairs):
            var values = QueryValues()
            if let token { values.append(token.field, token.value) }
            for pair in pairs { values.append(pair.name, pair.value.text) }
            return (Array(values.encoded.utf8), "application/x-www-form-urlencoded")
        case .json(let text): return (Array(text.utf8), "application/json")
        case .text(let text): return (Array(text.utf8), nil)
        case nil:
            // A POST without a body says so.
            return step.isSafe ? nil : ([], nil)
        }
    }

    /// `location` as the target of a request, when it is on this host (RFC 3986 §5.2, as far as a path needs it).
    private func resolved(_ location: String, from target: String) throws(Failure) -> String {
        let text = String(location.prefix { $0 != "#" })
        for prefix in ["http://", "https://", "//"] where text.hasPrefix(prefix) {
            let rest = text.dropFirst(prefix.count)
            let host = rest.prefix { $0 != "/" && $0 != "?" }
            guard host == authority || host == address.authority else { throw .redirectElsewhere(location) }
            let path = rest.dropFirst(host.count)
            return path.hasPrefix("/") ? String(path) : "/" + path
        }
        if text.hasPrefix("/") { return text }
        let path = target.prefix { $0 != "?" }
        if text.isEmpty || text.hasPrefix("?") { return path + text }
        return path[...(path.lastIndex(of: "/") ?? path.startIndex)] + text
    }
}

/// A cookie that a server has set (RFC 6265 §5.3, as far as one host needs it).
private struct KeptCookie {
    let name: String
    let value: String
    let path: String
    /// Whether the server takes it back.
    let isForgotten: Bool

    init?(_ field: String) {
        let parts = field.split(separator: ";", omittingEmptySubsequences: false).map { Self.pair($0) }
        guard let first = parts.first, !first.name.isEmpty else { return nil }
        (name, value) = first
        var path = "/"
        var isForgotten = false
        for attribute in parts.dropFirst() {
            switch attribute.name.lowercased() {
            case "path" where attribute.value.hasPrefix("/"): path = attribute.value
            case "max-age": isForgotten = Int(attribute.value).map { $0 <= 0 } ?? isForgotten
            case "expires": isForgotten = HTTPDate(parsing: attribute.value).map { $0 <= .now } ?? isForgotten
            default: break
            }
        }
        self.path = path
        self.isForgotten = isForgotten
    }

    private static func pair(_ text: Substring) -> (name: String, value: String) {
        func trimmed(_ text: Substring) -> String {
            let start = text.drop { $0 == " " }
            return String(start.prefix(start.count - start.reversed().prefix { $0 == " " }.count))
        }
        guard let equals = text.firstIndex(of: "=") else { return (trimmed(text), "") }
        return (trimmed(text[..<equals]), trimmed(text[text.index(after: equals)...]))
    }

    func applies(to target: String) -> Bool {
        target == path || target.hasPrefix(path) && (path.hasSuffix("/") || target.dropFirst(path.count).hasPrefix("/"))
    }
}

/// The hidden fields of a page's forms.
enum HiddenField {
    /// The value of the first `<input>` of this name, whatever the order of its attributes.
    static func value(of name: String, in page: String) -> String? {
        var rest = page[...]
        while let start = rest.firstRange(of: "<input") {
            rest = rest[start.upperBound...]
            let tag = rest.prefix { $0 != ">" }
            if attribute("name", in: tag) == name, let value = attribute("value", in: tag) { return value }
        }
        return nil
    }

    private static func attribute(_ name: String, in tag: Substring) -> String? {
        guard let start = tag.firstRange(of: " \(name)=") else { return nil }
        let rest = tag[start.upperBound...]
        guard let quote = rest.first, quote == "\"" || quote == "'" else {
            return String(rest.prefix { !$0.isWhitespace && $0 != "/" })
        }
        return String(rest.dropFirst().prefix { $0 != quote })
    }
}
