/// Text for troff's man macros, in which manual pages are written (man(7)).
public enum Roff {
    /// `text` with nothing in it that troff would take for its own.
    public static func escaped(_ text: some StringProtocol) -> String {
        String(text).replacing("\\", with: "\\e").replacing("-", with: "\\-").replacing("'", with: "\\(aq")
    }

    /// A paragraph, in which Markdown's `code` is bold.
    public static func paragraph(_ text: String) -> String {
        var result = ""
        for (index, part) in text.split(separator: "`", omittingEmptySubsequences: false).enumerated() {
            result += index % 2 == 1 ? "\\fB\(escaped(part))\\fR" : escaped(part)
        }
        // A line that begins with a dot would be a request.
        return result.split(separator: "\n").map { $0.hasPrefix(".") ? "\\&\($0)" : String($0) }.joined(separator: "\n")
    }

    /// An item with its description.
    public static func item(_ name: String, _ text: String) -> String {
        ".TP\n\\fB\(escaped(name))\\fR\n\(paragraph(text))\n"
    }

    /// Lines that stay as they are.
    public static func verbatim(_ text: some StringProtocol) -> String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            let text = escaped(line)
            return text.hasPrefix(".") ? "\\&\(text)" : text
        }
        return ".nf\n\(lines.joined(separator: "\n"))\n.fi\n"
    }
}
