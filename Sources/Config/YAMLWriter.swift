/// Writes a tree as YAML, in block style. Reading the result gives the same tree.
struct YAMLWriter {
    private let withOrigin: Bool
    private var lines: [(text: String, origin: Origin?)] = []

    /// The tree as YAML; with origins, as comments in a column of their own.
    static func write(_ tree: ConfigTree, withOrigin: Bool) -> String {
        var writer = YAMLWriter(withOrigin: withOrigin)
        writer.writeChildren(of: tree, "")
        // A long line does not push the column out for all.
        let column = min(48, writer.lines.map(\.text.unicodeScalars.count).max() ?? 0)
        return writer.lines.map { line in
            guard withOrigin, let origin = line.origin else { return line.text + "\n" }
            let padding = String(repeating: " ", count: max(0, column - line.text.unicodeScalars.count))
            return "\(line.text)\(padding)  # \(origin)\n"
        }.joined()
    }

    private init(withOrigin: Bool) {
        self.withOrigin = withOrigin
    }

    private mutating func writeChildren(of node: ConfigTree, _ indentation: String) {
        switch node.value {
        case .scalar: write(node, after: indentation, indentation)
        case .list(let elements):
            for element in elements { writeItem(element, indentation) }
        case .mapping(let entries):
            for entry in entries { write(entry.value, after: indentation + Self.key(entry.key) + ":", indentation) }
        }
    }

    /// A value behind its key.
    private mutating func write(_ node: ConfigTree, after head: String, _ indentation: String) {
        let head = head.isEmpty || head.hasSuffix(" ") ? head : head + " "
        switch node.value {
        case .scalar(let scalar):
            lines.append((head + Self.text(scalar), node.origin))
        case .list(let elements) where elements.isEmpty:
            lines.append((head + "[]", node.origin))
        case .mapping(let entries) where entries.isEmpty:
            lines.append((head + "{}", node.origin))
        default:
            lines.append((String(head.dropLast()), nil))
            writeChildren(of: node, indentation + "  ")
        }
    }

    /// An element of a list; a mapping begins on the line of its dash.
    private mutating func writeItem(_ node: ConfigTree, _ indentation: String) {
        if case .scalar = node.value { return write(node, after: indentation + "- ", indentation) }
        if node.entries.isEmpty, node.elements.isEmpty { return write(node, after: indentation + "- ", indentation) }
        let first = lines.count
        writeChildren(of: node, indentation + "  ")
        let line = lines[first].text
        lines[first].text = indentation + "- " + line.dropFirst(indentation.count + 2)
    }

    private static func key(_ key: String) -> String {
        text(ConfigTree.Scalar(key, isPlain: !key.isEmpty && key != "~" && key.lowercased() != "null"))
    }

    /// A scalar that reads back as the same: plain where that is safe, else in double quotes.
    static func text(_ scalar: ConfigTree.Scalar) -> String {
        let text = scalar.masked
        if scalar.isNull { return "null" }
        if scalar.isSecret { return "'****'" }
        var unquoted = scalar
        unquoted.isPlain = true
        // Without its quotes, `"5"` would be a number.
        let readsBack = if case .text = JSONWriter.Kind(unquoted) { true } else { scalar.isPlain }
        let isSafe =
            readsBack && !text.isEmpty && !text.contains(": ") && !text.contains(" #") && !text.hasSuffix(":")
            && !text.hasPrefix(" ") && !text.hasSuffix(" ") && !text.hasPrefix("- ") && text != "-" && text != "---"
            && text != "..." && text != "<<" && !text.hasPrefix("? ") && text != "?"
            && !"!&*%@`\"'#|>[]{},:".unicodeScalars.contains(text.unicodeScalars.first ?? " ")
            && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value < 0x7F }
        return isSafe ? text : JSONWriter.quoted(text)
    }
}
