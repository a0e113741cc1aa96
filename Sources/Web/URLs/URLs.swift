/// A site's URL table as it is written down: paths and includes, tried in order, the first match wins.
public struct URLs: Sendable {
    let entries: [URLEntry]

    /// A table of these entries.
    public init(@URLBuilder _ content: () -> URLs) { self = content() }

    init(entries: [URLEntry]) { self.entries = entries }
}

/// One line of a URL table: made by ``path(_:_:name:)-(_,View,_)`` and its siblings, and by ``include(_:_:namespace:)``.
public struct URLEntry: Sendable {
    /// What the line stands for.
    enum Content: Sendable {
        case view(ViewFunction, parameters: [any PathParameter.Type]?, name: String?, viewName: String)
        case include(URLs, namespace: String?)
    }

    let pattern: String
    let content: Content
}

/// Puts the lines of a URL table together.
@resultBuilder
public enum URLBuilder {
    public static func buildExpression(_ entry: URLEntry) -> [URLEntry] { [entry] }
    public static func buildExpression(_ urls: URLs) -> [URLEntry] { urls.entries }
    public static func buildBlock(_ parts: [URLEntry]...) -> [URLEntry] { parts.flatMap(\.self) }
    public static func buildOptional(_ part: [URLEntry]?) -> [URLEntry] { part ?? [] }
    public static func buildEither(first part: [URLEntry]) -> [URLEntry] { part }
    public static func buildEither(second part: [URLEntry]) -> [URLEntry] { part }
    public static func buildArray(_ parts: [[URLEntry]]) -> [URLEntry] { parts.flatMap(\.self) }
    public static func buildFinalResult(_ entries: [URLEntry]) -> URLs { URLs(entries: entries) }
}

/// Another table under a prefix: `include("polls/", Polls().urls, namespace: "polls")`. With a namespace its names are
/// written `polls:detail`.
public func include(_ prefix: String, _ urls: URLs, namespace: String? = nil) -> URLEntry {
    URLEntry(pattern: prefix, content: .include(urls, namespace: namespace))
}

/// A table written in place under a prefix.
public func include(_ prefix: String, namespace: String? = nil, @URLBuilder _ urls: () -> URLs) -> URLEntry {
    URLEntry(pattern: prefix, content: .include(urls(), namespace: namespace))
}
