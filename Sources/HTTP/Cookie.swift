/// A cookie to set (RFC 6265bis §4.1).
public struct Cookie: Sendable, Equatable {
    /// When other sites' pages may make the browser send the cookie.
    public enum SameSite: String, Sendable {
        case lax = "Lax"
        case strict = "Strict"
        /// Always; browsers then insist on `Secure`.
        case none = "None"
    }

    /// Why a cookie cannot be sent.
    public enum Invalid: Error, Equatable, CustomStringConvertible {
        /// The name is no token.
        case name(String)
        /// The value holds something other than cookie-octets: encode or sign it first.
        case value(name: String)
        /// Path or domain hold a semicolon or control characters.
        case attribute(name: String)

        public var description: String {
            switch self {
            case .name(let name): "invalid cookie name \(name.debugDescription)"
            case .value(let name):
                "the value of cookie '\(name)' holds bytes that may not stand in one; percent-encode or sign it"
            case .attribute(let name): "path or domain of cookie '\(name)' hold a control character or a semicolon"
            }
        }
    }

    public let name: String
    public let value: String
    /// The paths it is sent to.
    public let path: String
    /// The domain, with its subdomains, it is sent to; nil is the host alone.
    public let domain: String?
    /// How long the browser keeps it; nil for as long as it runs, zero to forget it.
    public let maxAge: Duration?
    public let sameSite: SameSite
    /// Whether scripts are kept from reading it.
    public let isHTTPOnly: Bool
    /// Whether it is sent over TLS only; nil makes it so when the request came over TLS.
    public let isSecure: Bool?

    /// A cookie; by default for the whole site, hidden from scripts and `SameSite=Lax`.
    public init(
        _ name: String, _ value: String, path: String = "/", domain: String? = nil, maxAge: Duration? = nil,
        sameSite: SameSite = .lax, isHTTPOnly: Bool = true, isSecure: Bool? = nil
    ) throws(Invalid) {
        guard !name.isEmpty, name.utf8.allSatisfy(Token.contains) else { throw .name(name) }
        guard value.utf8.allSatisfy(Self.isValueByte) else { throw .value(name: name) }
        guard (path + (domain ?? "")).utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x3B && $0 != 0x7F }) else {
            throw .attribute(name: name)
        }
        self.name = name
        self.value = value
        self.path = path
        self.domain = domain
        self.maxAge = maxAge
        self.sameSite = sameSite
        self.isHTTPOnly = isHTTPOnly
        self.isSecure = isSecure
    }

    // cookie-octet of RFC 6265 §4.1.1: no controls, space, quote, comma, semicolon, backslash.
    private static func isValueByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x21, 0x23...0x2B, 0x2D...0x3A, 0x3C...0x5B, 0x5D...0x7E: true
        default: false
        }
    }

    /// The value of `Set-Cookie`, for a request that came over TLS or did not.
    public func fieldValue(isRequestSecure: Bool) -> String {
        var text = "\(name)=\(value); Path=\(path)"
        if let domain { text += "; Domain=\(domain)" }
        if let maxAge {
            text += "; Max-Age=\(max(0, maxAge.components.seconds))"
            if maxAge <= .zero { text += "; Expires=Thu, 01 Jan 1970 00:00:00 GMT" }
        }
        if isHTTPOnly { text += "; HttpOnly" }
        if isSecure ?? (isRequestSecure || sameSite == .none) { text += "; Secure" }
        return text + "; SameSite=\(sameSite.rawValue)"
    }
}
