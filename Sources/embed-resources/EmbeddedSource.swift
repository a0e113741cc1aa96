import Foundation

/// The Swift file that holds the embedded files: the same folders give the same text.
struct EmbeddedSource {
    let module: String
    let templates: EmbeddedFolder
    let staticFiles: EmbeddedFolder

    var text: String {
        """
        // Made by EmbedResources from the folders Templates and Static. Change those.

        import \(module)

        /// The files of this target's folders `Templates` and `Static`.
        enum EmbeddedFiles {
            #if DEBUG
                private static let folders: (templates: String?, staticFiles: String?) = (
                    \(Self.literal(templates.path)), \(Self.literal(staticFiles.path)))
            #else
                private static let folders: (templates: String?, staticFiles: String?) = (nil, nil)
            #endif

            /// The files of `Templates`.
            static let templates = EmbeddedFileSet([
        \(Self.list(templates.files))
            ], folder: folders.templates)

            /// The files of `Static`.
            static let staticFiles = EmbeddedFileSet([
        \(Self.list(staticFiles.files))
            ], folder: folders.staticFiles)
        }

        """
    }

    private static func list(_ files: [ResourceFile]) -> String {
        files.map { file in
            let path = Self.literal(file.path)
            return if let text = Self.plainText(file.content) {
                "        EmbeddedFile(\(path), text: \(Self.rawLiteral(text))),"
            } else {
                "        EmbeddedFile(\(path), base64: \"\(file.content.base64EncodedString())\"),"
            }
        }.joined(separator: "\n")
    }

    /// The content as text that a string literal keeps byte for byte; nil for everything else. Literals turn CR LF into
    /// LF, and control characters have no place in source.
    private static func plainText(_ content: Data) -> String? {
        guard let text = String(validating: content, as: UTF8.self), !text.unicodeScalars.contains("\u{FEFF}") else {
            return nil
        }
        return text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x0A || $0 == 0x09 } ? text : nil
    }

    /// A raw literal with more number signs than any run in the text, so that nothing in it can end or interpolate it.
    private static func rawLiteral(_ text: String) -> String {
        var longest = 0
        var run = 0
        for byte in text.utf8 {
            run = byte == UInt8(ascii: "#") ? run + 1 : 0
            longest = max(longest, run)
        }
        let signs = String(repeating: "#", count: longest + 1)
        return "\(signs)\"\"\"\n\(text)\n\"\"\"\(signs)"
    }

    /// A literal of a file's name, whatever its characters.
    private static func literal(_ text: String) -> String {
        let escaped = text.unicodeScalars.map { scalar in
            switch scalar {
            case "\"", "\\": "\\\(scalar)"
            case " "..."~": "\(scalar)"
            default: "\\u{\(String(scalar.value, radix: 16))}"
            }
        }
        return "\"\(escaped.joined())\""
    }
}
