/// A template's text, kept for the places in error messages.
final class SourceText: Sendable {
    let name: String
    let bytes: [UInt8]

    init(name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }

    func string(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    /// Line and column of a byte offset, both from 1; columns count characters (Unicode scalars).
    func position(of offset: Int) -> (line: Int, column: Int, excerpt: String) {
        let end = min(max(offset, 0), bytes.count)
        var line = 1
        var start = 0
        for index in 0..<end where bytes[index] == UInt8(ascii: "\n") {
            line += 1
            start = index + 1
        }
        let column = String(decoding: bytes[start..<end], as: UTF8.self).unicodeScalars.count + 1
        var stop = end
        while stop < bytes.count, bytes[stop] != UInt8(ascii: "\n"), bytes[stop] != UInt8(ascii: "\r") { stop += 1 }
        return (line, column, string(start..<stop))
    }
}

/// A place in a template: where a tag or expression begins.
public struct SourcePlace: Sendable {
    let source: SourceText
    let offset: Int

    func error(_ kind: TemplateError.Kind) -> TemplateError {
        let (line, column, excerpt) = source.position(of: offset)
        return TemplateError(kind: kind, template: source.name, line: line, column: column, excerpt: excerpt)
    }
}
