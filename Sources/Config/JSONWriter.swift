/// Writes a tree as JSON (RFC 8259), two spaces a level.
struct JSONWriter {
    /// What a plain scalar is, by YAML 1.2's core schema.
    enum Kind {
        case null, boolean(Bool), integer(Int), number(Double), text

        init(_ scalar: ConfigTree.Scalar) {
            guard scalar.isPlain, !scalar.isSecret else {
                self = .text
                return
            }
            let text = scalar.text
            if scalar.isNull {
                self = .null
            } else if text == "true" || text == "True" || text == "TRUE" {
                self = .boolean(true)
            } else if text == "false" || text == "False" || text == "FALSE" {
                self = .boolean(false)
            } else if Self.isWhole(text), let number = Int(text) {
                self = .integer(number)
            } else if Self.isDecimal(text), let number = Double(text), number.isFinite {
                self = .number(number)
            } else {
                self = .text
            }
        }

        /// `-?[0-9]+`, without leading zeros: those are identifiers more often than numbers.
        private static func isWhole(_ text: String) -> Bool {
            let digits = text.utf8.drop { $0 == UInt8(ascii: "-") }
            return !digits.isEmpty && text.utf8.count - digits.count <= 1
                && digits.allSatisfy { (0x30...0x39).contains($0) } && (digits.count == 1 || digits.first != 0x30)
        }

        private static func isDecimal(_ text: String) -> Bool {
            let rest = text.utf8.drop { $0 == UInt8(ascii: "-") }
            let whole = rest.prefix { (0x30...0x39).contains($0) }
            let tail = rest.dropFirst(whole.count)
            return !whole.isEmpty && text.utf8.count - rest.count <= 1 && (whole.count == 1 || whole.first != 0x30)
                && tail.first.map { ".eE".utf8.contains($0) } == true
                && tail.allSatisfy { (0x30...0x39).contains($0) || ".eE+-".utf8.contains($0) }
        }
    }

    private let withOrigin: Bool
    private let masksSecrets: Bool
    private var output = ""

    /// The tree as JSON, a line break at its end.
    static func write(_ tree: ConfigTree, withOrigin: Bool) -> String {
        var writer = JSONWriter(withOrigin: withOrigin, masksSecrets: true)
        writer.write(tree, "")
        return writer.output + "\n"
    }

    /// The tree as a JSON value to be sent or compared; its secrets are in it, unless they are masked.
    static func write(_ tree: ConfigTree, masksSecrets: Bool = false) -> String {
        var writer = JSONWriter(withOrigin: false, masksSecrets: masksSecrets)
        writer.write(tree, "")
        return writer.output
    }

    private init(withOrigin: Bool, masksSecrets: Bool) {
        self.withOrigin = withOrigin
        self.masksSecrets = masksSecrets
    }

    private mutating func write(_ node: ConfigTree, _ indentation: String) {
        let inner = indentation + "  "
        switch node.value {
        case .scalar(let scalar):
            let value = json(scalar)
            guard withOrigin else { return output += value }
            output += "{\"value\": \(value), \"layer\": \(Self.quoted(node.origin.layer)), "
            output += "\"place\": \(Self.quoted(node.origin.place))}"
        case .list(let elements):
            writeItems(elements.map { (nil, $0) }, "[", "]", indentation, inner)
        case .mapping(let entries):
            writeItems(entries.map { ($0.key, $0.value) }, "{", "}", indentation, inner)
        }
    }

    private mutating func writeItems(
        _ items: [(key: String?, value: ConfigTree)], _ open: String, _ close: String, _ outer: String, _ inner: String
    ) {
        guard !items.isEmpty else { return output += open + close }
        output += open
        for (index, item) in items.enumerated() {
            output += index == 0 ? "\n" : ",\n"
            output += inner
            if let key = item.key { output += Self.quoted(key) + ": " }
            write(item.value, inner)
        }
        output += "\n" + outer + close
    }

    private func json(_ scalar: ConfigTree.Scalar) -> String {
        switch Kind(scalar) {
        case .null: "null"
        case .boolean(let value): value ? "true" : "false"
        case .integer(let value): String(value)
        case .number(let value): "\(value)"
        case .text: Self.quoted(masksSecrets ? scalar.masked : scalar.text)
        }
    }

    /// A JSON string.
    static func quoted(_ text: String) -> String {
        var result = "\""
        for character in text.unicodeScalars {
            switch character {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case _ where isEscaped(character):
                let digits = String(character.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(character)
            }
        }
        return result + "\""
    }

    /// JSON forbids control characters, YAML also those above ASCII and the non-characters; line separators break
    /// JavaScript that embeds the text.
    private static func isEscaped(_ character: Unicode.Scalar) -> Bool {
        switch character.value {
        case 0..<0x20, 0x7F...0x9F, 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF: true
        default: false
        }
    }
}
