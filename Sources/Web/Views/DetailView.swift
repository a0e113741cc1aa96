public import Templates

/// A page about one row of a model, which the path names by its id; 404 when there is none.
///
/// ```swift
/// struct DetailView: Portico.DetailView {
///     let template = "polls/detail.html"
///     let objectName = "question"
///
///     func query(for request: Request) -> QuerySet<Question> { Question.published }
/// }
/// ```
public protocol DetailView: SynchronousView {
    associatedtype Item: Model
    /// The template's name.
    var template: String { get }
    /// What the template calls the row; `object` is always there.
    var objectName: String { get }
    /// The path's parameter that holds the id.
    var parameter: String { get }
    /// The rows that may be shown.
    func query(for request: Request) throws -> QuerySet<Item>
    /// Further values for the template.
    func context(for item: Item, request: Request) throws -> TemplateMap
}

extension DetailView {
    public var objectName: String { "object" }
    public var parameter: String { "id" }

    public func query(for request: Request) -> QuerySet<Item> { Item.objects }

    public func context(for item: Item, request: Request) -> TemplateMap { [:] }

    public func respond(to request: Request) throws -> Response {
        try request.require(.get, .head)
        let item = try query(for: request).getOr404(request.parameters.int(parameter), in: request.database)
        var context: TemplateContext = ["object": item.templateValue]
        context[objectName] = item.templateValue
        context.merge(try self.context(for: item, request: request))
        return try request.render(template, context: context)
    }
}
