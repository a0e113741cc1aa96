import HTTP

/// Sends every request elsewhere: `path("", RedirectView(to: "polls:index"))`.
public struct RedirectView: ImmediateView {
    private let name: String?
    private let location: String
    private let status: Status

    /// To the route called `name`.
    public init(to name: String, isPermanent: Bool = false) {
        self.name = name
        location = ""
        status = isPermanent ? .movedPermanently : .found
    }

    /// To a URL.
    public init(url: String, isPermanent: Bool = false) {
        name = nil
        location = url
        status = isPermanent ? .movedPermanently : .found
    }

    public func respond(to request: Request) throws -> Response {
        .redirect(to: try name.map { try request.url(for: $0) } ?? location, status: status)
    }
}
