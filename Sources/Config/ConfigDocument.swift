/// A configuration file taken apart: `base:` and one section for each environment.
struct ConfigDocument {
    /// The sections by name, normalized, with references marked and left alone.
    private(set) var sections: [String: ConfigTree] = [:]
    /// What is wrong with the division into sections, and with the form of references.
    private(set) var errors: [ConfigError] = []

    /// Reads the file.
    ///
    /// - Throws: if it is not YAML, or no mapping.
    static func read(_ path: String, _ bytes: [UInt8]) throws(ConfigError) -> ConfigDocument {
        let place = { (line: Int, column: Int) in Origin.file(path: path, line: line, column: column, layer: "") }
        guard let tree = try YAMLReader.read(bytes, origin: place) else {
            throw ConfigError(
                .syntax("the file is empty: write options under 'base:', or start without a file"), at: place(1, 1))
        }
        guard case .mapping(let entries) = tree.value else {
            throw ConfigError(
                .unexpected(
                    expected: "a mapping with 'base:' and environments", got: Validator.described(tree), nearest: nil),
                at: tree.origin)
        }
        var document = ConfigDocument()
        for entry in entries { document.add(entry) }
        return document
    }

    private mutating func add(_ entry: ConfigTree.Entry) {
        if Declarations.root[entry.key] != nil {
            errors.append(ConfigError(.outsideSection(key: entry.key), at: entry.keyOrigin, path: [entry.key]))
            return
        }
        guard TextForm.settingName.accepts(entry.key) else {
            let problem = ConfigError.Problem.unexpected(
                expected: "'base' or the name of an environment (letters, digits, - and _)", got: "'\(entry.key)'",
                nearest: nil)
            errors.append(ConfigError(problem, at: entry.keyOrigin))
            return
        }
        switch entry.value.value {
        case .mapping:
            let references = References(
                environment: [:], secretsDirectory: "", workingDirectory: "", isResolving: false)
            let labelled = entry.value.labelled(entry.key)
            // The mark tells the check to leave such values alone; the text stays, to be resolved once it is chosen.
            let marked = references.resolved(labelled)
            errors += marked.errors
            sections[entry.key] = Normalization.normalized(marked.tree, as: .group(Declarations.root))
        case .scalar(let scalar) where scalar.isNull:
            sections[entry.key] = ConfigTree(.mapping([]), entry.value.origin)
        default:
            let problem = ConfigError.Problem.unexpected(
                expected: "a mapping with options, as a section has", got: Validator.described(entry.value),
                nearest: nearest(to: entry.key, among: Declarations.root.options.map(\.key) + ["base"]))
            errors.append(ConfigError(problem, at: entry.value.origin, path: [entry.key]))
        }
    }
}

extension ConfigTree {
    /// This tree with `layer` in every origin.
    fileprivate func labelled(_ layer: String) -> ConfigTree {
        let origin = origin.labelled(layer)
        switch value {
        case .scalar: return ConfigTree(value, origin)
        case .list(let elements): return ConfigTree(.list(elements.map { $0.labelled(layer) }), origin)
        case .mapping(let entries):
            return ConfigTree(
                .mapping(
                    entries.map {
                        Entry(key: $0.key, keyOrigin: $0.keyOrigin.labelled(layer), value: $0.value.labelled(layer))
                    }), origin)
        }
    }
}

extension Origin {
    fileprivate func labelled(_ layer: String) -> Origin {
        if case .file(let path, let line, let column, _) = self {
            .file(path: path, line: line, column: column, layer: layer)
        } else {
            self
        }
    }
}

extension ConfigPath: ExpressibleByArrayLiteral {
    /// A path of keys.
    public init(arrayLiteral keys: String...) {
        self.init(keys.map { .key($0) })
    }
}
