public import Templates

/// A page that lists rows of a model.
///
/// ```swift
/// struct IndexView: ListView {
///     let template = "polls/index.html"
///     let listName = "latest_question_list"
///
///     func query(for request: Request) -> QuerySet<Question> { Question.objects.limited(to: 5) }
/// }
/// ```
public protocol ListView: SynchronousView {
    associatedtype Item: Model
    /// The template's name.
    var template: String { get }
    /// What the template calls the list; `object_list` is always there.
    var listName: String { get }
    /// The rows to show.
    func query(for request: Request) throws -> QuerySet<Item>
    /// Further values for the template.
    func context(for items: [Item], request: Request) throws -> TemplateMap
}

extension ListView {
    public var listName: String { "object_list" }

    public func query(for request: Request) -> QuerySet<Item> { Item.objects }

    public func context(for items: [Item], request: Request) -> TemplateMap { [:] }

    public func respond(to request: Request) throws -> Response {
        try request.require(.get, .head)
        let items = try query(for: request).all(in: request.database)
        let list = items.templateValue
        var context: TemplateContext = ["object_list": list]
        context[listName] = list
        context.merge(try self.context(for: items, request: request))
        return try request.render(template, context: context)
    }
}
