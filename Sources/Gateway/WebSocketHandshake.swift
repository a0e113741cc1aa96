public import HTTP
import NIOCore

/// What a request asks for in the way of a WebSocket (RFC 6455 §4.2.1), found in its head alone.
public enum WebSocketHandshake: Sendable, Equatable {
    /// An ordinary request. HTTP/1.0 knows no upgrades, and one without `Connection: upgrade` was meant for somebody on
    /// the way (RFC 9110 §7.8).
    case absent
    /// An opening handshake; `key` is the value of `Sec-WebSocket-Key`.
    case valid(key: ByteRange)
    /// Asks for a WebSocket in a way nobody could grant: to be answered 426 for another version, 400 for the rest.
    case invalid(Status)

    /// Reads it off `request`.
    public init(_ request: RequestHead) {
        guard request.asksForUpgrade, request.version == .http11,
            Self.lists(request, "Upgrade", "websocket"), Self.lists(request, "Connection", "upgrade")
        else {
            self = .absent
            return
        }
        let versions = request.fields.values("Sec-WebSocket-Version")
        let isBodiless = request.framing == .none || request.framing == .length(0)
        guard request.method == .get, isBodiless, !versions.isEmpty else {
            self = .invalid(.badRequest)
            return
        }
        guard versions == ["13"] else {
            self = .invalid(.upgradeRequired)
            return
        }
        guard let key = request.fields.first("Sec-WebSocket-Key"),
            request.fields.values("Sec-WebSocket-Key").count == 1, Self.isKey(request.string(key))
        else {
            self = .invalid(.badRequest)
            return
        }
        self = .valid(key: key)
    }

    /// The subprotocols the client offers, in its order of preference.
    public static func subprotocols(of request: RequestHead) -> [String] {
        request.fields.values("Sec-WebSocket-Protocol").flatMap(elements)
    }

    /// The fields of a response that refuses a handshake, or asks for one (RFC 6455 §4.4, RFC 9110 §15.5.22).
    public static let refusalFields: Fields = [
        "Content-Type": "text/plain; charset=utf-8", "Connection": "Upgrade", "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
    ]

    /// Whether a field that is a list has an element `token` (lower case), compared without case.
    private static func lists(_ request: RequestHead, _ name: String, _ token: String) -> Bool {
        request.fields.values(name).contains { elements($0).contains { $0.lowercased() == token } }
    }

    private static func elements(_ list: String) -> [String] {
        list.split(separator: ",").compactMap { element in
            let trimmed = element.drop { $0 == " " || $0 == "\t" }
            let end = trimmed.lastIndex { $0 != " " && $0 != "\t" }
            return end.map { String(trimmed[...$0]) }
        }
    }

    /// Whether `text` is the base64 form of 16 bytes: 22 digits, of which the last holds two bits, and two of padding.
    private static func isKey(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard bytes.count == 24, bytes[22] == 0x3D, bytes[23] == 0x3D else { return false }
        let isBase64 = bytes[..<22].allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2B, 0x2F: true
            default: false
            }
        }
        return isBase64 && [0x41, 0x51, 0x67, 0x77].contains(bytes[21])
    }
}

extension Exchange {
    /// Answers a request that asks for a WebSocket in a way nobody could grant; false when it does not. For gateways that
    /// offer WebSockets: what does not (a static file) may ignore the wish.
    public func refusesWebSocketHandshake() -> Bool {
        guard case .invalid(let status) = WebSocketHandshake(request) else { return false }
        let text = status == .upgradeRequired ? "This server speaks WebSocket version 13." : "No WebSocket handshake."
        respond(ResponseHead(status, WebSocketHandshake.refusalFields), ByteBuffer(string: text + "\n"))
        return true
    }
}
