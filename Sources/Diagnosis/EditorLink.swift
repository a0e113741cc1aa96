/// How a place in a file becomes a link that opens an editor there.
public struct EditorLink: Equatable, Sendable {
    /// `{file}`, `{line}` and `{column}` stand for themselves.
    private let template: String

    /// Editors that can be named instead of a template.
    public static let known: [String: String] = [
        "vscode": "vscode://file{file}:{line}:{column}", "vscodium": "vscodium://file{file}:{line}:{column}",
        "cursor": "cursor://file{file}:{line}:{column}", "zed": "zed://file{file}:{line}:{column}",
        "idea": "idea://open?file={file}&line={line}&column={column}",
        "sublime": "subl://open?url=file://{file}&line={line}&column={column}",
        "textmate": "txmt://open?url=file://{file}&line={line}&column={column}",
        "emacs": "emacs://open?url=file://{file}&line={line}&column={column}",
    ]

    /// The name of an editor, or a template.
    public init(_ text: String) {
        template = Self.known[text] ?? text
    }

    /// The link to a place.
    public func url(file: String, line: Int, column: Int?) -> String {
        let path = file.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "."), UInt8(ascii: "~"):
                String(UnicodeScalar(byte))
            default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }.joined()
        return template.replacing("{file}", with: path).replacing("{line}", with: "\(line)")
            .replacing("{column}", with: "\(column ?? 1)")
    }
}

extension String {
    /// This text with every `part` replaced.
    fileprivate func replacing(_ part: String, with other: String) -> String {
        split(separator: part, omittingEmptySubsequences: false).joined(separator: other)
    }
}
