/// A function as an immediate view, one that neither blocks nor waits: `path("ping", Immediate(ping))`.
public struct Immediate: ImmediateView {
    private let view: @Sendable (Request) throws -> Response

    /// `view`, called on the event loop as soon as the request is there.
    public init(_ view: @escaping @Sendable (Request) throws -> Response) { self.view = view }

    public var function: ViewFunction { .immediate(view) }

    public func respond(to request: Request) throws -> Response { try view(request) }
}
