/// Filters that choose between values, and those over dates.
enum ValueFilters {
    static let all: [FilterFunction] = [
        FilterFunction("default", argument: .required) { value, argument, _ in
            value.isTruthy ? value : argument ?? ""
        },
        FilterFunction("default_if_none", argument: .required) { value, argument, _ in
            if case .null = value { argument ?? "" } else { value }
        },
        FilterFunction("yesno", argument: .optional) { value, argument, _ in
            let words = (argument?.text ?? "yes,no,maybe").split(separator: ",", omittingEmptySubsequences: false)
            guard words.count >= 2 else { return value }
            if case .null = value { return .string(String(words[words.count == 3 ? 2 : 1])) }
            return .string(String(value.isTruthy ? words[0] : words[1]))
        },
        FilterFunction("date", argument: .optional) { value, argument, environment in
            let pattern = nonEmpty(argument) ?? "N j, Y"
            if case .date(let date) = value, date.isDay, let time = DateFormat.timeCharacter(in: pattern) {
                throw TemplateFailure("a day has no time, which '\(time)' asks for")
            }
            return format(value, pattern, environment)
        },
        FilterFunction("time", argument: .optional) { value, argument, environment in
            let pattern = nonEmpty(argument) ?? "P"
            if case .date(let date) = value, date.isDay { return "" }
            if DateFormat.usesDay(pattern) { return "" }
            return format(value, pattern, environment)
        },
        FilterFunction("timesince", argument: .optional) { value, argument, environment in
            guard let (start, end) = try span(value, argument, environment) else { return "" }
            return .string(DateFormat.span(from: start, to: end))
        },
        FilterFunction("timeuntil", argument: .optional) { value, argument, environment in
            guard let (end, start) = try span(value, argument, environment) else { return "" }
            return .string(DateFormat.span(from: start, to: end))
        },
        FilterFunction("pprint", keepsSafety: true) { value, _, _ in .string(value.representation) },
    ]

    /// The value and the other end of the span; nil when there is nothing to compare.
    private static func span(
        _ value: TemplateValue, _ argument: TemplateValue?, _ environment: FilterEnvironment
    ) throws -> (TemplateDate, TemplateDate)? {
        guard value.isTruthy else { return nil }
        guard case .date(let date) = value else { throw TemplateFailure("'\(value.text)' is no date") }
        guard case .date(let other)? = argument else { return (date, environment.engine.settings.now()) }
        return date.isDay == other.isDay ? (date, other) : nil
    }

    private static func nonEmpty(_ argument: TemplateValue?) -> String? {
        argument.map(\.text).flatMap { text -> String? in text.isEmpty ? nil : text }
    }

    private static func format(_ value: TemplateValue, _ format: String, _ environment: FilterEnvironment)
        -> TemplateValue
    {
        guard case .date(let date) = value else { return "" }
        return .string(DateFormat.date(date, format, timeZone: environment.timeZone))
    }
}
