public import FoundationEssentials

/// A value a converter took out of a path.
public enum PathValue: Sendable, Hashable, CustomStringConvertible {
    case int(Int)
    case string(String)
    case uuid(UUID)

    public var description: String {
        switch self {
        case .int(let value): String(value)
        case .string(let value): value
        case .uuid(let value): value.uuidString.lowercased()
        }
    }
}

/// A type a view may take from the path, and `reverse` may put into one.
public protocol PathParameter: Sendable {
    /// The value out of the path; nil where it does not fit, which answers 404.
    init?(pathValue: PathValue)
    /// The value as it goes into a path.
    var pathValue: PathValue { get }
    /// Whether a converter's values can be of this type: asked when the URL table is checked.
    static func accepts(converter: String) -> Bool
}

extension PathParameter {
    public static func accepts(converter: String) -> Bool { true }
}

extension Int: PathParameter {
    public init?(pathValue: PathValue) {
        guard case .int(let value) = pathValue else { return nil }
        self = value
    }
    public var pathValue: PathValue { .int(self) }
    public static func accepts(converter: String) -> Bool { !["str", "slug", "uuid", "path"].contains(converter) }
}

extension String: PathParameter {
    public init?(pathValue: PathValue) {
        guard case .string(let value) = pathValue else { return nil }
        self = value
    }
    public var pathValue: PathValue { .string(self) }
    public static func accepts(converter: String) -> Bool { !["int", "uuid"].contains(converter) }
}

extension UUID: PathParameter {
    public init?(pathValue: PathValue) {
        guard case .uuid(let value) = pathValue else { return nil }
        self = value
    }
    public var pathValue: PathValue { .uuid(self) }
    public static func accepts(converter: String) -> Bool { !["int", "str", "slug", "path"].contains(converter) }
}

/// A converter of the site's own, named in ``Site/converters`` and used as `<name:parameter>`. It sees what stands between
/// two slashes (the longest run that lets the rest of the pattern match is tried first).
public protocol PathConverter: Sendable {
    /// The value of `text`, or nil when it does not match.
    func value(of text: String) -> PathValue?
    /// The text of `value` for a URL, or nil when it cannot be written.
    func text(for value: PathValue) -> String?
}

/// The values the matched pattern took out of the path.
public struct PathParameters: Sendable {
    let route: Route?
    let values: [PathValue]

    /// The value of this name, whatever its type.
    public subscript(_ name: String) -> PathValue? {
        guard let index = route?.pattern.parameterNames.firstIndex(of: name), index < values.count else { return nil }
        return values[index]
    }

    /// The value of this name as `Value`; throws ``Http404`` when there is none of that type.
    public func get<Value: PathParameter>(_ name: String, as type: Value.Type = Value.self) throws -> Value {
        guard let value = self[name].flatMap({ Value(pathValue: $0) }) else { throw Http404() }
        return value
    }

    /// The whole number of this name; throws ``Http404`` when there is none.
    public func int(_ name: String) throws -> Int { try get(name) }

    /// The text of this name; throws ``Http404`` when there is none.
    public func string(_ name: String) throws -> String { try get(name) }

    /// Names and values in the order of the pattern.
    public var pairs: [(name: String, value: PathValue)] {
        Array(zip(route?.pattern.parameterNames ?? [], values))
    }
}
