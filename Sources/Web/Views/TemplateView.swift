/// A page that needs nothing but its template: `path("about/", TemplateView("about.html"))`.
public struct TemplateView: SynchronousView {
    /// The template's name.
    public let template: String

    /// A view of this template.
    public init(_ template: String) { self.template = template }

    public func respond(to request: Request) throws -> Response {
        try request.require(.get, .head)
        return try request.render(template)
    }
}
