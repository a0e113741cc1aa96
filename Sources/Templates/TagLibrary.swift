/// A filter: `{{ value|name:argument }}`.
public struct FilterFunction: Sendable {
    public enum Argument: Sendable { case none, optional, required }

    public let name: String
    public let argument: Argument
    let apply: @Sendable (TemplateValue, TemplateValue?, FilterEnvironment) throws -> TemplateValue

    /// - Parameters:
    ///   - argument: whether the filter takes an argument.
    ///   - keepsSafety: the filter adds no HTML of its own, so safe text stays safe (Django's `is_safe`).
    ///   - apply: what it does. Return `.safe` for HTML; throw `TemplateFailure` for arguments that make no sense.
    public init(
        _ name: String, argument: Argument = .none, keepsSafety: Bool = false,
        _ apply: @escaping @Sendable (TemplateValue, TemplateValue?, FilterEnvironment) throws -> TemplateValue
    ) {
        self.name = name
        self.argument = argument
        guard keepsSafety else {
            self.apply = apply
            return
        }
        self.apply = { value, argument, environment in
            let result = try apply(value, argument, environment)
            return value.isSafe ? .safe(result.text) : result
        }
    }
}

/// What a filter may know of the rendering.
public struct FilterEnvironment: Sendable {
    /// Whether text is escaped here: a filter that makes HTML escapes its input then, unless it is safe.
    public internal(set) var autoescape: Bool
    public let engine: TemplateEngine
    public let timeZone: TemplateTimeZone
}

/// The values a tag was called with.
public struct TagArguments: Sendable {
    public let positional: [TemplateValue]
    public let keyword: [String: TemplateValue]
}

/// A tag that computes one value: `{% name 1 key=value %}` or `{% name … as variable %}`. Its result is escaped like a
/// variable's, unless it is safe.
public struct SimpleTag: Sendable {
    public let name: String
    let call: @Sendable (TagArguments, TemplateContext) throws -> TemplateValue

    public init(
        _ name: String, _ call: @escaping @Sendable (TagArguments, TemplateContext) throws -> TemplateValue
    ) {
        self.name = name
        self.call = call
    }
}

/// A tag that renders a template with variables of its own.
public struct InclusionTag: Sendable {
    public let name: String
    public let template: String
    let call: @Sendable (TagArguments, TemplateContext) throws -> TemplateMap

    public init(
        _ name: String, template: String,
        _ call: @escaping @Sendable (TagArguments, TemplateContext) throws -> TemplateMap
    ) {
        self.name = name
        self.template = template
        self.call = call
    }
}

/// A tag that reads its arguments and what is inside it by itself.
public protocol BlockTag: Sendable {
    var name: String { get }
    /// Called once, when a template is compiled. Use `parser.parse(until: ["endname"], opener: tag)` for the inside and
    /// `parser.expression(_:in:)` for arguments, and `tag.malformed(expected:)` for what is wrong.
    func parse(_ tag: TagToken, _ parser: TemplateParser) throws(TemplateError) -> any TemplateNode
}

/// Tags and filters of a site. They are available in all its templates; `{% load name %}` is accepted and changes nothing.
public struct TagLibrary: Sendable {
    public let name: String
    public var filters: [FilterFunction]
    public var simpleTags: [SimpleTag]
    public var inclusionTags: [InclusionTag]
    public var blockTags: [any BlockTag]

    public init(
        _ name: String, filters: [FilterFunction] = [], simpleTags: [SimpleTag] = [],
        inclusionTags: [InclusionTag] = [], blockTags: [any BlockTag] = []
    ) {
        self.name = name
        self.filters = filters
        self.simpleTags = simpleTags
        self.inclusionTags = inclusionTags
        self.blockTags = blockTags
    }
}
