public import HTTP

/// Why a request was refused before anything was asked to answer it. The connection closes after the answer.
public enum RequestError: Error, Sendable, Equatable {
    case malformedRequestLine
    case malformedTarget
    case malformedField
    /// A line ended by LF alone, or a CR within a line (RFC 9112 §2.2).
    case bareLineEnd
    /// A field continued on a second line (RFC 9112 §5.2).
    case obsoleteFold
    /// Framing that two readers could read differently (RFC 9112 §6.1, §6.3).
    case ambiguousFraming
    case malformedContentLength
    case malformedChunk
    case missingHost
    case malformedHost
    case targetTooLong
    case headerTooLarge
    case bodyTooLarge
    case unknownTransferCoding
    case unsupportedMethod
    case unsupportedExpectation
    case unsupportedVersion
    /// The head did not arrive in time.
    case timedOut

    /// The status the client is answered with.
    public var status: Status {
        switch self {
        case .malformedRequestLine, .malformedTarget, .malformedField, .bareLineEnd, .obsoleteFold, .ambiguousFraming,
            .malformedContentLength, .malformedChunk, .missingHost, .malformedHost:
            .badRequest
        case .targetTooLong: .uriTooLong
        case .headerTooLarge: .requestHeaderFieldsTooLarge
        case .bodyTooLarge: .contentTooLarge
        case .unknownTransferCoding, .unsupportedMethod: .notImplemented
        case .unsupportedExpectation: .expectationFailed
        case .unsupportedVersion: .httpVersionNotSupported
        case .timedOut: .requestTimeout
        }
    }

    /// One sentence for the client, naming what is wrong.
    public var explanation: String {
        switch self {
        case .malformedRequestLine: "The request line is malformed."
        case .malformedTarget: "The request target is malformed."
        case .malformedField: "A header field is malformed."
        case .bareLineEnd: "A line does not end in CR LF."
        case .obsoleteFold: "A header field is folded over several lines."
        case .ambiguousFraming: "The length of the request body is ambiguous."
        case .malformedContentLength: "Content-Length is malformed."
        case .malformedChunk: "The chunked request body is malformed."
        case .missingHost: "The request has no Host field."
        case .malformedHost: "The Host field is malformed."
        case .targetTooLong: "The request target is too long."
        case .headerTooLarge: "The header fields are too large or too many."
        case .bodyTooLarge: "The request body is too large."
        case .unknownTransferCoding: "The transfer coding is not supported."
        case .unsupportedMethod: "The method is not supported."
        case .unsupportedExpectation: "The expectation is not supported."
        case .unsupportedVersion: "The HTTP version is not supported."
        case .timedOut: "The request did not arrive in time."
        }
    }
}
