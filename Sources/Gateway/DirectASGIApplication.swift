package import HTTP
package import NIOCore

/// An asynchronous application that takes a request as it is. What it answers on the spot needs no task, no scope and no
/// channel, which together cost more than a small answer.
package protocol DirectASGIApplication: ASGIApplication {
    /// Begins to answer a request that has no body; the parameters are what ``HTTPScope`` is made from. On the event loop.
    func begin(
        _ head: consuming RequestHead, _ connection: consuming ConnectionInfo, rootPath: consuming String,
        path: consuming String, id: consuming RequestID
    ) -> DirectAnswer
}

/// How far a direct application has come.
package enum DirectAnswer {
    /// This is the whole response.
    case response(ResponseHead, ByteBuffer)
    /// The application is to be called; its scope holds this as ``HTTPScope/prepared``.
    case call(any AnyObject & Sendable)
}
