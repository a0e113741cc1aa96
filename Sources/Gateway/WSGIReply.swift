import HTTP
import NIOCore

/// A synchronous application that takes a request as it is, instead of as an ``Environ``.
package protocol DirectWSGIApplication: WSGIApplication {
    /// Answers `request`: gives `reply` a whole response and returns nil, or returns the body of `reply.response`. Called
    /// on the event loop or on a thread, as ``WSGIApplication/callAsFunction(_:_:)`` is.
    func callAsFunction(_ request: WSGIRequest, _ reply: WSGIReply) throws -> (any WSGIBody)?

    /// What a thread of a pool may keep from one call to the next.
    var lease: ThreadLease? { get }

    /// Has an exception raised in what the thread of `work` runs, as long as that is `work`. On any thread but a loop's, as it
    /// may wait for a lock.
    func interrupt(_ work: PooledWork)
    /// `work` is done: sees to it that the exception is not raised in what its thread runs next. On that thread.
    func disarm(_ work: PooledWork)
}

/// What ``Environ`` is made from.
package struct WSGIRequest: Sendable {
    package let head: RequestHead
    package let connection: ConnectionInfo
    package let scriptName: String
    package let pathInfo: String
    package let input: any WSGIInput

    package init(
        _ head: RequestHead, _ connection: ConnectionInfo, scriptName: String, pathInfo: String, input: any WSGIInput
    ) {
        self.head = head
        self.connection = connection
        self.scriptName = scriptName
        self.pathInfo = pathInfo
        self.input = input
    }
}

/// A head that `start_response` may be given, and what it says of the body.
package struct WSGIResponseHead: Sendable {
    package let head: ResponseHead
    package let length: Int?

    /// Throws what ``WSGIError`` has to say against it.
    package init(_ head: ResponseHead) throws(WSGIError) {
        guard (200...999).contains(head.status.code) else { throw WSGIError.invalidStatus(head.status.code) }
        let framing = FramingFields(head.fields)
        if let name = framing.hopByHopField { throw WSGIError.hopByHopField(name) }
        guard !framing.isContentLengthInvalid else { throw WSGIError.contentLengthMismatch }
        length = framing.contentLength
        var head = head
        // 204 has no Content-Length (RFC 9110 §8.6).
        if head.status.code == 204, length != nil { head.fields.remove("Content-Length") }
        self.head = head
    }
}

/// Where a direct application puts its response. Confined to the thread of the call.
package final class WSGIReply {
    private let sink: any ResponseSink
    private var made: WSGIResponse?
    /// Whether the request is HEAD: no body goes out.
    package private(set) var isHead: Bool
    /// The loop that the application is called on; nil on a thread of the pool.
    package let loop: (any EventLoop)?

    init(_ sink: any ResponseSink, isHead: Bool, loop: (any EventLoop)? = nil) {
        self.sink = sink
        self.isHead = isHead
        self.loop = loop
    }

    /// To be used for another request, whose exchange the sink has been given.
    func reset(isHead: Bool) {
        made = nil
        self.isHead = isHead
    }

    /// The response by all the rules, made when first asked for.
    package var response: WSGIResponse {
        if let made { return made }
        let response = WSGIResponse(sink, isHead: isHead)
        made = response
        return response
    }

    /// A whole response that no rule is left for: the status has a body, the request is not HEAD, and `body` has the length
    /// that `head` announces, if it does. False, and nothing was done, when that is not so.
    package func respond(_ head: WSGIResponseHead, _ body: ByteBuffer) -> Bool {
        guard made == nil, !isHead, !head.head.status.isBodiless,
            head.length ?? body.readableBytes == body.readableBytes
        else { return false }
        sink.respond(head.head, body)
        return true
    }

    /// 103 Early Hints, at once; without effect once the response has begun.
    package func inform(_ fields: Fields) { sink.inform(.earlyHints, fields) }
}
