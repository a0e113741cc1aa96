extension TemplateValue {
    /// Python's `==`.
    public func equals(_ other: TemplateValue) -> Bool {
        switch (self, other) {
        case (.null, .null): return true
        case (.string(let left), .string(let right)), (.string(let left), .safe(let right)),
            (.safe(let left), .string(let right)), (.safe(let left), .safe(let right)):
            return left == right
        case (.date(let left), .date(let right)): return left == right
        case (.list(let left), .list(let right)):
            return left.count == right.count && zip(left, right).allSatisfy { $0.equals($1) }
        case (.map(let left), .map(let right)):
            return left.count == right.count
                && left.entries.allSatisfy { entry in right[entry.key].map { entry.value.equals($0) } ?? false }
        case (.object(let left), .object(let right)): return left.isTemplateEqual(to: right)
        case (.int(let left), .int(let right)): return left == right
        default:
            guard isNumber, other.isNumber, let left = number, let right = other.number else { return false }
            return left == right
        }
    }

    /// Python's `<`, or nil for values that have no order between them.
    func isLess(than other: TemplateValue) -> Bool? {
        switch (self, other) {
        case (.int(let left), .int(let right)): return left < right
        case (.string(let left), .string(let right)), (.string(let left), .safe(let right)),
            (.safe(let left), .string(let right)), (.safe(let left), .safe(let right)):
            // By code point, as Python orders text.
            return left.unicodeScalars.lexicographicallyPrecedes(right.unicodeScalars)
        case (.date(let left), .date(let right)):
            return left.isDay == right.isDay ? left < right : nil
        case (.list(let left), .list(let right)):
            for (first, second) in zip(left, right) where !first.equals(second) { return first.isLess(than: second) }
            return left.count < right.count
        default:
            guard isNumber, other.isNumber, let left = number, let right = other.number else { return nil }
            return left < right
        }
    }

    /// Python's `is`: the same singleton; for values without identity, the same case and content.
    func isIdentical(to other: TemplateValue) -> Bool {
        switch (self, other) {
        case (.null, .null): true
        case (.bool(let left), .bool(let right)): left == right
        case (.int, .int), (.string, .string), (.safe, .safe), (.double, .double), (.date, .date), (.list, .list),
            (.map, .map), (.object, .object):
            equals(other)
        default: false
        }
    }

    /// Python's `element in self`, or nil when this is nothing one can be in.
    func contains(_ element: TemplateValue) -> Bool? {
        switch self {
        case .string(let text), .safe(let text):
            switch element {
            case .string(let part), .safe(let part): return text.contains(utf8: part)
            default: return nil
            }
        case .list(let values): return values.contains { $0.equals(element) }
        case .map(let map):
            switch element {
            case .string(let key), .safe(let key): return map[key] != nil
            default: return false
            }
        case .object(let object): return object.templateElements?.contains { $0.equals(element) }
        default: return nil
        }
    }

    var isNumber: Bool {
        switch self {
        case .bool, .int, .double: true
        default: false
        }
    }
}

extension String {
    func contains(utf8 part: String) -> Bool { range(ofUTF8: part, from: utf8.startIndex) != nil }

    /// The first place of `part` at or after `start`, byte by byte (no canonical equivalence, as in Python).
    func range(ofUTF8 part: String, from start: Index) -> Range<Index>? {
        let needle = Array(part.utf8)
        guard let first = needle.first else { return start..<start }
        let view = utf8
        var position = start
        while position < view.endIndex {
            if view[position] == first, view[position...].starts(with: needle) {
                return position..<view.index(position, offsetBy: needle.count)
            }
            position = view.index(after: position)
        }
        return nil
    }

    func replacing(utf8 part: String, with replacement: String) -> String {
        guard !part.isEmpty else { return self }
        var result = ""
        var position = utf8.startIndex
        while let found = range(ofUTF8: part, from: position) {
            result += self[position..<found.lowerBound]
            result += replacement
            position = found.upperBound
        }
        return result + self[position...]
    }
}
