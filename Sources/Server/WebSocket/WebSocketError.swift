import Gateway

/// What a client did that ends its WebSocket (RFC 6455 §7.4.1).
public enum WebSocketError: Error, Sendable, Equatable {
    /// Reserved bits that no extension has defined, or on a frame that cannot be compressed (RFC 6455 §5.2, RFC 7692 §6).
    case reservedBits
    case unknownOpcode(UInt8)
    /// A client's frame without a mask (RFC 6455 §5.1).
    case unmasked
    /// A control frame in fragments, or of more than 125 bytes (RFC 6455 §5.5).
    case malformedControl
    /// A length of more than 63 bits.
    case malformedLength
    /// A continuation of nothing, or a new message before the last one has ended (RFC 6455 §5.4).
    case unexpectedFrame
    /// A close frame of one byte, or with a code that may not be sent (RFC 6455 §7.4).
    case malformedClose
    /// A text or a reason that is not UTF-8 (RFC 6455 §8.1).
    case malformedText
    /// A compressed message that cannot be inflated (RFC 7692 §7.2.2).
    case malformedCompression
    /// A message larger than `websocket.max-size`.
    case tooBig

    /// The code the socket is closed with.
    public var code: UInt16 {
        switch self {
        case .malformedText, .malformedCompression: WebSocketCloseCode.invalidData
        case .tooBig: WebSocketCloseCode.tooBig
        default: WebSocketCloseCode.protocolError
        }
    }

    /// What the close frame says besides.
    public var reason: String {
        switch self {
        case .reservedBits: "reserved bits"
        case .unknownOpcode(let opcode): "unknown opcode \(opcode)"
        case .unmasked: "a frame without a mask"
        case .malformedControl: "a control frame that is fragmented or too long"
        case .malformedLength: "a malformed length"
        case .unexpectedFrame: "a frame out of turn"
        case .malformedClose: "a malformed close frame"
        case .malformedText: "not UTF-8"
        case .malformedCompression: "not compressed as agreed"
        case .tooBig: "message too big"
        }
    }
}
