import HTTP
public import NIOCore

/// An open WebSocket (RFC 6455), on the event loop of its connection: what ``Exchange/acceptWebSocket(subprotocol:fields:)``
/// makes of an exchange.
///
/// Everything here is called on that loop and nowhere else; a socket is therefore not `Sendable`. Frames, masks,
/// fragments, compression, pings and the close handshake are the server's business.
public protocol WebSocket: AnyObject {
    var eventLoop: any EventLoop { get }

    /// Asks for the next event. `deliver` is called exactly once, on the event loop, at once when an event is there.
    /// One call at a time. Back-pressure: while nobody asks and a small buffer is full, nothing is read from the
    /// client. Once the socket is closed, every call is answered by the same ``WebSocketEvent/closed(code:reason:)``.
    func receive(_ deliver: @escaping (WebSocketEvent) -> Void)

    /// Whether messages can be sent: false from the moment either side begins to close, or the connection is lost.
    var isOpen: Bool { get }
    /// False while more is waiting to be sent than the connection should hold.
    var isWritable: Bool { get }
    /// Calls `ready` once, when the connection is writable again or gone; at once when it already is.
    func whenWritable(_ ready: @escaping () -> Void)

    /// Sends a message; without effect when the socket is not open. What is sent in one turn of the loop leaves
    /// together.
    func send(_ message: WebSocketMessage)
    /// Begins the close handshake (RFC 6455 §7.1.2). `code` is 1000 to 4999 and one that may be sent (§7.4); 1005
    /// sends none. `reason` is cut to 123 bytes of UTF-8. Without effect when the socket is not open.
    func close(code: UInt16, reason: String)
    /// The application has ended, and asks for nothing more: a socket that is still open is closed with 1000, and a
    /// server that drains no longer waits for it. Called once by every gateway.
    func finish()
}

/// A message, whole and uncompressed.
public enum WebSocketMessage: Sendable, Equatable {
    /// Valid UTF-8; the server has checked what comes from the client.
    case text(ByteBuffer)
    case binary(ByteBuffer)

    /// A text message.
    public static func text(_ text: String) -> WebSocketMessage { .text(ByteBuffer(string: text)) }

    /// The payload.
    public var bytes: ByteBuffer {
        switch self {
        case .text(let bytes), .binary(let bytes): bytes
        }
    }
}

/// What a WebSocket delivers.
public enum WebSocketEvent: Sendable, Equatable {
    case message(WebSocketMessage)
    /// The end. `code` is the client's (1005 when its close frame had none, 1006 when the connection was lost), or what
    /// the server closed with by itself: 1002, 1007, 1009 for what the client did wrong, 1012 when it stops.
    case closed(code: UInt16, reason: String)
}

/// Status codes of close frames (RFC 6455 §7.4 and IANA's registry).
public enum WebSocketCloseCode {
    public static let normal: UInt16 = 1000
    public static let goingAway: UInt16 = 1001
    public static let protocolError: UInt16 = 1002
    /// Never on the wire: the close frame had no code.
    public static let none: UInt16 = 1005
    /// Never on the wire: the connection was lost.
    public static let abnormal: UInt16 = 1006
    /// Text that is not UTF-8, or a compressed message that cannot be inflated.
    public static let invalidData: UInt16 = 1007
    public static let policyViolation: UInt16 = 1008
    public static let tooBig: UInt16 = 1009
    public static let internalError: UInt16 = 1011
    public static let serviceRestart: UInt16 = 1012

    /// Whether a close frame may carry `code`.
    public static func isSendable(_ code: UInt16) -> Bool {
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: true
        default: false
        }
    }
}
