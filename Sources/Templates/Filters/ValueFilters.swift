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
            guard words.count >= 2, words.count <= 3 else { return value }
            if case .null = value { return .string(String(words[words.count - 1])) }
            return .string(String(value.isTruthy ? words[0] : words[1]))
        },
        FilterFunction("date", argument: .optional) { value, argument, environment in
            format(value, argument?.text ?? "N j, Y", environment)
        },
        FilterFunction("time", argument: .optional) { value, argument, environment in
            if case .date(let date) = value, date.isDay { return "" }
            return format(value, argument?.text ?? "P", environment)
        },
        FilterFunction("timesince", argument: .optional) { value, argument, environment in
            guard case .date(let start) = value else { return "" }
            return .string(DateFormat.span(from: start, to: moment(argument, environment)))
        },
        FilterFunction("timeuntil", argument: .optional) { value, argument, environment in
            guard case .date(let end) = value else { return "" }
            return .string(DateFormat.span(from: moment(argument, environment), to: end))
        },
        FilterFunction("pprint") { value, _, _ in .string(value.representation) },
    ]

    private static func moment(_ argument: TemplateValue?, _ environment: FilterEnvironment) -> TemplateDate {
        if case .date(let date)? = argument { date } else { environment.engine.settings.now() }
    }

    private static func format(_ value: TemplateValue, _ format: String, _ environment: FilterEnvironment)
        -> TemplateValue
    {
        guard case .date(let date) = value else { return "" }
        return .string(DateFormat.date(date, format, timeZone: environment.timeZone))
    }
}
