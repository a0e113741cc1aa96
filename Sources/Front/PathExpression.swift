/// A regular expression over paths that is always matched in one pass.
///
/// It is compiled to a deterministic automaton when the configuration is read, so that no path, however made, takes
/// longer than its length: there is no backtracking. Understood are literals, `.`, classes (`[a-z]`, `[^/]`, `\d \w \s`
/// and their opposites), groups, `|`, `* + ?`, `{n,m}`, the anchors `^` and `$`, and a leading `(?i)`; found anywhere in
/// the path unless anchored. Look-around and back-references are refused.
public struct PathExpression: Sendable {
    /// Why an expression was refused.
    public struct Invalid: Error, Equatable, CustomStringConvertible {
        /// Characters from its start.
        public let offset: Int
        public let message: String
        public var description: String { "\(message) at offset \(offset)" }
    }

    /// The text it was made from.
    public let source: String
    /// For each state 256 next states; state 0 is the one nothing leads out of.
    private let transitions: [UInt16]
    private let outcomes: [ExpressionAutomaton.Outcome]

    /// Compiles `source`.
    public init(_ source: String) throws(Invalid) {
        self.source = source
        var parser = ExpressionParser(source)
        let tree = try parser.parse()
        var automaton = ExpressionAutomaton(ignoresCase: parser.ignoresCase)
        guard let compiled = automaton.compile(tree) else {
            throw Invalid(offset: 0, message: "the expression is too complex")
        }
        (transitions, outcomes) = compiled
    }

    /// Whether the expression is found in `path`.
    public func isFound(in path: UnsafeRawBufferPointer) -> Bool {
        transitions.withUnsafeBufferPointer { table in
            var state = 1
            for byte in path {
                if outcomes[state] == .found { return true }
                state = Int(table[state << 8 | Int(byte)])
                if state == 0 { return false }
            }
            return outcomes[state] != .none
        }
    }

    /// Whether the expression is found in `path`.
    public func isFound(in path: String) -> Bool {
        var copy = path
        return copy.withUTF8 { isFound(in: UnsafeRawBufferPointer($0)) }
    }
}
