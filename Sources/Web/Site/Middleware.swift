/// Something around everything a site answers: sees each request first and each response last.
///
/// It is called before the URL table is consulted, on the event loop under ASGI and on a worker thread under WSGI; it
/// must not block. Errors of views reach it: an ``HTTPError`` it does not catch becomes its page.
public protocol Middleware: Sendable {
    /// Answers by itself, or passes the request on with `next` and changes what comes back.
    func respond(to request: Request, next: Responder) async throws -> Response
}

/// The rest of the chain, as middleware sees it.
public typealias Responder = @Sendable (Request) async throws -> Response
