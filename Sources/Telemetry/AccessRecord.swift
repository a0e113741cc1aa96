/// One exchange, as the access log tells it.
public struct AccessRecord: Sendable {
    /// When the request's head had arrived.
    public var time: LogTime
    /// The client's address without port.
    public var remoteHost: String
    /// The authenticated user; empty for none.
    public var remoteUser: String
    /// The authority the request was for; empty in HTTP/1.0 without one.
    public var host: String
    public var method: String
    /// The request target as it was sent, in RFC 9112's sense.
    public var target: String
    /// `HTTP/1.1`.
    public var version: String
    /// The response's status; 0 when none was sent.
    public var status: Int
    /// Bytes of the response's body.
    public var bodyBytes: Int
    public var referer: String
    public var userAgent: String
    /// From the request's head to the last byte handed to the kernel, in microseconds.
    public var microseconds: Int
    public var requestID: String
    /// The trace it belongs to; only JSON lines show it.
    public var trace: TraceContext?
    /// The worker's slot, from 0; shown counting from 1.
    public var worker: Int

    public init(
        time: LogTime, remoteHost: String, remoteUser: String = "", host: String = "", method: String, target: String,
        version: String, status: Int, bodyBytes: Int, referer: String = "", userAgent: String = "", microseconds: Int,
        requestID: String = "", trace: TraceContext? = nil, worker: Int = 0
    ) {
        self.time = time
        self.remoteHost = remoteHost
        self.remoteUser = remoteUser
        self.host = host
        self.method = method
        self.target = target
        self.version = version
        self.status = status
        self.bodyBytes = bodyBytes
        self.referer = referer
        self.userAgent = userAgent
        self.microseconds = microseconds
        self.requestID = requestID
        self.trace = trace
        self.worker = worker
    }
}
