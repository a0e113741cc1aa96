/// Single values at their places.
extension SettingsDecoder {
    private func mismatch(_ path: ConfigPath) -> ConfigError {
        ConfigError(.missing(expected: "a value"), at: tree.origin(of: path), path: path)
    }

    func text(_ path: ConfigPath) throws(ConfigError) -> String {
        guard let scalar = tree[path]?.scalar else { throw mismatch(path) }
        return scalar.text
    }

    func read<Value>(_ path: ConfigPath, _ parse: (String) -> Value?) throws(ConfigError) -> Value {
        guard let value = parse(try text(path)) else { throw mismatch(path) }
        return value
    }

    func optional<Value>(
        _ path: ConfigPath, _ parse: (String) -> Value?
    ) throws(ConfigError) -> Value? {
        tree[path] == nil ? nil : try read(path, parse)
    }

    func integer(_ path: ConfigPath) throws(ConfigError) -> Int { try read(path, Validator.integer) }
    func boolean(_ path: ConfigPath) throws(ConfigError) -> Bool { try read(path, Validator.boolean) }
    func size(_ path: ConfigPath) throws(ConfigError) -> ByteCount { try read(path, ByteCount.init(parsing:)) }
    func duration(_ path: ConfigPath) throws(ConfigError) -> Duration {
        try read(path, Duration.init(configurationText:))
    }
    func limit(_ path: ConfigPath) throws(ConfigError) -> TimeLimit {
        try read(path, TimeLimit.init(configurationText:))
    }
    func optionalLimit(_ path: ConfigPath) throws(ConfigError) -> TimeLimit? {
        tree[path] == nil ? nil : try limit(path)
    }
    func word<Word: RawRepresentable<String>>(_ path: ConfigPath) throws(ConfigError) -> Word {
        try read(path, Word.init(rawValue:))
    }
    func count(_ path: ConfigPath) throws(ConfigError) -> Settings.Count {
        try read(path) { $0 == "auto" ? .auto : Validator.integer($0).map { .exactly($0) } }
    }

    func optionalText(_ path: ConfigPath) -> String? { tree[path]?.scalar?.text }
    func mode(_ path: ConfigPath) throws(ConfigError) -> Int {
        try read(path) { Int($0.hasPrefix("0o") ? $0.dropFirst(2) : $0[...], radix: 8) }
    }

    func path(_ path: ConfigPath) throws(ConfigError) -> String {
        FilePath.absolute(try text(path), in: baseDirectory(tree.origin(of: path)))
    }
    func optionalPath(_ path: ConfigPath) throws(ConfigError) -> String? {
        tree[path] == nil ? nil : try self.path(path)
    }

    func list<Element>(
        _ path: ConfigPath, of element: (String, Origin) -> Element?
    ) throws(ConfigError) -> [Element] {
        guard let node = tree[path] else { throw mismatch(path) }
        let elements = node.elements.compactMap { item in item.scalar.flatMap { element($0.text, item.origin) } }
        guard elements.count == node.elements.count else { throw mismatch(path) }
        return elements
    }
    func optionalList(_ path: ConfigPath) throws(ConfigError) -> [String] {
        tree[path] == nil ? [] : try list(path) { text, _ in text }
    }
}
