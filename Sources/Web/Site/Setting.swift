/// Something a site wants to know from `app.yaml`, with its type and default.
///
/// ```swift
/// static let pageSize = Setting("page-size", default: 20)   // sites: {shop: {swift: shop, settings: {page-size: 50}}}
/// var settings: [any DeclaredSetting] { [Self.pageSize] }
/// …
/// request[Self.pageSize]                                    // an Int
/// ```
///
/// What ``Site/settings`` lists is checked before the site is served: an unknown name or a value of another type stops the
/// start, with its place in the file.
public struct Setting<Value: SettingValue>: DeclaredSetting {
    public let name: String
    /// What holds when the configuration says nothing.
    public let standard: Value

    /// A setting by its name in the configuration: letters, digits, `-` and `_`.
    public init(_ name: String, default standard: Value) {
        self.name = name
        self.standard = standard
    }

    public func problem(with value: SettingText) -> String? {
        Value(setting: value) == nil ? "expected \(Value.expectation), got \(value)" : nil
    }
}

/// A setting of some type.
public protocol DeclaredSetting: Sendable {
    /// Its name in the configuration.
    var name: String { get }
    /// What is wrong with a value; nil when nothing is.
    func problem(with value: SettingText) -> String?
}

/// A value as the configuration has it, by YAML's core schema.
public enum SettingText: Sendable, Equatable, CustomStringConvertible {
    case boolean(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    /// Text that must not be shown.
    case secret(String)

    public var description: String {
        switch self {
        case .boolean(let value): "'\(value)'"
        case .integer(let value): "'\(value)'"
        case .number(let value): "'\(value)'"
        case .text(let value): "the text '\(value)'"
        case .secret: "'****'"
        }
    }
}

/// A type that settings can have.
public protocol SettingValue: Sendable {
    /// What an error says was expected: `a whole number`.
    static var expectation: String { get }
    /// Nil when the value is of another type.
    init?(setting: SettingText)
}

extension Int: SettingValue {
    public static var expectation: String { "a whole number" }
    public init?(setting: SettingText) {
        guard case .integer(let value) = setting else { return nil }
        self = value
    }
}

extension Double: SettingValue {
    public static var expectation: String { "a number" }
    public init?(setting: SettingText) {
        switch setting {
        case .integer(let value): self = Double(value)
        case .number(let value): self = value
        case .boolean, .text, .secret: return nil
        }
    }
}

extension Bool: SettingValue {
    public static var expectation: String { "true or false" }
    public init?(setting: SettingText) {
        guard case .boolean(let value) = setting else { return nil }
        self = value
    }
}

extension String: SettingValue {
    public static var expectation: String { "text (in quotes, if it looks like a number)" }
    public init?(setting: SettingText) {
        switch setting {
        case .text(let value), .secret(let value): self = value
        case .boolean, .integer, .number: return nil
        }
    }
}

extension SiteSettings {
    /// The value of a setting, or its default.
    public subscript<Value>(setting: Setting<Value>) -> Value {
        values[setting.name].flatMap { Value(setting: $0) } ?? setting.standard
    }
}

extension Request {
    /// The value of one of the site's settings, or its default.
    public subscript<Value>(setting: Setting<Value>) -> Value { application.settings[setting] }
}

extension Site {
    /// What is wrong with the values a configuration has for this site, by their names.
    public func problems(with values: [String: SettingText]) -> [(name: String, text: String)] {
        let declared = Dictionary(settings.map { ($0.name, $0) }) { first, _ in first }
        return values.sorted { $0.key < $1.key }.compactMap { name, value in
            if let setting = declared[name] { return setting.problem(with: value).map { (name, $0) } }
            let known = declared.keys.sorted().joined(separator: ", ")
            return (
                name,
                known.isEmpty
                    ? "site '\(self.name)' has no settings"
                    : "site '\(self.name)' has no such setting; it has: \(known)"
            )
        }
    }
}
