/// The cookies of a request (RFC 6265 §4.2).
public struct Cookies: Sendable {
    /// Names and values in the order they were sent. Browsers send the most specific path first.
    public let pairs: [(name: String, value: String)]

    /// Reads the value of a `Cookie` field: pairs between semicolons, a pair of quotes around a value taken off. What is
    /// no pair is passed over, as every server does.
    public init(parsing text: some StringProtocol) {
        pairs = text.split(separator: ";").compactMap { element in
            let trimmed = Self.trimmed(element)
            guard let equals = trimmed.firstIndex(of: "="), equals > trimmed.startIndex else { return nil }
            var value = Self.trimmed(trimmed[trimmed.index(after: equals)...])
            if value.count >= 2, value.first == "\"", value.last == "\"" { value = value.dropFirst().dropLast() }
            return (String(Self.trimmed(trimmed[..<equals])), String(value))
        }
    }

    /// The cookies of `request`; several fields count as one.
    public init(_ request: RequestHead) {
        let values = request.fields.pairs.filter { $0.name.lowercased() == "cookie" }.map(\.value)
        self.init(parsing: values.joined(separator: ";"))
    }

    /// The first value of this name, which is the most specific one; nil without any.
    public subscript(name: String) -> String? { pairs.first { $0.name == name }?.value }

    private static func trimmed(_ text: some StringProtocol) -> Substring {
        let rest = Substring(text).drop { $0 == " " || $0 == "\t" }
        guard let end = rest.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return "" }
        return rest[...end]
    }
}

/// A cookie to set (RFC 6265 §4.1, with `SameSite` of RFC 6265bis).
public struct SetCookie: Sendable, Equatable {
    /// When a browser sends the cookie with requests that come from other sites.
    public enum SameSite: String, Sendable {
        case strict = "Strict"
        case lax = "Lax"
        case none = "None"
    }

    public var name: String
    public var value: String
    /// The paths it is sent to.
    public var path: String?
    /// The domain, with its subdomains, it is sent to; nil is the host alone.
    public var domain: String?
    /// Seconds it lives; nil is the browser session, zero or less deletes it.
    public var maxAge: Int?
    public var expires: HTTPDate?
    public var isSecure = false
    public var isHTTPOnly = true
    public var sameSite: SameSite? = .lax

    /// A session cookie for the whole site, out of reach for scripts and sent from other sites by links alone.
    public init(_ name: String, _ value: String, path: String? = "/") {
        self.name = name
        self.value = value
        self.path = path
    }

    /// A cookie that makes the browser forget `name`.
    public static func deleting(_ name: String, path: String? = "/") -> SetCookie {
        var cookie = SetCookie(name, "", path: path)
        cookie.maxAge = 0
        cookie.expires = HTTPDate(seconds: 0)
        return cookie
    }

    /// Why a cookie cannot be sent as it is.
    public enum Invalid: Error, Equatable, CustomStringConvertible {
        /// The name is no token.
        case name(String)
        /// The value holds something other than cookie-octets: encode it first.
        case value(name: String)
        /// Path or domain hold a semicolon or control characters.
        case attribute(name: String)
        /// Browsers refuse `SameSite=None` without `Secure`.
        case sameSiteNoneNeedsSecure(name: String)

        public var description: String {
            switch self {
            case .name(let name): "invalid cookie name \(name.debugDescription)"
            case .value(let name): "the value of cookie '\(name)' holds characters cookies may not: encode it first"
            case .attribute(let name): "path or domain of cookie '\(name)' hold a semicolon or control characters"
            case .sameSiteNoneNeedsSecure(let name): "cookie '\(name)': SameSite=None needs Secure"
            }
        }
    }

    /// The value of a `Set-Cookie` field; throws when a part would not come back the way it was sent.
    public func fieldValue() throws(Invalid) -> String {
        guard !name.isEmpty, name.utf8.allSatisfy(Token.contains) else { throw .name(name) }
        guard value.utf8.allSatisfy(Self.isCookieOctet) else { throw .value(name: name) }
        for attribute in [path, domain].compactMap(\.self)
        where !attribute.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F && $0 != 0x3B }) {
            throw .attribute(name: name)
        }
        if sameSite == SameSite.none, !isSecure { throw .sameSiteNoneNeedsSecure(name: name) }
        var text = "\(name)=\(value)"
        if let expires { text += "; Expires=\(expires.text)" }
        if let maxAge { text += "; Max-Age=\(maxAge)" }
        if let domain { text += "; Domain=\(domain)" }
        if let path { text += "; Path=\(path)" }
        if isSecure { text += "; Secure" }
        if isHTTPOnly { text += "; HttpOnly" }
        if let sameSite { text += "; SameSite=\(sameSite.rawValue)" }
        return text
    }

    // cookie-octet: US-ASCII without controls, space, quote, comma, semicolon and backslash.
    private static func isCookieOctet(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && byte != 0x22 && byte != 0x2C && byte != 0x3B && byte != 0x5C
    }
}
