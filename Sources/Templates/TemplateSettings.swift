/// A URL a template asks for: `{% url 'polls:detail' question.id page=2 %}`.
public struct URLReference: Sendable {
    public let name: String
    public let positional: [TemplateValue]
    public let keyword: [(name: String, value: TemplateValue)]
    /// The context's `currentApp`.
    public let currentApp: String?
}

/// What an engine is built with.
public struct TemplateSettings: Sendable {
    /// Whether text is escaped unless a template says otherwise.
    public var autoescape = true
    /// What a missing variable shows; `%s` in it stands for the variable's name. Filters are skipped unless it is empty.
    public var stringIfInvalid = ""
    /// Turns a route's name and arguments into a URL, for `url`. Nil or an error is reported with the tag's place.
    public var urlResolver: @Sendable (URLReference) throws -> String? = { _ in
        throw TemplateFailure("this engine has no URL resolver")
    }
    /// Turns a static file's path into its URL, for `static`.
    public var staticResolver: @Sendable (_ path: String) throws -> String = {
        "/static/" + HTMLFilters.percentEncode($0, keeping: "/")
    }
    /// How moments are shown.
    public var timeZone = TemplateTimeZone.utc
    /// The clock of `now`, `timesince` and `timeuntil`.
    public var now: @Sendable () -> TemplateDate = { .now }
    /// Own tags and filters, and the names `{% load %}` accepts besides Django's.
    public var libraries: [TagLibrary] = []
    /// Ask loaders for a template's version at each use and compile it anew when it changed. For development.
    public var checksForChanges = false
    /// How deeply tags (and operators) may nest in one template.
    public var nestingLimit = 64
    /// How deeply includes, extends and blocks may nest while rendering.
    public var recursionLimit = 64

    public init() {}
}
