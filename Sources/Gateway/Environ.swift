public import HTTP
public import NIOCore

/// PEP 3333's `environ` as a view over the request: a variable is made when asked for.
public struct Environ: Sendable {
    public let request: RequestHead
    public let connection: ConnectionInfo
    /// Where the application is mounted (`SCRIPT_NAME`), and what follows (`PATH_INFO`), percent-decoded.
    public var scriptName: String
    public var pathInfo: String
    /// The request body (`wsgi.input`).
    public let input: any WSGIInput
    /// `wsgi.multithread` and `wsgi.multiprocess`.
    public let isMultithreaded: Bool
    public let isMultiprocess: Bool
    /// What the access log and error pages call this request; made when asked for.
    public let id: RequestID
    /// Sends 103 Early Hints (RFC 8297) with these fields at once; without effect once the response has begun.
    public let earlyHints: @Sendable (Fields) -> Void

    public init(
        request: RequestHead, connection: ConnectionInfo, scriptName: String, pathInfo: String, input: any WSGIInput,
        isMultithreaded: Bool, isMultiprocess: Bool, requestID: String,
        earlyHints: @escaping @Sendable (Fields) -> Void = { _ in }
    ) {
        self.request = request
        self.connection = connection
        self.scriptName = scriptName
        self.pathInfo = pathInfo
        self.input = input
        self.isMultithreaded = isMultithreaded
        self.isMultiprocess = isMultiprocess
        id = .text(requestID)
        self.earlyHints = earlyHints
    }

    /// As ``init(request:connection:scriptName:pathInfo:input:isMultithreaded:isMultiprocess:requestID:earlyHints:)``.
    public init(
        request: RequestHead, connection: ConnectionInfo, scriptName: String, pathInfo: String, input: any WSGIInput,
        isMultithreaded: Bool, isMultiprocess: Bool, id: RequestID,
        earlyHints: @escaping @Sendable (Fields) -> Void = { _ in }
    ) {
        self.request = request
        self.connection = connection
        self.scriptName = scriptName
        self.pathInfo = pathInfo
        self.input = input
        self.isMultithreaded = isMultithreaded
        self.isMultiprocess = isMultiprocess
        self.id = id
        self.earlyHints = earlyHints
    }

    /// ``id`` as text.
    public var requestID: String { id.text }
}

/// PEP 3333's `wsgi.input`: a request body as a worker thread reads it.
public protocol WSGIInput: AnyObject, Sendable {
    /// Whether the whole body is here, so that reading never waits for the client.
    var isComplete: Bool { get }
    /// The body's length in bytes; of a body that is still arriving in chunks, what has arrived.
    var count: Int { get }
    /// Up to `size` bytes, or everything that is left without one; empty at the end. Fewer than `size` only at the end.
    func read(_ size: Int?) throws -> ByteBuffer
    /// What is there, up to `size` bytes, waiting only while there is nothing; empty at the end.
    func readAvailable(upTo size: Int) throws -> ByteBuffer
    /// Through the next line feed (kept), or to the end.
    func readLine() throws -> ByteBuffer
}

extension WSGIInput {
    public var isComplete: Bool { true }
    public func readAvailable(upTo size: Int) throws -> ByteBuffer { try read(size) }
}
