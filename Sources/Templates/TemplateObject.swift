/// Something a template can look into: a model, a form, a page of results. Members are looked up one by one, when a
/// template asks for them, so an object costs nothing for what a page does not show.
public protocol TemplateObject: Sendable {
    /// The member `name` (`{{ question.title }}` asks for `title`), or nil when there is none.
    func member(_ name: String) -> TemplateValue?
    /// What `{{ object }}` shows, before escaping. Default: the member `__str__`, else the type's name.
    var templateText: String { get }
    /// What `{% if object %}` asks. Default: false for a collection without elements, otherwise true.
    var templateTruth: Bool { get }
    /// What `{% for x in object %}` walks over, or nil (the default) when the object is no collection.
    var templateElements: [TemplateValue]? { get }
    /// What `==` and `in` ask. Default: both have a member `pk` (or else `id`), the same, and are of one type.
    func isTemplateEqual(to other: any TemplateObject) -> Bool
}

extension TemplateObject {
    public var templateText: String {
        if let text = member("__str__") { return text.text }
        return "\(Self.self) object"
    }
    public var templateTruth: Bool { templateElements.map { !$0.isEmpty } ?? true }
    public var templateElements: [TemplateValue]? { nil }
    public func isTemplateEqual(to other: any TemplateObject) -> Bool {
        guard other is Self else { return false }
        for key in ["pk", "id"] {
            if let mine = member(key), let theirs = other.member(key) { return mine.equals(theirs) }
        }
        return false
    }
}

/// A Swift type that has a value in templates: conform a model to show it, usually with `.object(self)` or a map.
public protocol TemplateRepresentable {
    var templateValue: TemplateValue { get }
}

/// A type that is a `TemplateObject` is represented by itself.
extension TemplateRepresentable where Self: TemplateObject {
    public var templateValue: TemplateValue { .object(self) }
}

extension TemplateValue: TemplateRepresentable {
    public var templateValue: TemplateValue { self }
}
extension String: TemplateRepresentable {
    public var templateValue: TemplateValue { .string(self) }
}
extension Substring: TemplateRepresentable {
    public var templateValue: TemplateValue { .string(String(self)) }
}
extension Bool: TemplateRepresentable {
    public var templateValue: TemplateValue { .bool(self) }
}
extension Int: TemplateRepresentable {
    public var templateValue: TemplateValue { .int(self) }
}
extension Int64: TemplateRepresentable {
    public var templateValue: TemplateValue { .int(Int(self)) }
}
extension Int32: TemplateRepresentable {
    public var templateValue: TemplateValue { .int(Int(self)) }
}
extension Double: TemplateRepresentable {
    public var templateValue: TemplateValue { .double(self) }
}
extension TemplateDate: TemplateRepresentable {
    public var templateValue: TemplateValue { .date(self) }
}
extension TemplateMap: TemplateRepresentable {
    public var templateValue: TemplateValue { .map(self) }
}
extension Optional: TemplateRepresentable where Wrapped: TemplateRepresentable {
    public var templateValue: TemplateValue { self?.templateValue ?? .null }
}
extension Array: TemplateRepresentable where Element: TemplateRepresentable {
    public var templateValue: TemplateValue { .list(map(\.templateValue)) }
}
/// Sorted by key, because a Swift dictionary has no order of its own and pages should not change between runs.
extension Dictionary: TemplateRepresentable where Key == String, Value: TemplateRepresentable {
    public var templateValue: TemplateValue {
        .map(TemplateMap(sorted { $0.key < $1.key }.map { ($0.key, $0.value.templateValue) }))
    }
}
