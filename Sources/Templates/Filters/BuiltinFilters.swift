/// The filters every template has.
enum BuiltinFilters {
    static let all: [String: FilterFunction] = {
        var table: [String: FilterFunction] = [:]
        for list in [TextFilters.all, HTMLFilters.all, ListFilters.all, NumberFilters.all, ValueFilters.all] {
            for filter in list { table[filter.name] = filter }
        }
        return table
    }()
}

extension TemplateValue {
    /// Text like the input: safe if that was.
    func rewrapped(_ text: String) -> TemplateValue { isSafe ? .safe(text) : .string(text) }
}
