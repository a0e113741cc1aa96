/// A place in the configuration: keys and list indices, written `routes[2].files`.
public struct ConfigPath: Sendable, Hashable {
    /// One step down.
    public enum Step: Sendable, Hashable {
        /// Into a mapping.
        case key(String)
        /// Into a list, from 0.
        case index(Int)
    }

    /// The steps from the root.
    public var steps: [Step]

    /// The root, or the place these steps lead to.
    public init(_ steps: [Step] = []) {
        self.steps = steps
    }

    /// Reads `routes[2].files` and `routes.2.files` alike; nil for empty steps and unclosed brackets.
    public init?(parsing text: some StringProtocol) {
        steps = []
        for part in text.split(separator: ".", omittingEmptySubsequences: false) {
            var rest = part[...]
            let name = rest.prefix { $0 != "[" }
            rest = rest.dropFirst(name.count)
            guard !name.isEmpty else { return nil }
            steps.append(Self.step(name))
            while !rest.isEmpty {
                guard rest.first == "[", let end = rest.firstIndex(of: "]"),
                    let index = Int(rest[rest.index(after: rest.startIndex)..<end]), index >= 0
                else { return nil }
                steps.append(.index(index))
                rest = rest[rest.index(after: end)...]
            }
        }
    }

    /// A number is an index where there is a list; the assignment decides, see `ConfigTree.assign`.
    private static func step(_ text: some StringProtocol) -> Step {
        if text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let index = Int(text) {
            .index(index)
        } else {
            .key(String(text))
        }
    }

    /// This place, one key down.
    public func appending(_ key: String) -> ConfigPath {
        ConfigPath(steps + [.key(key)])
    }

    /// This place, one element down.
    public func appending(_ index: Int) -> ConfigPath {
        ConfigPath(steps + [.index(index)])
    }

    /// The last key, or the index in brackets.
    var last: String {
        switch steps.last {
        case .key(let key): key
        case .index(let index): "[\(index)]"
        case nil: ""
        }
    }
}

extension ConfigPath: CustomStringConvertible, ExpressibleByStringLiteral {
    /// `routes[2].files`
    public var description: String {
        var text = ""
        for step in steps {
            switch step {
            case .key(let key): text += text.isEmpty ? key : ".\(key)"
            case .index(let index): text += "[\(index)]"
            }
        }
        return text
    }

    /// For paths written in code; a malformed one is the root.
    public init(stringLiteral text: String) {
        self = ConfigPath(parsing: text) ?? ConfigPath()
    }
}
