/// A value a template can see: an explicit, closed set instead of `Any`, so that rendering never reflects.
///
/// Literals work where a value is expected (`["question": .object(question), "count": 3]`), and so does everything that is
/// `TemplateRepresentable`, by `TemplateValue(_:)`. `nil` is deliberately no literal: in a `TemplateValue?` it must mean "missing", never `.null`.
public enum TemplateValue: Sendable {
    /// Python's `None`.
    case null
    case bool(Bool)
    case int(Int)
    case double(Double)
    /// Text that is escaped when it is written into a page.
    case string(String)
    /// Text that is HTML already and is written as it is (Django's `SafeString`).
    case safe(String)
    /// A day or a moment; see `TemplateDate`.
    case date(TemplateDate)
    case list([TemplateValue])
    /// Names and values in their order of insertion, as Python's dictionaries.
    case map(TemplateMap)
    /// Something whose members are looked up when a template asks for them.
    indirect case object(any TemplateObject)

    /// The value a Swift value stands for in templates.
    public init(_ value: some TemplateRepresentable) { self = value.templateValue }

    /// Whether text of this value may be written without escaping.
    public var isSafe: Bool {
        if case .safe = self { true } else { false }
    }
}

extension TemplateValue: ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    public init(stringLiteral value: String) { self = .string(value) }
    public init(integerLiteral value: Int) { self = .int(value) }
    public init(floatLiteral value: Double) { self = .double(value) }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
    public init(arrayLiteral elements: TemplateValue...) { self = .list(elements) }
    public init(dictionaryLiteral elements: (String, TemplateValue)...) { self = .map(TemplateMap(elements)) }
}
