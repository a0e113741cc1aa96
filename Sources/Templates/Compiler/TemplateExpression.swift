/// `variable|filter:argument|…`, compiled.
public struct TemplateExpression: Sendable {
    enum Base: Sendable {
        case constant(TemplateValue)
        case variable(VariablePath)
    }

    struct AppliedFilter: Sendable {
        let name: String
        let function: FilterFunction
        let argument: Base?
    }

    let base: Base
    let filters: [AppliedFilter]
    let place: SourcePlace

    /// The value, as Django resolves it: a missing variable is `stringIfInvalid`, or text of length 0 that goes through
    /// the filters.
    public func evaluate(in rendering: inout Rendering) throws(TemplateError) -> TemplateValue {
        switch base {
        case .constant(let value):
            return filters.isEmpty ? value : try filter(value, &rendering)
        case .variable(let path):
            guard let value = try path.value(in: &rendering, at: place) else {
                let invalid = rendering.engine.stringIfInvalid
                if invalid.isEmpty { return filters.isEmpty ? .string("") : try filter(.string(""), &rendering) }
                return .string(invalid.replacing(utf8: "%s", with: path.name))
            }
            return filters.isEmpty ? value : try filter(value, &rendering)
        }
    }

    /// The value, or null for a missing variable (for `if`, `for`, `firstof`).
    public func evaluateOrNull(in rendering: inout Rendering) throws(TemplateError) -> TemplateValue {
        switch base {
        case .constant(let value):
            return try filter(value, &rendering)
        case .variable(let path):
            return try filter(try path.value(in: &rendering, at: place) ?? .null, &rendering)
        }
    }

    private func filter(_ value: TemplateValue, _ rendering: inout Rendering) throws(TemplateError) -> TemplateValue {
        var value = value
        for filter in filters {
            var argument: TemplateValue?
            switch filter.argument {
            case .constant(let constant): argument = constant
            case .variable(let path):
                argument = try path.value(in: &rendering, at: place)
                if argument == nil { throw place.error(.missingVariable(path.name)) }
            case nil: break
            }
            do {
                value = try filter.function.apply(value, argument, rendering.environment)
            } catch let error as TemplateError {
                throw error
            } catch {
                throw place.error(.filterFailed(filter.name, reason: "\(error)"))
            }
        }
        return value
    }
}

/// A dotted name: `question.choices.0.text`.
final class VariablePath: Sendable {
    enum Root: Sendable { case variable, forloop, block }

    let name: String
    let head: String
    let members: [Member]
    let root: Root

    struct Member: Sendable {
        let name: String
        /// The name as a list index.
        let index: Int?
    }

    init(_ name: String) {
        self.name = name
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        head = parts.first ?? ""
        members = parts.dropFirst().map { Member(name: $0, index: Int($0)) }
        root =
            switch head {
            case "forloop": .forloop
            case "block": .block
            default: .variable
            }
    }

    /// Nil when the variable does not exist.
    func value(in rendering: inout Rendering, at place: SourcePlace) throws(TemplateError) -> TemplateValue? {
        switch root {
        case .variable:
            break
        case .forloop:
            if rendering.loops.count > rendering.loopFloor { return rendering.forloop(members[...]) }
        case .block:
            if !rendering.activeBlocks.isEmpty { return try rendering.blockMember(members, at: place) }
        }
        guard var value = rendering.context[head] else { return nil }
        for member in members {
            guard let next = value.member(member) else { return nil }
            value = next
        }
        return value
    }
}
