/// What is wrong with a template, and where. The first group is found when a template is compiled, the second when it is
/// rendered.
public struct TemplateError: Error, Sendable, Equatable, CustomStringConvertible {
    public enum Kind: Sendable, Equatable {
        // Compiling.
        /// The source is no valid UTF-8.
        case notUTF8
        case unknownTag(String, nearest: String?)
        case unknownFilter(String, nearest: String?)
        case unknownLibrary(String, nearest: String?)
        /// The place is where the tag was opened.
        case unclosedTag(String, expected: [String])
        /// A tag that belongs to another one stands alone, such as `endif` or `else`.
        case unexpectedTag(String, expected: [String])
        case malformedTag(String, expected: String)
        case malformedExpression(String, expected: String)
        case duplicateBlock(String)
        /// `extends` is not the first tag.
        case misplacedExtends
        case nestingTooDeep(limit: Int)

        // Rendering.
        /// No loader knows any of these names.
        case templateNotFound([String])
        /// A loader could not read the template.
        case loadingFailed(String, reason: String)
        /// Templates include or extend one another (or themselves) too deeply.
        case recursionTooDeep(limit: Int)
        /// A variable given as an argument does not exist.
        case missingVariable(String)
        case filterFailed(String, reason: String)
        case tagFailed(String, reason: String)
        /// The `url` tag's name and arguments match no route.
        case noReverseMatch(String, reason: String)
    }

    public let kind: Kind
    /// The template's name, as loaders know it.
    public let template: String
    /// From 1; 0 when the error concerns the template as a whole.
    public let line: Int
    /// From 1, in characters; 0 when the error concerns the template as a whole.
    public let column: Int
    /// The line of the template, without its end.
    public let excerpt: String

    init(kind: Kind, template: String, line: Int = 0, column: Int = 0, excerpt: String = "") {
        self.kind = kind
        self.template = template
        self.line = line
        self.column = column
        self.excerpt = excerpt
    }

    /// What is wrong and what to do about it, without the place.
    public var message: String {
        switch kind {
        case .notUTF8: "not valid UTF-8"
        case .unknownTag(let name, let nearest): "unknown tag '\(name)'" + Self.suggest(nearest)
        case .unknownFilter(let name, let nearest): "unknown filter '\(name)'" + Self.suggest(nearest)
        case .unknownLibrary(let name, let nearest): "unknown tag library '\(name)'" + Self.suggest(nearest)
        case .unclosedTag(let name, let expected): "'\(name)' is never closed: expected \(Self.either(expected))"
        case .unexpectedTag(let name, let expected):
            expected.isEmpty
                ? "'\(name)' closes nothing that is open here"
                : "unexpected '\(name)': expected \(Self.either(expected))"
        case .malformedTag(let name, let expected): "malformed tag '\(name)': expected \(expected)"
        case .malformedExpression(let text, let expected): "cannot read '\(text)': expected \(expected)"
        case .duplicateBlock(let name): "block '\(name)' appears twice: a block's name is unique in its template"
        case .misplacedExtends: "'extends' must be the first tag of the template, and there can be only one"
        case .nestingTooDeep(let limit): "tags or operators are nested more than \(limit) deep"
        case .templateNotFound(let names):
            "no such template: " + names.map { "'\($0)'" }.joined(separator: ", ")
        case .loadingFailed(let name, let reason): "template '\(name)' cannot be read: \(reason)"
        case .recursionTooDeep(let limit): "templates include or extend one another more than \(limit) deep"
        case .missingVariable(let name): "variable '\(name)', given as an argument, does not exist"
        case .filterFailed(let name, let reason): "filter '\(name)': \(reason)"
        case .tagFailed(let name, let reason): "tag '\(name)': \(reason)"
        case .noReverseMatch(let name, let reason): "no URL for '\(name)': \(reason)"
        }
    }

    /// `polls/index.html:3:7: message`, then the line and a mark under the column.
    public var description: String {
        guard line > 0 else { return "\(template): \(message)" }
        var text = "\(template):\(line):\(column): \(message)"
        if !excerpt.isEmpty {
            let indent = excerpt.unicodeScalars.prefix(column - 1).map { $0 == "\t" ? "\t" : " " }.joined()
            text += "\n    \(excerpt)\n    \(indent)^"
        }
        return text
    }

    private static func suggest(_ nearest: String?) -> String { nearest.map { ", did you mean '\($0)'?" } ?? "" }

    private static func either(_ names: [String]) -> String {
        names.map { "'\($0)'" }.joined(separator: names.count == 2 ? " or " : ", ")
    }
}

/// Thrown by filters and tags of a site: the engine adds the place and makes it a `TemplateError`.
public struct TemplateFailure: Error, Sendable, CustomStringConvertible {
    public let description: String
    public init(_ description: String) { self.description = description }
}
