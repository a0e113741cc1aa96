/// A view as a type: configured by its properties, shared by all requests. Conform to ``SynchronousView`` or
/// ``AsynchronousView``.
public protocol View: Sendable {
    /// The function that answers a request.
    var function: ViewFunction { get }
}

/// A view that may block (a database query does): it runs on the thread pool.
public protocol SynchronousView: View {
    /// Answers one request. ``Http404`` and other ``HTTPError``s become their pages.
    func respond(to request: Request) throws -> Response
}

/// A view that never blocks: it runs on the event loop.
public protocol AsynchronousView: View {
    /// Answers one request. ``Http404`` and other ``HTTPError``s become their pages.
    func respond(to request: Request) async throws -> Response
}

/// A view that neither blocks nor waits: it is called on the event loop as soon as the request is there, which is the
/// fastest way to an answer.
public protocol ImmediateView: View {
    /// Answers one request. ``Http404`` and other ``HTTPError``s become their pages.
    func respond(to request: Request) throws -> Response
}

extension SynchronousView {
    public var function: ViewFunction { .synchronous { try respond(to: $0) } }
}

extension AsynchronousView {
    public var function: ViewFunction { .asynchronous { try await respond(to: $0) } }
}

extension ImmediateView {
    public var function: ViewFunction { .immediate { try respond(to: $0) } }
}

/// What answers a request in the end: a function, and where it may run.
public enum ViewFunction: Sendable {
    /// May block; runs on the thread pool.
    case synchronous(@Sendable (Request) throws -> Response)
    /// Must not block; runs on the event loop.
    case asynchronous(@Sendable (Request) async throws -> Response)
    /// Must not block, and waits for nothing; runs on the event loop.
    case immediate(@Sendable (Request) throws -> Response)
    /// Speaks with a WebSocket; runs on the event loop.
    case webSocket(any WebSocketView)

    var isAsynchronous: Bool {
        if case .synchronous = self { false } else { true }
    }
}
