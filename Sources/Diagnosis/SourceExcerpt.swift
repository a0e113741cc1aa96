import Glibc
import Platform

/// A place in a source file, with the lines around it.
public struct SourceExcerpt: Sendable {
    /// The file as it was named, with line and column: `app.py:12`.
    public let place: String
    /// What is there: a message, or the function it is in.
    public let note: String
    /// Opens an editor at the place.
    let link: String?
    let lines: [Line]

    /// One line of the source.
    struct Line: Sendable {
        let number: Int
        let text: Substring
        /// Whether it is the one.
        let isHere: Bool
    }

    /// Lines shown before and after the one.
    private static let context = 4
    /// Larger files are not read.
    private static let largestFile = 4 << 20

    /// The lines of `source` around `line`, which is counted from 1.
    public init(
        _ name: String, line: Int, column: Int? = nil, note: String, source: String?, link: String? = nil
    ) {
        place = "\(name):\(line)" + (column.map { ":\($0)" } ?? "")
        self.note = note
        self.link = link
        let all = source?.split(separator: "\n", omittingEmptySubsequences: false) ?? []
        let first = max(1, line - Self.context)
        let last = min(all.count, line + Self.context)
        lines =
            first <= last
            ? (first...last).map { Line(number: $0, text: all[$0 - 1], isHere: $0 == line) } : []
    }

    /// A place in a file of this machine, as it is now: without lines when it cannot be read. `directory` is what a relative
    /// name is relative to.
    public init(
        file: String, line: Int, column: Int? = nil, note: String, editor: EditorLink?, directory: String? = nil
    ) {
        let path = file.hasPrefix("/") ? file : directory.map { "\($0)/\(file)" } ?? file
        self.init(
            file, line: line, column: column, note: note, source: Self.source(path),
            link: editor?.url(file: path, line: line, column: column))
    }

    private static func source(_ path: String) -> String? {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG, status.st_size <= largestFile,
            let bytes = try? Descriptor.contents(ofFile: path)
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
