import Glibc
import Platform

/// What `faulthandler` writes of a thread's stack, made like the tracebacks that Python's users know: innermost last, with the
/// lines of source.
public enum StackText {
    /// Empty when `dump` names no frame of Python's.
    public static func formatted(_ dump: String) -> String {
        var sources: [Substring: [Substring]] = [:]
        return dump.split(separator: "\n").reversed().compactMap(Frame.init).map { frame in
            let lines = sources[frame.file] ?? source(frame.file)
            sources[frame.file] = lines
            let head = "  File \"\(frame.file)\", line \(frame.line), in \(frame.function)"
            guard lines.indices.contains(frame.line - 1) else { return head }
            let text = lines[frame.line - 1].drop { $0 == " " || $0 == "\t" }
            return "\(head)\n    \(text)"
        }.joined(separator: "\n")
    }

    /// `  File "x.py", line 3 in f`
    private struct Frame {
        let file: Substring
        let line: Int
        let function: Substring

        init?(_ text: Substring) {
            guard text.hasPrefix("  File \""), let middle = text.ranges(of: "\", line ").last,
                let number = text.ranges(of: " in ").first(where: { $0.lowerBound > middle.upperBound }),
                let line = Int(text[middle.upperBound..<number.lowerBound])
            else { return nil }
            file = text[text.index(text.startIndex, offsetBy: 8)..<middle.lowerBound]
            self.line = line
            function = text[number.upperBound...]
            // Our own, and what starts the interpreter.
            guard file != "<portico>", file != "<string>" else { return nil }
        }
    }

    private static func source(_ file: Substring) -> [Substring] {
        var status = stat()
        guard file.hasPrefix("/"), stat(String(file), &status) == 0, status.st_mode & S_IFMT == S_IFREG,
            status.st_size < 4 << 20, let bytes = try? Descriptor.contents(ofFile: String(file))
        else { return [] }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    }
}
