extension TemplateValue {
    /// What `value.name` is in a template, or nil: a map's key, an object's member, a list's index, in Django's order.
    public func member(_ name: String) -> TemplateValue? {
        member(VariablePath.Member(name: name, index: Int(name)))
    }

    func member(_ member: VariablePath.Member) -> TemplateValue? {
        switch self {
        case .object(let object):
            if let value = object.member(member.name) { return value }
            guard let index = member.index, let elements = object.templateElements else { return nil }
            return Self.element(of: elements, at: index)
        case .map(let map):
            if let value = map[member.name] { return value }
            switch member.name {
            case "items": return .list(map.entries.map { .list([.string($0.key), $0.value]) })
            case "keys": return .list(map.keys.map { .string($0) })
            case "values": return .list(map.values)
            default: return nil
            }
        case .list(let values):
            return member.index.flatMap { Self.element(of: values, at: $0) }
        case .string(let text), .safe(let text):
            if let index = member.index {
                let scalars = Array(text.unicodeScalars)
                return scalars.indices.contains(index) ? .string(String(scalars[index])) : nil
            }
            // The methods of Python's `str` that templates are seen to call.
            switch member.name {
            case "upper": return .string(text.uppercased())
            case "lower": return .string(text.lowercased())
            case "title": return .string(TextFilters.title(text))
            case "strip": return .string(text.trimmed)
            default: return nil
            }
        case .date(let date):
            let civil = CivilDate(date)
            switch member.name {
            case "year": return .int(civil.year)
            case "month": return .int(civil.month)
            case "day": return .int(civil.day)
            case "hour" where !date.isDay: return .int(civil.hour)
            case "minute" where !date.isDay: return .int(civil.minute)
            case "second" where !date.isDay: return .int(civil.second)
            default: return nil
            }
        case .null, .bool, .int, .double:
            return nil
        }
    }

    /// As Python's `list[int(name)]`: Django passes `-1` through, too, but its variables cannot be written so.
    private static func element(of values: [TemplateValue], at index: Int) -> TemplateValue? {
        values.indices.contains(index) ? values[index] : nil
    }
}
