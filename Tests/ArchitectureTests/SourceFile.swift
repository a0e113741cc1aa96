import Foundation

/// A Swift file of the package.
struct SourceFile {
    /// Relative to the package, as `Sources/HTTP/Token.swift`.
    let path: String
    let lines: [Substring]

    /// The folder of its target, as `HTTP`.
    var folder: String { String(path.split(separator: "/")[1]) }

    /// The modules it imports.
    var imports: [String] {
        lines.compactMap { line in
            guard line.contains("import ") else { return nil }
            // Attributes and an access level before the keyword, the kind of a single declaration after it. Within
            // `#if` it is indented by four; deeper, it is the text of a file that the program writes.
            let declaration = /(?: {4})?(?:@\w+(?:\([^)]*\))?\s+)*(?:[a-z]+\s+)?import\s+(?:[a-z]+\s+)?(\w+)/
            return line.prefixMatch(of: declaration).map { String($0.1) }
        }
    }

    /// The package's folder.
    static let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// Every Swift file below `folder`.
    static func all(below folder: String) throws -> [SourceFile] {
        try FileManager.default.subpathsOfDirectory(atPath: "\(package)/\(folder)").filter { $0.hasSuffix(".swift") }
            .sorted().map { path in
                let text = try String(contentsOfFile: "\(package)/\(folder)/\(path)", encoding: .utf8)
                return SourceFile(
                    path: "\(folder)/\(path)", lines: text.split(separator: "\n", omittingEmptySubsequences: false))
            }
    }
}
