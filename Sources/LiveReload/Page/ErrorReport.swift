/// Why the new code does not work: what the compiler, the interpreter or the configuration reader said.
public struct ErrorReport: Equatable, Sendable {
    /// One line: `swift build failed`.
    public let title: String
    /// All that was said.
    public let text: String

    public init(title: String, text: String) {
        self.title = title
        self.text = text
    }

    /// A place in a source file that the text speaks of.
    public struct Place: Equatable, Sendable {
        public let file: String
        /// Both from 1; without a column, nil.
        public let line: Int
        public let column: Int?
        /// What is wrong there.
        public let message: String
    }

    /// More are not shown: the first is what to mend.
    static let mostPlaces = 8

    /// The places, in order, each once: `file:12:7: error: …` as compilers write them, `File "x.py", line 12` as Python
    /// does, innermost last.
    public var places: [Place] {
        var found: [Place] = []
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        // What Python says stands at the end, after the frames.
        let reason = lines.last { !$0.isEmpty && $0.first != " " }.map(String.init) ?? ""
        for line in lines {
            guard let place = Self.compilerPlace(line) ?? Self.pythonPlace(line, reason) else { continue }
            if !found.contains(where: { $0.file == place.file && $0.line == place.line }) { found.append(place) }
        }
        return Array(found.prefix(Self.mostPlaces))
    }

    /// `/a/b.swift:12:7: error: message`, `app.yaml:4:7: key: message`. Warnings and notes are not why it fails.
    private static func compilerPlace(_ line: Substring) -> Place? {
        let parts = line.split(separator: ":", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count == 4, let number = Int(parts[1]), let column = Int(parts[2]), number > 0 else { return nil }
        let file = parts[0]
        guard !file.isEmpty, !file.contains("`"), file.first != " " else { return nil }
        var message = parts[3].drop { $0 == " " }
        if message.hasPrefix("warning:") || message.hasPrefix("note:") { return nil }
        if message.hasPrefix("error: ") { message = message.dropFirst(7) }
        return Place(file: String(file), line: number, column: column, message: String(message))
    }

    /// `  File "/a/b.py", line 12, in view`
    private static func pythonPlace(_ line: Substring, _ reason: String) -> Place? {
        let line = line.drop { $0 == " " }
        guard line.hasPrefix("File \"") else { return nil }
        let rest = line.dropFirst(6)
        guard let quote = rest.firstIndex(of: "\"") else { return nil }
        let file = rest[..<quote]
        let tail = rest[quote...]
        guard tail.hasPrefix("\", line "), !file.hasPrefix("<") else { return nil }
        guard let number = Int(tail.dropFirst(8).prefix { $0.isNumber }) else { return nil }
        return Place(file: String(file), line: number, column: nil, message: reason)
    }
}
