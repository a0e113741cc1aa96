import HTTP
import Synchronization

/// Protection against forged requests, by Django's scheme: a secret in a cookie, and the same secret, masked anew for each
/// page, in the form or in the field `X-CSRFToken`. A page of another site can make the browser send the cookie, but
/// cannot read it and so cannot send the second half.
enum CSRF {
    static let cookieName = "csrftoken"
    static let formField = "csrfmiddlewaretoken"
    static let headerField: StaticString = "X-CSRFToken"
    /// One year, as Django.
    static let cookieAge = Duration.seconds(31_449_600)

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)
    private static let secretLength = 32

    /// Why an unsafe request was refused.
    enum Refusal: String, Sendable {
        case badOrigin = "The request comes from a page of another site (Origin)."
        case noReferer = "The request does not say which page it comes from (no Referer)."
        case badReferer = "The request comes from a page of another site (Referer)."
        case noCookie = "The CSRF cookie is not set: the browser must accept cookies."
        case noToken = "The CSRF token is missing from the form."
        case badToken = "The CSRF token is not the one this site gave out."
    }

    /// A new secret: 32 letters and digits.
    static func newSecret() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<secretLength).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] }
    }

    /// The secret hidden by a one-time mask: mask, then secret plus mask. It differs each time, so that compressed pages
    /// do not give it away (BREACH).
    static func mask(_ secret: [UInt8]) -> String {
        let mask = newSecret()
        let hidden = zip(secret, mask).map { alphabet[(position($0) + position($1)) % alphabet.count] }
        return String(decoding: mask + hidden, as: UTF8.self)
    }

    /// The secret in a token: masked (64 characters) or plain (32); nil for anything else.
    static func secret(in token: String) -> [UInt8]? {
        let bytes = Array(token.utf8)
        guard bytes.allSatisfy(isLetter) else { return nil }
        if bytes.count == secretLength { return bytes }
        guard bytes.count == 2 * secretLength else { return nil }
        return zip(bytes[secretLength...], bytes[..<secretLength]).map {
            alphabet[(position($0) - position($1) + alphabet.count) % alphabet.count]
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: false
        }
    }

    private static func position(_ byte: UInt8) -> Int {
        switch byte {
        case 0x41...0x5A: Int(byte) - 0x41
        case 0x61...0x7A: Int(byte) - 0x61 + 26
        default: Int(byte) - 0x30 + 52
        }
    }

    /// Whether two secrets are the same, in a time that does not depend on where they differ.
    static func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        a.count == b.count && zip(a, b).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// Why `request` is not to be trusted; nil when it is safe or proves itself.
    static func refusal(of request: Request, trustedOrigins: [String]) throws -> Refusal? {
        if request.method.isSafe { return nil }
        let own = "\(request.scheme)://\(request.host)"
        if let origin = request.fields["Origin"] {
            guard isTrusted(origin, own, trustedOrigins) else { return .badOrigin }
        } else if request.isSecure {
            // Over TLS a forged request cannot hide where it comes from; without a Referer there is no telling.
            guard let referer = request.fields["Referer"], let origin = origin(of: referer) else { return .noReferer }
            guard isTrusted(origin, own, trustedOrigins) else { return .badReferer }
        }
        guard let expected = request.cookies[cookieName].flatMap(secret(in:)) else { return .noCookie }
        let given = try request.fields[headerField] ?? (request.isForm ? request.form[formField] : nil)
        guard let given, !given.isEmpty else { return .noToken }
        guard let secret = secret(in: given), areEqual(secret, expected) else { return .badToken }
        return nil
    }

    private static func isTrusted(_ origin: String, _ own: String, _ trusted: [String]) -> Bool {
        let origin = origin.lowercased()
        return origin == own || trusted.contains { AllowedHosts.matches(origin, pattern: $0) }
    }

    /// The scheme and authority of a URL.
    private static func origin(of url: String) -> String? {
        guard let separator = url.firstRange(of: "://") else { return nil }
        let authority = url[separator.upperBound...].prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        return String(url[..<authority.endIndex])
    }
}

extension Request {
    /// The token for a form or the field `X-CSRFToken`, different each time. Asking for it makes the answer set the
    /// cookie it belongs to.
    public var csrfToken: String {
        let secret = lazy.withLock { $0.csrf } ?? establishSecret()
        hasGivenToken.store(true, ordering: .releasing)
        return CSRF.mask(secret)
    }

    private func establishSecret() -> [UInt8] {
        // The cookie is read outside the lock: it takes the same one.
        let secret = cookies[CSRF.cookieName].flatMap(CSRF.secret(in:)) ?? CSRF.newSecret()
        return lazy.withLock { lazy in
            let first = lazy.csrf ?? secret
            lazy.csrf = first
            return first
        }
    }

    /// Whether the body is a form, url-encoded or with files.
    var isForm: Bool {
        let type = mediaType
        return type == "application/x-www-form-urlencoded" || type == "multipart/form-data"
    }
}
