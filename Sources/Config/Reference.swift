/// The reference documentation, from the declarations.
enum Reference {
    /// All options, in Markdown.
    static var markdown: String {
        var text = """
            # Configuration reference

            Options stand under `base:` or under an environment's section in `app.yaml`. Layers, lowest first: defaults,
            `base:`, the environment's section, environment variables (`APP_LIMITS__HEADER_SIZE=32KiB` sets
            `limits.header-size`), flags (`--set limits.header-size=32KiB`). Mappings merge, lists replace.

            Sizes: a number with `B`, `KiB`, `MiB` or `GiB`. Durations: a number with `ms`, `s`, `m`, `h`, `d` or `y`.
            Relative paths are relative to the file; in variables and flags, to the working directory.
            In values, `${secret:name}` is `$NAME`, else the text of the file `$NAME_FILE` names, else of
            `/run/secrets/name`; `${env:NAME}` and `${env:NAME:-otherwise}` are environment variables; `$${` is `${`.


            """
        let plain = Declarations.root.options.filter { inner($0.type) == nil }
        text += "## General\n\n" + plain.map { entry($0, "") }.joined() + "\n"
        for option in Declarations.root.options {
            guard let (group, prefix) = inner(option.type) else { continue }
            text += "## \(option.key)\n\n\(option.help)\n\n" + section(group, option.key + prefix) + "\n"
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

    private static func section(_ group: OptionGroup, _ prefix: String) -> String {
        var text = ""
        if !group.exactlyOne.isEmpty {
            text += "Exactly one of \(group.exactlyOne.map { "`\($0)`" }.joined(separator: ", ")).\n\n"
        }
        for option in group.options {
            text += entry(option, prefix)
            // `fallback` repeats the route's own options; saying so is enough.
            if case .group(let nested) = option.type {
                text += nested.options.map { entry($0, "\(prefix)\(option.key).") }.joined()
            }
        }
        return text
    }

    private static func entry(_ option: Option, _ prefix: String) -> String {
        var facts = [described(option.type)]
        if !option.requires.isEmpty {
            facts.append("with " + option.requires.map { "`\($0)`" }.joined(separator: ", "))
        }
        if let standard = option.standard { facts.append("default `\(standard)`") }
        if let example = option.example { facts.append("example `\(example)`") }
        return "- **`\(prefix)\(option.key)`**: \(option.help)\n  *\(facts.joined(separator: "; "))*\n"
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
