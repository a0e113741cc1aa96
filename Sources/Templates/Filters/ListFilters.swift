/// Filters over lists, and over texts as lists of characters.
enum ListFilters {
    static let all: [FilterFunction] = [
        FilterFunction("length") { value, _, _ in .int(value.length ?? 0) },
        FilterFunction("length_is", argument: .required) { value, argument, _ in
            guard let length = value.length, let wanted = argument?.integer else { return "" }
            return .bool(length == wanted)
        },
        FilterFunction("first") { value, _, _ in
            guard let elements = value.elements else { throw TemplateFailure("'\(value.text)' is no list") }
            return elements.first ?? ""
        },
        FilterFunction("last", keepsSafety: true) { value, _, _ in
            guard let elements = value.elements else { throw TemplateFailure("'\(value.text)' is no list") }
            return elements.last ?? ""
        },
        FilterFunction("join", argument: .required) { value, argument, environment in
            guard let elements = value.elements else { return value }
            let separator = argument ?? ""
            guard environment.autoescape else {
                return .safe(elements.map(\.text).joined(separator: separator.text))
            }
            return .safe(
                elements.map(HTMLEscape.conditional).joined(separator: HTMLEscape.conditional(separator)))
        },
        FilterFunction("slice", argument: .required, keepsSafety: true) { value, argument, _ in
            slice(value, argument?.text ?? "")
        },
        FilterFunction("dictsort", argument: .required) { value, argument, _ in
            sorted(value, by: argument) ?? ""
        },
        FilterFunction("dictsortreversed", argument: .required) { value, argument, _ in
            guard case .list(let values) = sorted(value, by: argument, descending: true) else { return "" }
            return .list(values)
        },
        FilterFunction("unordered_list") { value, _, environment in
            .safe(unorderedList(value.elements ?? [], depth: 1, isEscaped: environment.autoescape))
        },
    ]

    /// Python's slices, `start:stop:step`, on elements or characters; what is no slice leaves the value alone.
    private static func slice(_ value: TemplateValue, _ text: String) -> TemplateValue {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        var bounds: [Int?] = []
        for part in parts {
            if part.isEmpty {
                bounds.append(nil)
            } else if let number = Int(part.trimmed) {
                bounds.append(number)
            } else {
                return value
            }
        }
        // One number alone is the end, as in Python's slice(n).
        if bounds.count == 1 { bounds = [nil, bounds[0], nil] }
        if bounds.count == 2 { bounds.append(nil) }
        guard bounds.count == 3, let elements = value.elements else { return value }
        if case .map = value { return value }
        let step = bounds[2] ?? 1
        guard step != 0 else { return value }
        var picked: [TemplateValue] = []
        for index in indices(elements.count, bounds[0], bounds[1], step) { picked.append(elements[index]) }
        switch value {
        case .string, .safe: return .string(picked.map(\.text).joined())
        default: return .list(picked)
        }
    }

    private static func indices(_ count: Int, _ start: Int?, _ stop: Int?, _ step: Int) -> StrideTo<Int> {
        func clamp(_ bound: Int, _ low: Int, _ high: Int) -> Int {
            min(max(bound < 0 ? max(bound, -count - 1) + count : bound, low), high)
        }
        let bounded = min(max(step, -count - 1), count + 1)
        if step > 0 {
            return stride(from: clamp(start ?? 0, 0, count), to: clamp(stop ?? count, 0, count), by: bounded)
        }
        let from = start.map { clamp($0, -1, count - 1) } ?? count - 1
        let to = stop.map { clamp($0, -1, count - 1) } ?? -1
        return stride(from: from, to: to, by: bounded)
    }

    /// Stable, by a dotted name; nil when a member is missing or two have no order.
    private static func sorted(_ value: TemplateValue, by argument: TemplateValue?, descending: Bool = false)
        -> TemplateValue?
    {
        guard let elements = value.elements, let argument else { return nil }
        let path = argument.text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard !path.contains(where: { $0.hasPrefix("_") }) else { return nil }
        var keyed: [(key: TemplateValue, element: TemplateValue)] = []
        for element in elements {
            var key = element
            for name in path {
                guard let next = key.member(name) else { return nil }
                key = next
            }
            keyed.append((key, element))
        }
        for (left, right) in zip(keyed, keyed.dropFirst()) where left.key.isLess(than: right.key) == nil { return nil }
        let ordered = keyed.enumerated().sorted { left, right in
            let (a, b) = descending ? (right, left) : (left, right)
            if a.element.key.isLess(than: b.element.key) ?? false { return true }
            if b.element.key.isLess(than: a.element.key) ?? false { return false }
            return left.offset < right.offset
        }
        return .list(ordered.map(\.element.element))
    }

    private static func unorderedList(_ values: [TemplateValue], depth: Int, isEscaped: Bool) -> String {
        let indent = String(repeating: "\t", count: min(depth, 64))
        var rows: [String] = []
        var index = 0
        while index < values.count {
            let title = isEscaped ? HTMLEscape.conditional(values[index]) : values[index].text
            var sublist = ""
            if index + 1 < values.count, case .list(let children) = values[index + 1] {
                index += 1
                let inner = unorderedList(children, depth: depth + 1, isEscaped: isEscaped)
                sublist = "\n\(indent)<ul>\n\(inner)\n\(indent)</ul>\n\(indent)"
            }
            rows.append("\(indent)<li>\(title)\(sublist)</li>")
            index += 1
        }
        return rows.joined(separator: "\n")
    }
}
