/// One finding of a check, with an id that can be looked up and silenced, as Django's.
public struct CheckMessage: Sendable, Equatable, CustomStringConvertible {
    /// How bad it is.
    public enum Level: Int, Sendable, Comparable {
        case info, warning, error

        public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    }

    /// The id: the area, then a letter for the level and a number, as in `urls.E001`.
    public let id: String
    public let level: Level
    /// What is the matter.
    public let text: String
    /// What to do about it.
    public let hint: String?

    /// A finding.
    public init(_ id: String, _ level: Level, _ text: String, hint: String? = nil) {
        self.id = id
        self.level = level
        self.text = text
        self.hint = hint
    }

    public var description: String { "(\(id)) \(text)" + (hint.map { "\n\tHINT: \($0)" } ?? "") }
}
