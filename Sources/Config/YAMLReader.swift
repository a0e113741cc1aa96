// Yams' C part, libyaml: its events come one at a time, so that depth and aliases can be bounded before anything is
// built. Yams' own composer recurses without a bound, hashes whatever an alias expands to, and reports of a duplicate
// key only the first place.
import CYaml

/// Reads one YAML document into a `ConfigTree`. The only place that knows a YAML library.
///
/// Values stay text (`on`, `yes`, `1_000` mean what the option's type makes of them). Anchors, aliases and merge keys
/// (`<<`) work, within the limit on the number of nodes. Refused, each with its place: duplicate keys, keys that are
/// not text, tags, several documents, an empty document, nesting deeper than `maximumDepth`, bytes that are not UTF-8.
struct YAMLReader {
    /// Lists and mappings inside one another.
    static let maximumDepth = 32
    /// Values in the whole document, counting each use of an alias.
    static let maximumNodes = 20_000
    /// The size of a file, in bytes.
    static let maximumBytes = 1 << 20

    private let bytes: [UInt8]
    /// Makes the origin of a node from its line and column.
    private let origin: (_ line: Int, _ column: Int) -> Origin
    private var parser = yaml_parser_t()
    private var event = yaml_event_t()
    private var nodes = 0
    private var depth = 0
    private var anchors: [String: (tree: ConfigTree, size: Int)] = [:]

    /// The document in `bytes`; nil when it is empty (nothing but space and comments).
    ///
    /// - Throws: the first error; a YAML reader cannot go on after one.
    static func read(
        _ bytes: [UInt8], origin: @escaping (_ line: Int, _ column: Int) -> Origin
    ) throws(ConfigError) -> ConfigTree? {
        var reader = YAMLReader(bytes: bytes, origin: origin)
        return try reader.readDocument()
    }

    private init(bytes: [UInt8], origin: @escaping (Int, Int) -> Origin) {
        self.bytes = bytes
        self.origin = origin
    }

    private mutating func readDocument() throws(ConfigError) -> ConfigTree? {
        guard bytes.count <= Self.maximumBytes else {
            throw failure("the file is larger than \(ByteCount(Self.maximumBytes))", 1, 1)
        }
        if let offset = UTF8Text.firstInvalidOffset(in: bytes) {
            let (line, column) = UTF8Text.position(of: offset, in: bytes)
            throw failure("byte 0x\(hex(bytes[offset])) is not UTF-8: save the file in UTF-8", line, column)
        }
        guard yaml_parser_initialize(&parser) == 1 else { throw failure("out of memory", 1, 1) }
        defer { yaml_parser_delete(&parser) }
        // libyaml reads from the buffer until it is deleted, so the whole reading happens inside.
        return try withInput { reader throws(ConfigError) in
            try reader.nextEvent()  // stream start
            try reader.nextEvent()
            if reader.event.type == YAML_STREAM_END_EVENT { return nil }
            try reader.nextEvent()
            let tree = try reader.readNode()
            try reader.nextEvent()  // document end
            try reader.nextEvent()
            guard reader.event.type == YAML_STREAM_END_EVENT else {
                throw reader.failure("a second document begins here: a configuration file holds one")
            }
            return tree.isNull ? nil : tree
        }
    }

    private mutating func withInput(
        _ body: (inout YAMLReader) throws(ConfigError) -> ConfigTree?
    ) throws(ConfigError) -> ConfigTree? {
        let input = bytes
        var result: Result<ConfigTree?, ConfigError> = .success(nil)
        input.withUnsafeBufferPointer { buffer in
            yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING)
            yaml_parser_set_input_string(&parser, buffer.baseAddress, buffer.count)
            do throws(ConfigError) { result = .success(try body(&self)) } catch { result = .failure(error) }
            yaml_event_delete(&event)
        }
        return try result.get()
    }

    /// Reads the next event into `event`.
    private mutating func nextEvent() throws(ConfigError) {
        yaml_event_delete(&event)
        guard yaml_parser_parse(&parser, &event) == 1 else { throw syntaxError() }
    }

    /// The node that begins with the current event.
    private mutating func readNode() throws(ConfigError) -> ConfigTree {
        nodes += 1
        guard nodes <= Self.maximumNodes else {
            throw failure("more than \(Self.maximumNodes) values (aliases counted each time they are used)")
        }
        let place = here
        let before = nodes
        switch event.type {
        case YAML_ALIAS_EVENT:
            let name = text(event.data.alias.anchor)
            guard let anchored = anchors[name] else {
                throw failure("alias '*\(name)' has no anchor '&\(name)' before it")
            }
            nodes += anchored.size
            guard nodes <= Self.maximumNodes else {
                throw failure("alias '*\(name)' makes more than \(Self.maximumNodes) values")
            }
            // Nesting counts through aliases too: an alias inside its next alias is as deep as writing it out.
            guard depth + Self.height(of: anchored.tree) <= Self.maximumDepth else { throw tooDeep() }
            return anchored.tree
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            let anchor = scalar.anchor.map { text($0) }
            let isText = try isTextTag(scalar.tag)
            let value = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
            let node = ConfigTree(
                .scalar(
                    .init(
                        String(decoding: value, as: UTF8.self),
                        isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE && !isText)), place)
            if let anchor { anchors[anchor] = (node, 1) }
            return node
        case YAML_SEQUENCE_START_EVENT:
            let anchor = event.data.sequence_start.anchor.map { text($0) }
            _ = try isTextTag(event.data.sequence_start.tag)
            try enter()
            var elements: [ConfigTree] = []
            try nextEvent()
            while event.type != YAML_SEQUENCE_END_EVENT {
                elements.append(try readNode())
                try nextEvent()
            }
            depth -= 1
            let node = ConfigTree(.list(elements), place)
            if let anchor { anchors[anchor] = (node, nodes - before + 1) }
            return node
        case YAML_MAPPING_START_EVENT:
            let anchor = event.data.mapping_start.anchor.map { text($0) }
            _ = try isTextTag(event.data.mapping_start.tag)
            try enter()
            let node = ConfigTree(.mapping(try readEntries()), place)
            depth -= 1
            if let anchor { anchors[anchor] = (node, nodes - before + 1) }
            return node
        default:
            throw failure("a value was expected here")
        }
    }

    private mutating func readEntries() throws(ConfigError) -> [ConfigTree.Entry] {
        var entries: [ConfigTree.Entry] = []
        var places: [String: Origin] = [:]
        var merges: [ConfigTree] = []
        try nextEvent()
        while event.type != YAML_MAPPING_END_EVENT {
            let keyOrigin = here
            guard event.type == YAML_SCALAR_EVENT else {
                let what = event.type == YAML_ALIAS_EVENT ? "an alias" : "a list or mapping"
                throw failure("a key must be text, not \(what)")
            }
            let isPlain = event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE
            let keyNode = try readNode()
            let key = keyNode.scalar?.text ?? ""
            if let first = places.updateValue(keyOrigin, forKey: key) {
                throw ConfigError(
                    .duplicateKey(first: Self.lineAndColumn(first)), at: keyOrigin,
                    path: ConfigPath([.key(key)]))
            }
            try nextEvent()
            let value = try readNode()
            if key == "<<", isPlain {
                merges += try mergedMappings(value, at: keyOrigin)
            } else {
                entries.append(.init(key: key, keyOrigin: keyOrigin, value: value))
            }
            try nextEvent()
        }
        // Keys written here win over merged ones, earlier merged mappings over later ones.
        for entry in merges.flatMap(\.entries) where places.updateValue(entry.keyOrigin, forKey: entry.key) == nil {
            entries.append(entry)
        }
        return entries
    }

    private func mergedMappings(_ value: ConfigTree, at origin: Origin) throws(ConfigError) -> [ConfigTree] {
        let mappings = if case .list(let elements) = value.value { elements } else { [value] }
        for mapping in mappings {
            guard case .mapping = mapping.value else {
                throw ConfigError(.syntax("'<<' merges a mapping or a list of mappings"), at: origin)
            }
        }
        return mappings
    }

    private mutating func enter() throws(ConfigError) {
        depth += 1
        guard depth <= Self.maximumDepth else { throw tooDeep() }
    }

    private func tooDeep() -> ConfigError {
        failure(Self.tooDeepMessage)
    }

    private static let tooDeepMessage = "nested deeper than \(maximumDepth) levels"

    private static func height(of tree: ConfigTree) -> Int {
        switch tree.value {
        case .scalar: 0
        case .list(let elements): 1 + (elements.map(height).max() ?? 0)
        case .mapping(let entries): 1 + (entries.map { height(of: $0.value) }.max() ?? 0)
        }
    }

    /// Whether a tag makes the value text. Other tags would make it something no option is.
    private func isTextTag(_ tag: UnsafeMutablePointer<yaml_char_t>?) throws(ConfigError) -> Bool {
        guard let tag else { return false }
        switch text(tag) {
        case "!", "tag:yaml.org,2002:str": return true
        case let name: throw failure("tags are not used here: remove '\(name)'")
        }
    }
}

// MARK: - Errors and places

extension YAMLReader {
    /// Where the current event begins.
    private var here: Origin { origin(Int(event.start_mark.line) + 1, Int(event.start_mark.column) + 1) }

    private func failure(_ message: String) -> ConfigError {
        ConfigError(.syntax(message), at: here)
    }

    private func failure(_ message: String, _ line: Int, _ column: Int) -> ConfigError {
        ConfigError(.syntax(message), at: origin(line, column))
    }

    /// What libyaml complains about, in words a user can act on.
    private func syntaxError() -> ConfigError {
        if parser.error == YAML_READER_ERROR {
            let (line, column) = UTF8Text.position(of: min(Int(parser.problem_offset), bytes.count), in: bytes)
            return failure(
                "control character U+\(hex(UInt8(clamping: parser.problem_value))) is not allowed", line, column)
        }
        let line = Int(parser.problem_mark.line) + 1
        let column = Int(parser.problem_mark.column) + 1
        let index = Int(parser.problem_mark.index)
        // `index` counts characters; a tab is found where line and column lead.
        if UTF8Text.scalar(line: line, column: column, in: bytes) == "\t", index >= 0 {
            return failure("a tab cannot indent: use spaces", line, column)
        }
        let problem = parser.problem.map { String(cString: $0) } ?? "not YAML"
        // libyaml's own bound, met first where brackets follow one another within what it looks ahead.
        if problem.hasPrefix("Maximum nesting level") { return failure(Self.tooDeepMessage, line, column) }
        if UTF8Text.line(line, in: bytes).contains("${") {
            return failure("\(problem): inside { } and [ ], put quotes around '${…}'", line, column)
        }
        guard let context = parser.context.map({ String(cString: $0) }) else { return failure(problem, line, column) }
        return failure(
            "\(problem) (\(context) that began at line \(Int(parser.context_mark.line) + 1))", line, column)
    }

    private func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String {
        pointer.map { String(cString: $0) } ?? ""
    }

    private static func lineAndColumn(_ origin: Origin) -> String {
        if case .file(_, let line, let column, _) = origin { "\(line):\(column)" } else { origin.place }
    }

    private func hex(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return digits.count < 2 ? "0" + digits : digits
    }
}
