/// Brings a tree into the one form that everything after it works with.
enum Normalization {
    /// Short forms written out, booleans as `true` and `false`, secret options marked, single values of list options as
    /// lists. What does not fit its type is left as it is, for the check to find.
    static func normalized(_ node: ConfigTree, as type: ValueType) -> ConfigTree {
        switch (type, node.value) {
        case (.group(let group), .mapping(let entries)):
            if case .mapping(let key)? = group.shorthand, !isLongForm(entries, group) {
                let inner = normalized(node, as: group[key]?.type ?? .text)
                return .mapping([key: inner], node.origin)
            }
            return ConfigTree(
                .mapping(
                    entries.map { entry in
                        guard let option = group[entry.key] else { return entry }
                        return .init(
                            key: entry.key, keyOrigin: entry.keyOrigin, value: normalized(entry.value, as: option.type))
                    }), node.origin)
        case (.group, .scalar(let scalar)) where scalar.isNull, (.map, .scalar(let scalar)) where scalar.isNull:
            // `workers:` with nothing behind it says nothing.
            return ConfigTree(.mapping([]), node.origin)
        case (.group(let group), .scalar(let scalar)):
            guard case .boolean(let key)? = group.shorthand, Validator.boolean(scalar.text) != nil else { return node }
            return normalized(.mapping([key: node], node.origin), as: type)
        case (.map(_, let inner), .mapping(let entries)):
            return ConfigTree(
                .mapping(
                    entries.map {
                        .init(key: $0.key, keyOrigin: $0.keyOrigin, value: normalized($0.value, as: inner))
                    }), node.origin)
        case (.list(let inner), .list(let elements)):
            return ConfigTree(.list(elements.map { normalized($0, as: inner) }), node.origin)
        case (.list(let inner), .scalar(let scalar)) where Validator.accepts(scalar, inner) || scalar.isUnresolved:
            return ConfigTree(.list([normalized(node, as: inner)]), node.origin)
        case (.either(let types), .scalar(let scalar)):
            guard let fitting = types.first(where: { Validator.accepts(scalar, $0) }) else { return node }
            return normalized(node, as: fitting)
        case (.either(let types), _):
            return types.first { $0.isContainer }.map { normalized(node, as: $0) } ?? node
        case (.boolean, .scalar(let scalar)), (.flag, .scalar(let scalar)):
            guard !scalar.isUnresolved, let truth = Validator.boolean(scalar.text) else { return node }
            return ConfigTree(.scalar(.init(truth ? "true" : "false", isSecret: scalar.isSecret)), node.origin)
        case (.secret, .scalar(var scalar)) where !scalar.isNull:
            scalar.isSecret = true
            return ConfigTree(.scalar(scalar), node.origin)
        default:
            return node
        }
    }

    private static func isLongForm(_ entries: [ConfigTree.Entry], _ group: OptionGroup) -> Bool {
        entries.allSatisfy { entry in
            guard let option = group[entry.key] else { return false }
            if case .map = option.type, entry.value.scalar != nil { return false }
            return true
        }
    }

    /// `node` with the declared defaults where nothing is said, its keys in declared order.
    static func completed(_ node: ConfigTree, as type: ValueType) -> ConfigTree {
        switch (type, node.value) {
        case (.group(let group), .mapping(let entries)):
            let present = Set(entries.map(\.key))
            let declared = group.options.compactMap { option -> ConfigTree.Entry? in
                if let entry = entries.first(where: { $0.key == option.key }) {
                    return .init(
                        key: entry.key, keyOrigin: entry.keyOrigin, value: completed(entry.value, as: option.type))
                }
                guard option.requires.isEmpty || !present.isDisjoint(with: option.requires) else { return nil }
                return standard(option).map { .init(key: option.key, keyOrigin: $0.origin, value: $0) }
            }
            return ConfigTree(.mapping(declared + entries.filter { group[$0.key] == nil }), node.origin)
        case (.map(_, let inner), .mapping(let entries)):
            return ConfigTree(
                .mapping(
                    entries.map { .init(key: $0.key, keyOrigin: $0.keyOrigin, value: completed($0.value, as: inner)) }),
                node.origin)
        case (.list(let inner), .list(let elements)):
            return ConfigTree(.list(elements.map { completed($0, as: inner) }), node.origin)
        case (.either(let types), .mapping):
            return types.first { $0.asGroup != nil }.map { completed(node, as: $0) } ?? node
        default:
            return node
        }
    }

    private static let origin = Origin.builtIn(layer: "default")

    /// The default of an option; a group that stands alone is made of its options' defaults.
    static func standard(_ option: Option) -> ConfigTree? {
        if let text = option.standard { return flow(text, as: option.type, origin) }
        if case .group(let group) = option.type {
            let made = completed(ConfigTree(.mapping([]), origin), as: .group(group))
            return made.entries.isEmpty ? nil : made
        }
        return nil
    }

    /// The value that `text` says, outside a file: lists and mappings in YAML's flow style where the option may hold
    /// them, else the text itself.
    static func flow(_ text: String, as type: ValueType, _ origin: Origin) -> ConfigTree {
        (try? parsedFlow(text, as: type, origin).get()) ?? .text(text, origin)
    }

    /// As `flow`, with the error if the text begins like a list or mapping and is none.
    static func parsedFlow(_ text: String, as type: ValueType, _ origin: Origin) -> Result<ConfigTree, ConfigError> {
        guard type.isContainer, text.hasPrefix("[") || text.hasPrefix("{") else { return .success(.text(text, origin)) }
        // `[::1]:8000` is an address, not a list.
        if case .list(.address) = type, ListenAddress(parsing: text) != nil { return .success(.text(text, origin)) }
        return Result { () throws(ConfigError) in
            try YAMLReader.read(Array(text.utf8)) { _, _ in origin } ?? .text("", origin)
        }
    }
}
