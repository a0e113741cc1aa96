extension ConfigTree {
    /// This tree with `upper` laid over it: mappings merge, everything else replaces.
    func merged(with upper: ConfigTree) -> ConfigTree {
        guard case .mapping(var entries) = value else { return upper }
        guard case .mapping(let additions) = upper.value else { return upper }
        for addition in additions {
            if let index = entries.firstIndex(where: { $0.key == addition.key }) {
                entries[index].value = entries[index].value.merged(with: addition.value)
                entries[index].keyOrigin = addition.keyOrigin
            } else {
                entries.append(addition)
            }
        }
        return ConfigTree(.mapping(entries), upper.origin.isBuiltIn ? origin : upper.origin)
    }

    /// This tree with `new` merged in at `path`, mappings made on the way where there are none.
    ///
    /// - Returns: nil when the path does not fit: an index into something that is no list, or beyond the end of one
    ///   (one past the end appends), or a key into a list or a scalar.
    func assigning(_ new: ConfigTree, at path: ArraySlice<ConfigPath.Step>) -> ConfigTree? {
        guard let step = path.first else { return merged(with: new) }
        let rest = path.dropFirst()
        switch (step, value) {
        case (.index(let index), .list(var elements)):
            guard index <= elements.count else { return nil }
            let element = index < elements.count ? elements[index] : ConfigTree(.mapping([]), new.origin)
            guard let changed = element.assigning(new, at: rest) else { return nil }
            if index < elements.count { elements[index] = changed } else { elements.append(changed) }
            return ConfigTree(.list(elements), origin)
        case (.index(0), .scalar(let scalar)) where scalar.isNull:
            return ConfigTree(.list([]), new.origin).assigning(new, at: path)
        case (.key, .list), (.index, .scalar):
            return nil
        case (.key, .scalar):
            // A shorthand (`gzip: off`) or nothing gives way to the mapping.
            return ConfigTree(.mapping([]), new.origin).assigning(new, at: path)
        case (_, .mapping(var entries)):
            let key = ConfigPath([step]).lastKey
            if let index = entries.firstIndex(where: { $0.key == key }) {
                guard let changed = entries[index].value.assigning(new, at: rest) else { return nil }
                entries[index].value = changed
                entries[index].keyOrigin = new.origin
            } else {
                let empty =
                    if case .index? = rest.first { ConfigTree(.list([]), new.origin) } else {
                        ConfigTree(.mapping([]), new.origin)
                    }
                guard let made = empty.assigning(new, at: rest) else { return nil }
                entries.append(Entry(key: key, keyOrigin: new.origin, value: made))
            }
            return ConfigTree(.mapping(entries), origin)
        }
    }

    /// Every scalar replaced by what `change` makes of it.
    func mapScalars(_ change: (Scalar, Origin) -> ConfigTree) -> ConfigTree {
        switch value {
        case .scalar(let scalar): return change(scalar, origin)
        case .list(let elements): return ConfigTree(.list(elements.map { $0.mapScalars(change) }), origin)
        case .mapping(let entries):
            return ConfigTree(
                .mapping(
                    entries.map { Entry(key: $0.key, keyOrigin: $0.keyOrigin, value: $0.value.mapScalars(change)) }),
                origin)
        }
    }
}

extension Origin {
    var isBuiltIn: Bool {
        if case .builtIn = self { true } else { false }
    }
}

extension ConfigPath {
    /// The last step as a key: an index is its digits (a mapping may have numeric keys).
    var lastKey: String {
        switch steps.last {
        case .key(let key): key
        case .index(let index): String(index)
        case nil: ""
        }
    }
}
