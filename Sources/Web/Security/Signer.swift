import Crypto
import FoundationEssentials
import Glibc

/// Signs text so that a client can keep it but not change it: `value:timestamp:signature`, by HMAC-SHA256 with a key
/// derived from the site's secret key and a salt. Two uses with different salts never accept each other's values.
public struct Signer: Sendable {
    private let key: SymmetricKey

    /// Why a signed text is not accepted.
    public enum Refusal: Error, Equatable {
        case malformed
        /// Changed by the client, or signed with another key or salt.
        case badSignature
        /// Older than allowed.
        case expired
    }

    /// A signer for one use of the secret key, named by `salt`.
    public init(secretKey: SecretKey, salt: String) {
        key = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: secretKey.key, info: Data("portico.signer.\(salt)".utf8), outputByteCount: 32)
    }

    /// `value` with the time of signing (seconds since 1970) and a signature; every byte may stand in a cookie.
    public func sign(_ value: String) -> String { sign(value, at: Int(time(nil))) }

    func sign(_ value: String, at seconds: Int) -> String {
        let text = "\(Base64URL.encode(Array(value.utf8))):\(seconds)"
        return "\(text):\(signature(text))"
    }

    /// The value of a text made by ``sign(_:)``, not older than `maxAge`.
    public func value(of signed: String, maxAge: Duration? = nil) throws(Refusal) -> String {
        try value(of: signed, maxAge: maxAge, at: Int(time(nil)))
    }

    func value(of signed: String, maxAge: Duration?, at now: Int) throws(Refusal) -> String {
        let parts = signed.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let seconds = Int(parts[1]), let signature = Base64URL.decode(parts[2].utf8) else {
            throw .malformed
        }
        // Compared in constant time.
        guard
            HMAC<SHA256>.isValidAuthenticationCode(
                signature, authenticating: Data("\(parts[0]):\(parts[1])".utf8), using: key)
        else { throw .badSignature }
        if let maxAge, now - seconds > maxAge.components.seconds { throw .expired }
        guard let bytes = Base64URL.decode(parts[0].utf8), let value = String(validating: bytes, as: UTF8.self) else {
            throw .malformed
        }
        return value
    }

    private func signature(_ text: String) -> String {
        Base64URL.encode(Array(HMAC<SHA256>.authenticationCode(for: Data(text.utf8), using: key)))
    }
}

/// The secret everything signed depends on. Never printed.
public struct SecretKey: Sendable, CustomStringConvertible, CustomReflectable {
    let key: SymmetricKey
    /// Whether it was made for this process alone, so that what it signs is void after a restart.
    public let isTemporary: Bool
    /// Whether it is long and varied enough not to be guessed, and not one that `django-admin startproject` wrote (as
    /// Django's check security.W009).
    public let isStrong: Bool
    /// Whether nobody else has it: what one process signs, others do not accept.
    let isOfThisProcessAlone: Bool

    /// The key in the configuration.
    public init(_ text: String) {
        key = SymmetricKey(data: Data(text.utf8))
        isTemporary = false
        isOfThisProcessAlone = false
        isStrong = text.utf8.count >= 50 && Set(text.utf8).count >= 5 && !text.hasPrefix("django-insecure-")
    }

    private init(temporary: SymmetricKey, isOfThisProcessAlone: Bool) {
        key = temporary
        self.isOfThisProcessAlone = isOfThisProcessAlone
        isTemporary = true
        isStrong = true
    }

    /// A key for this process alone: for development, where none is configured.
    public static func temporary() -> SecretKey {
        SecretKey(temporary: SymmetricKey(size: .bits256), isOfThisProcessAlone: true)
    }

    /// A key for this start alone that all workers share: random text from their supervisor, who says so. Without it, as
    /// ``temporary()``.
    public static func temporary(_ text: String?) -> SecretKey {
        text.map { SecretKey(temporary: SymmetricKey(data: Data($0.utf8)), isOfThisProcessAlone: false) } ?? temporary()
    }

    public var description: String { "SecretKey(…)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

extension Request {
    /// The value of a cookie set by ``Response/setSignedCookie(_:_:for:maxAge:)``; nil when it is absent, was changed, or
    /// is older than `maxAge`.
    public func signedCookie(_ name: String, maxAge: Duration? = nil) -> String? {
        cookies[name].flatMap { try? application.signer(cookie: name).value(of: $0, maxAge: maxAge) }
    }
}

extension Response {
    /// Sets a cookie the client can read but not change.
    public mutating func setSignedCookie(
        _ name: String, _ value: String, for request: Request, maxAge: Duration? = nil
    ) throws(Cookie.Invalid) {
        try setCookie(name, request.application.signer(cookie: name).sign(value), maxAge: maxAge)
    }
}
