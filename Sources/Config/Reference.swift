/// The reference documentation, from the declarations: in parts, and as Markdown.
enum Reference {
    /// What one heading is about.
    struct Section {
        let title: String
        /// Paragraphs before the options.
        let introduction: [String]
        let entries: [Entry]
    }

    /// One option.
    struct Entry {
        /// The whole name: `limits.header-size`.
        let name: String
        let help: String
        /// What it may hold, its default, an example.
        let facts: String
    }

    static let title = "Configuration reference"

    /// Paragraphs that hold for every option.
    static let introduction = [
        """
        Options stand under `base:` or under an environment's section in `app.yaml`. Layers, lowest first: defaults,
        `base:`, the environment's section, environment variables (`APP_LIMITS__HEADER_SIZE=32KiB` sets
        `limits.header-size`), flags (`--set limits.header-size=32KiB`). Mappings merge, lists replace.
        """,
        """
        Sizes: a number with `B`, `KiB`, `MiB` or `GiB`. Durations: a number with `ms`, `s`, `m`, `h`, `d` or `y`.
        Relative paths are relative to the file; in variables and flags, to the working directory.
        In values, `${secret:name}` is `$NAME`, else the text of the file `$NAME_FILE` names, else of
        `/run/secrets/name`; `${env:NAME}` and `${env:NAME:-otherwise}` are environment variables; `$${` is `${`.
        """,
    ]

    /// Options without options of their own first, then each group.
    static var sections: [Section] {
        let plain = Declarations.root.options.filter { inner($0.type) == nil }
        let general = Section(title: "General", introduction: [], entries: plain.map { entry($0, "") })
        return [general]
            + Declarations.root.options.compactMap { option in
                inner(option.type).map { section(option, $0.0, option.key + $0.1) }
            }
    }

    /// All options, in Markdown.
    static var markdown: String {
        var text = "# \(title)\n\n" + introduction.joined(separator: "\n\n") + "\n\n"
        for section in sections {
            text += "## \(section.title)\n\n" + section.introduction.map { $0 + "\n\n" }.joined()
            text += section.entries.map { "- **`\($0.name)`**: \($0.help)\n  *\($0.facts)*\n" }.joined() + "\n"
        }
        return text
    }

    /// The group an option's heading is about, and what its keys begin with.
    private static func inner(_ type: ValueType) -> (OptionGroup, String)? {
        switch type {
        case .group(let group): (group, ".")
        case .map(_, .group(let group)): (group, ".NAME.")
        case .list(.group(let group)): (group, "[].")
        default: nil
        }
    }

    private static func section(_ option: Option, _ group: OptionGroup, _ prefix: String) -> Section {
        var introduction = [option.help]
        if !group.exactlyOne.isEmpty {
            introduction.append("Exactly one of \(group.exactlyOne.map { "`\($0)`" }.joined(separator: ", ")).")
        }
        var entries: [Entry] = []
        for option in group.options {
            entries.append(entry(option, prefix))
            // `fallback` repeats the route's own options; saying so is enough.
            if case .group(let nested) = option.type {
                entries += nested.options.map { entry($0, "\(prefix)\(option.key).") }
            }
        }
        return Section(title: option.key, introduction: introduction, entries: entries)
    }

    private static func entry(_ option: Option, _ prefix: String) -> Entry {
        var facts = [described(option.type)]
        if !option.requires.isEmpty {
            facts.append("with " + option.requires.map { "`\($0)`" }.joined(separator: ", "))
        }
        if let standard = option.standard { facts.append("default `\(standard)`") }
        if let example = option.example { facts.append("example `\(example)`") }
        return Entry(name: prefix + option.key, help: option.help, facts: facts.joined(separator: "; "))
    }

    private static func described(_ type: ValueType) -> String {
        switch type {
        case .secret: "text, never printed"
        case .list(let element): "one or a list, each \(described(element))"
        case .map(_, .text): "a mapping of names to values"
        case .map(_, let value): "a mapping of names to \(described(value))"
        case .group: "a mapping"
        case .either(let types): types.map { described($0) }.joined(separator: " or ")
        case .choice(let words): words.map { "`\($0)`" }.joined(separator: ", ")
        default: type.expected
        }
    }
}
