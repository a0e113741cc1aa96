import Gateway
import HTTP
import NIOCore

/// Who may ask the admin listener for what.
///
/// On a Unix socket the kernel has said who asks, before anything was read. On TCP nobody knows: whoever can connect may
/// look, unless a token is configured, and nothing can be changed without one. A browser on the same machine must not become
/// somebody else's hand: it names where it comes from, and its requests for changes are refused.
struct AdminAccess: Sendable {
    /// Why a request is refused.
    struct Refusal: Equatable {
        let status: Status
        let reason: String
    }

    /// `admin-token`
    let token: String?

    /// Nil when the request may be answered. `isCommand`: whether it changes anything; `isHealth`: whether it only asks for
    /// the server's health.
    func refusal(of request: RequestHead, at address: SocketAddress?, isCommand: Bool, isHealth: Bool) -> Refusal? {
        if isCommand, isFromAPage(request) {
            return Refusal(status: .forbidden, reason: "commands are not taken from web pages")
        }
        if case .unixDomainSocket? = address { return nil }
        if let token {
            if isHealth { return nil }
            let given = request.fields["authorization"] ?? ""
            guard Self.areEqual(given, "Bearer \(token)") else {
                return Refusal(status: 401, reason: "the admin token is needed: Authorization: Bearer TOKEN")
            }
            return nil
        }
        if isCommand {
            return Refusal(
                status: .forbidden,
                reason: "commands are taken on the Unix socket; here only with a configured admin-token")
        }
        // A page whose own host name leads to this machine could read what is answered.
        if Self.isLoopback(address), let host = request.host, !Self.isLocalName(host) {
            return Refusal(status: .misdirectedRequest, reason: "there is no \(host) here")
        }
        return nil
    }

    private func isFromAPage(_ request: RequestHead) -> Bool {
        if request.fields["origin"] != nil { return true }
        guard let site = request.fields["sec-fetch-site"] else { return false }
        return site != "none"
    }

    private static func isLoopback(_ address: SocketAddress?) -> Bool {
        guard let address = address?.ipAddress else { return true }
        return address.hasPrefix("127.") || address == "::1" || address.hasPrefix("::ffff:127.")
    }

    private static func isLocalName(_ host: String) -> Bool {
        host == "localhost" || host.hasPrefix("[")
            || host.utf8.allSatisfy { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
    }

    /// Takes as long for texts that differ late as for those that differ early.
    private static func areEqual(_ left: String, _ right: String) -> Bool {
        let (left, right) = (Array(left.utf8), Array(right.utf8))
        guard left.count == right.count else { return false }
        return zip(left, right).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
