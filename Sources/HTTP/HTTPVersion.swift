/// The protocol version a message was sent in.
public enum HTTPVersion: Sendable, Hashable {
    case http10, http11

    /// As WSGI's `SERVER_PROTOCOL` and the access log write it.
    public var name: String {
        switch self {
        case .http10: "HTTP/1.0"
        case .http11: "HTTP/1.1"
        }
    }
}
