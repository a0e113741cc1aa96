public import HTTP
public import NIOCore

/// A synchronous application (PEP 3333): called once per request on a worker thread, and may block.
public protocol WSGIApplication: Sendable {
    /// Answers one request: calls `startResponse` before the first non-empty piece of the body is produced, and returns
    /// the body. What it throws before the response went out is answered by 500.
    func callAsFunction(_ environ: Environ, _ startResponse: StartResponse) throws -> any WSGIBody
}

/// A response body: asked for one piece after another, and closed exactly once, also when the client left.
public protocol WSGIBody {
    /// The next piece; nil at the end. An empty piece sends nothing.
    mutating func next() throws -> ByteBuffer?
    /// Called once, when the body is exhausted, has thrown, or is no longer wanted.
    mutating func close()
    /// The whole body when it is known to be one piece: lets the server set `Content-Length`.
    var whole: ByteBuffer? { get }
}

extension WSGIBody {
    public mutating func close() {}
    public var whole: ByteBuffer? { nil }
}

/// A body whose pieces are somebody else's memory, as the objects of an interpreter are.
package protocol LendingBody: WSGIBody {
    /// In place of ``WSGIBody/next()``: shows the next piece to `take`, for as long as that runs; false at the end.
    func lend(_ take: (UnsafeRawBufferPointer) throws -> Void) throws -> Bool
}

/// A body of one piece.
public struct WholeBody: WSGIBody {
    private var bytes: ByteBuffer?

    public init(_ bytes: ByteBuffer) { self.bytes = bytes }

    public init(_ text: String) { bytes = ByteBuffer(string: text) }

    public var whole: ByteBuffer? { bytes }

    public mutating func next() -> ByteBuffer? {
        defer { bytes = nil }
        return bytes
    }
}

/// PEP 3333's `start_response`: takes status and fields, holds them until the first non-empty piece of the body.
///
/// Confined to the thread the application was called on.
public final class StartResponse {
    private let begin: (ResponseHead, (any Error)?) throws -> Void
    private let send: (ByteBuffer) throws -> Void

    /// Made by gateways and middleware: `begin` takes the head, `send` is the imperative `write`.
    public init(
        begin: @escaping (ResponseHead, (any Error)?) throws -> Void, write: @escaping (ByteBuffer) throws -> Void
    ) {
        self.begin = begin
        send = write
    }

    /// Starts the response. A second call is an error unless `error` is given: then the head is replaced while nothing
    /// was sent, and `error` is thrown again once something was. The result writes a piece of the body at once.
    @discardableResult
    public func callAsFunction(_ status: Status, _ fields: Fields, error: (any Error)? = nil) throws -> (ByteBuffer)
        throws -> Void
    {
        try begin(ResponseHead(status, fields), error)
        return send
    }

    /// Writes a piece of the body at once; for middleware that wraps the result of the call.
    func write(_ bytes: ByteBuffer) throws { try send(bytes) }
}

/// What an application did that PEP 3333 forbids.
public enum WSGIError: Error, Equatable {
    /// `startResponse` was called a second time without an error to report.
    case responseAlreadyStarted
    /// A piece of the body was produced before `startResponse` was called.
    case responseNotStarted
    /// More or fewer bytes than `Content-Length` announced.
    case contentLengthMismatch
    /// A field that only a server may send (RFC 9110 §7.6.1), such as `Connection`.
    case hopByHopField(String)
    /// A final response's status is between 200 and 999.
    case invalidStatus(Int)
    /// The client left; raised by `write`.
    case disconnected
    /// The request's deadline has passed, and the application was made to leave.
    case interrupted
    /// The request body was cut short or refused; raised by reading it.
    case incompleteBody(BodyFailure)
}
