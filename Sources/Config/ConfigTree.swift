/// The configuration as a tree, before it becomes `Settings`: immutable values, each with the place it comes from.
public struct ConfigTree: Sendable, Hashable {
    /// What a node holds.
    public indirect enum Value: Sendable, Hashable {
        /// Text, not yet interpreted: the option's declaration decides whether `on` is a boolean or a word.
        case scalar(Scalar)
        /// A list.
        case list([ConfigTree])
        /// A mapping, in the order of the file.
        case mapping([Entry])
    }

    /// A single value as it was written.
    public struct Scalar: Sendable, Hashable {
        /// The text, unquoted.
        public var text: String
        /// Whether it was written without quotes (only then can it be a number, a boolean or nothing).
        public var isPlain: Bool
        /// Whether printers and messages show `****` in its place.
        public var isSecret = false
        /// Whether it holds a reference that was deliberately left alone (a section that was not chosen).
        var isUnresolved = false

        /// A value; plain unless said otherwise.
        public init(_ text: String, isPlain: Bool = true, isSecret: Bool = false) {
            self.text = text
            self.isPlain = isPlain
            self.isSecret = isSecret
        }

        /// Nothing: an empty value, `null` or `~`.
        public var isNull: Bool {
            isPlain && !isSecret && (text.isEmpty || text == "~" || text == "null" || text == "Null" || text == "NULL")
        }

        /// The text for printing.
        public var masked: String { isSecret ? "****" : text }
    }

    /// One key of a mapping.
    public struct Entry: Sendable, Hashable {
        /// The key.
        public var key: String
        /// Where the key is written (errors about unknown keys point here).
        public var keyOrigin: Origin
        /// Its value.
        public var value: ConfigTree
    }

    /// What it holds.
    public var value: Value
    /// Where it comes from.
    public var origin: Origin

    /// A node.
    public init(_ value: Value, _ origin: Origin) {
        self.value = value
        self.origin = origin
    }

    /// A plain scalar.
    public static func text(_ text: String, _ origin: Origin) -> ConfigTree {
        ConfigTree(.scalar(Scalar(text)), origin)
    }

    /// A mapping whose keys come from the same place as itself.
    static func mapping(_ pairs: KeyValuePairs<String, ConfigTree>, _ origin: Origin) -> ConfigTree {
        ConfigTree(.mapping(pairs.map { Entry(key: $0.key, keyOrigin: origin, value: $0.value) }), origin)
    }

    /// The value under `key`, if this is a mapping that has it.
    public subscript(key: String) -> ConfigTree? {
        entries.first { $0.key == key }?.value
    }

    /// The node at `path`, if there is one.
    public subscript(path: ConfigPath) -> ConfigTree? {
        var node = self
        for step in path.steps {
            switch (step, node.value) {
            case (.key(let key), .mapping):
                guard let next = node[key] else { return nil }
                node = next
            case (.index(let index), .list(let elements)) where elements.indices.contains(index):
                node = elements[index]
            case (.index(let index), .mapping):
                guard let next = node[String(index)] else { return nil }
                node = next
            default: return nil
            }
        }
        return node
    }

    /// Where the value at `path` comes from; if there is none, where the nearest mapping or list around it does.
    public func origin(of path: ConfigPath) -> Origin {
        var path = path
        while true {
            if let node = self[path] { return node.origin }
            guard !path.steps.isEmpty else { return origin }
            path.steps.removeLast()
        }
    }

    /// The keys, if this is a mapping.
    public var entries: [Entry] {
        if case .mapping(let entries) = value { entries } else { [] }
    }

    /// The elements, if this is a list.
    public var elements: [ConfigTree] {
        if case .list(let elements) = value { elements } else { [] }
    }

    /// The scalar, if this is one.
    public var scalar: Scalar? {
        if case .scalar(let scalar) = value { scalar } else { nil }
    }

    /// Whether this is an empty value.
    var isNull: Bool { scalar?.isNull ?? false }
}
