/// What an option may hold. Checking, the reference documentation and the reading of environment variables all follow
/// from it.
indirect enum ValueType: Sendable {
    /// Any text.
    case text
    /// Any value, lists and mappings included; whoever reads it knows what to make of it.
    case any
    /// Text that is never printed.
    case secret
    /// `true`/`false`, also `on`/`off` and `yes`/`no`.
    case boolean
    /// `true` alone: an action that has nothing to say but that it happens.
    case flag
    /// A whole number.
    case integer(ClosedRange<Int>)
    /// Bytes.
    case size(ClosedRange<Int>)
    /// A span of time, in milliseconds.
    case duration(ClosedRange<Int>)
    /// One of these words.
    case choice([String])
    /// A path; relative ones are relative to the file (elsewhere: to the working directory).
    case path
    /// A `ListenAddress`.
    case address
    /// Text of a form `TextForm` knows.
    case form(TextForm)
    /// The first of these that fits.
    case either([ValueType])
    /// A list; a single value stands for a list of one.
    case list(ValueType)
    /// A mapping with keys of the user's choice.
    case map(key: TextForm, ValueType)
    /// A mapping with these keys.
    case group(OptionGroup)

    /// What an error says was expected: `a whole number from 1 to 1024 or 'auto'`.
    var expected: String {
        switch self {
        case .text, .secret: "text"
        case .any: "any value"
        case .boolean: "true or false"
        case .flag: "true"
        case .integer(let range): "a whole number from \(range.lowerBound) to \(range.upperBound)"
        case .size(let range):
            "a size from \(ByteCount(range.lowerBound)) to \(ByteCount(range.upperBound)) (such as 16KiB)"
        case .duration(let range):
            "a duration from \(Self.text(range.lowerBound)) to \(Self.text(range.upperBound)) (such as 30s)"
        case .choice(let words):
            words.count == 1 ? "'\(words[0])'" : "one of \(words.joined(separator: ", "))"
        case .path: "a path"
        case .address: "an address (host:port, [::1]:8000, :8000, unix:/path or fd:3)"
        case .form(let form): form.expected
        case .either(let types): types.map(\.expected).joined(separator: " or ")
        case .list(let type): "a list, each \(type.expected)"
        case .map(let form, let type): "a mapping from \(form.expected) to \(type.expected)"
        case .group(let group): "a mapping with \(group.options.map(\.key).joined(separator: ", "))"
        }
    }

    /// The words an error may suggest.
    var words: [String] {
        switch self {
        case .choice(let words): words
        case .either(let types): types.flatMap(\.words)
        default: []
        }
    }

    /// Whether a value that begins with `[` or `{` is a list or mapping in an environment variable or flag.
    var isContainer: Bool {
        switch self {
        case .list, .map, .group, .any: true
        case .either(let types): types.contains(where: \.isContainer)
        default: false
        }
    }

    /// The group among the alternatives.
    var asGroup: OptionGroup? {
        switch self {
        case .group(let group): group
        case .either(let types): types.lazy.compactMap(\.asGroup).first
        default: nil
        }
    }

    static func text(_ milliseconds: Int) -> String {
        Duration.milliseconds(milliseconds).configurationText
    }
}

/// One option: everything that is known about it, said once.
struct Option: Sendable {
    /// The key, in kebab case.
    var key: String
    /// What it may hold.
    var type: ValueType
    /// The default, as YAML flow text; nil when there is none.
    var standard: String?
    /// One line for the reference; says what happens without a default.
    var help: String
    /// A value worth showing, as YAML flow text.
    var example: String?
    /// It makes sense only next to one of these.
    var requires: [String]

    init(
        _ key: String, _ type: ValueType, default standard: String? = nil, _ help: String, example: String? = nil,
        with requires: [String] = []
    ) {
        self.key = key
        self.type = type
        self.standard = standard
        self.help = help
        self.example = example
        self.requires = requires
    }
}

/// A mapping with declared keys.
struct OptionGroup: Sendable {
    /// How something else than this mapping is understood as it.
    enum Shorthand: Sendable {
        /// `gzip: off` is `gzip: {enabled: off}`.
        case boolean(key: String)
        /// `headers: {X-A: b}` is `headers: {set: {X-A: b}}`, unless only declared keys are there.
        case mapping(key: String)
    }

    /// The options, in the order they are documented and printed.
    var options: [Option]
    /// The short form.
    var shorthand: Shorthand?
    /// Options of which exactly one must be there.
    var exactlyOne: [String] = []
    /// Options that must be there.
    var required: [String] = []
    /// Whether layers add to it. Elements of lists are written in one place, so what must be there can be
    /// checked at once.
    var isLayered = true

    subscript(key: String) -> Option? {
        options.first { $0.key == key }
    }
}
