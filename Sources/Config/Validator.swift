/// Checks a tree against the declarations and collects everything that is wrong.
struct Validator {
    /// What is checked.
    enum Scope {
        /// One layer alone: what another layer may still add is not missed.
        case layer
        /// All layers together.
        case effective
    }

    private let scope: Scope
    /// What is wrong so far.
    private(set) var errors: [ConfigError] = []

    /// Everything wrong with `tree`.
    static func check(_ tree: ConfigTree, against group: OptionGroup, scope: Scope) -> [ConfigError] {
        var validator = Validator(scope: scope)
        validator.check(tree, .group(group), ConfigPath())
        return validator.errors
    }

    private init(scope: Scope) {
        self.scope = scope
    }

    private mutating func check(_ node: ConfigTree, _ type: ValueType, _ path: ConfigPath) {
        switch (type, node.value) {
        case (.any, _): return
        case (.group(let group), .mapping(let entries)):
            check(entries, node.origin, group, path)
        case (.map(let form, let type), .mapping(let entries)):
            for entry in entries {
                if !form.accepts(entry.key) {
                    fail(
                        .unexpected(expected: form.expected, got: "'\(entry.key)'", nearest: nil), entry.keyOrigin, path
                    )
                }
                check(entry.value, type, path.appending(entry.key))
            }
        case (.list(let type), .list(let elements)):
            for (index, element) in elements.enumerated() { check(element, type, path.appending(index)) }
        case (.list(let element), .scalar(let scalar)) where !scalar.isNull && element.asGroup == nil:
            check(node, element, path)
        case (.either(let types), _):
            guard let type = types.first(where: { Self.fits(node, $0) }) else { return mismatch(node, type, path) }
            check(node, type, path)
        case (_, .scalar(let scalar)):
            if scalar.isUnresolved || Self.accepts(scalar, type) { return }
            mismatch(node, type, path)
        default:
            mismatch(node, type, path)
        }
    }

    private mutating func check(
        _ entries: [ConfigTree.Entry], _ origin: Origin, _ group: OptionGroup, _ path: ConfigPath
    ) {
        let keys = entries.map(\.key)
        for entry in entries {
            let place = path.appending(entry.key)
            guard let option = group[entry.key] else {
                let near = nearest(to: entry.key, among: group.options.map(\.key))
                fail(.unknownKey(nearest: near), entry.keyOrigin, place)
                continue
            }
            check(entry.value, option.type, place)
            let mayCheck = scope == .effective || !group.isLayered
            if mayCheck, !option.requires.isEmpty, !keys.contains(where: option.requires.contains) {
                let needed = option.requires.map { "'\($0)'" }.joined(separator: " or ")
                fail(.conflict("'\(option.key)' goes with \(needed), which is not here"), entry.keyOrigin, place)
            }
        }
        guard scope == .effective || !group.isLayered else { return }
        for key in group.required where !keys.contains(key) {
            fail(.missing(expected: group[key]?.type.expected ?? "a value"), origin, path.appending(key))
        }
        let present = entries.filter { group.exactlyOne.contains($0.key) }
        if !group.exactlyOne.isEmpty, present.isEmpty {
            fail(.missing(expected: "one of \(group.exactlyOne.joined(separator: ", "))"), origin, path)
        }
        for surplus in present.dropFirst() {
            fail(
                .conflict("'\(surplus.key)' and '\(present[0].key)' exclude each other"), surplus.keyOrigin,
                path.appending(surplus.key))
        }
    }

    private static func fits(_ node: ConfigTree, _ type: ValueType) -> Bool {
        switch (type, node.value) {
        case (.any, _), (.group, .mapping), (.map, .mapping), (.list, .list): true
        case (.either(let types), _): types.contains { fits(node, $0) }
        case (_, .scalar(let scalar)): scalar.isUnresolved || accepts(scalar, type)
        default: false
        }
    }

    /// Whether a scalar is a value of `type`.
    static func accepts(_ scalar: ConfigTree.Scalar, _ type: ValueType) -> Bool {
        if scalar.isNull { return false }
        switch type {
        case .text, .any: return true
        case .secret: return !scalar.text.isEmpty
        case .path: return !scalar.text.isEmpty && !scalar.text.utf8.contains(0)
        case .boolean: return boolean(scalar.text) != nil
        case .flag: return boolean(scalar.text) == true
        case .integer(let range): return integer(scalar.text).map(range.contains) ?? false
        case .size(let range): return ByteCount(parsing: scalar.text).map { range.contains($0.bytes) } ?? false
        case .duration(let range):
            guard let duration = Duration(configurationText: scalar.text) else { return false }
            return duration >= .milliseconds(range.lowerBound) && duration <= .milliseconds(range.upperBound)
        case .choice(let words): return words.contains(scalar.text)
        case .address: return ListenAddress(parsing: scalar.text) != nil
        case .form(let form): return form.accepts(scalar.text)
        case .either(let types): return types.contains { accepts(scalar, $0) }
        case .list(let type): return accepts(scalar, type)
        case .map, .group: return false
        }
    }

    /// The words YAML 1.1 knows for true and false, for options that are one or the other.
    static func boolean(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "on", "yes": true
        case "false", "off", "no": false
        default: nil
        }
    }

    /// Decimal digits with an optional minus: no underscores, no octal, no `1e3`.
    static func integer(_ text: String) -> Int? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-") }) else { return nil }
        return Int(text)
    }

    private mutating func mismatch(_ node: ConfigTree, _ type: ValueType, _ path: ConfigPath) {
        let near = node.scalar.flatMap { $0.isSecret ? nil : nearest(to: $0.text, among: type.words) }
        fail(.unexpected(expected: type.expected, got: Self.described(node), nearest: near), node.origin, path)
    }

    /// What an error says was found.
    static func described(_ node: ConfigTree) -> String {
        switch node.value {
        case .list: return "a list"
        case .mapping: return "a mapping"
        case .scalar(let scalar):
            if scalar.isNull { return "nothing" }
            if scalar.isSecret { return "'****'" }
            let shown = scalar.text.unicodeScalars.prefix(60).reduce(into: "") { text, character in
                // Control characters and what rearranges a terminal's line do not belong into a message.
                switch character.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator: text += "?"
                default: text.unicodeScalars.append(character)
                }
            }
            return "'\(shown)\(scalar.text.unicodeScalars.count > 60 ? "…" : "")'"
        }
    }

    private mutating func fail(_ problem: ConfigError.Problem, _ origin: Origin, _ path: ConfigPath) {
        errors.append(ConfigError(problem, at: origin, path: path))
    }
}
