/// There is no URL for a name with these values.
public struct NoReverseMatch: Error, Equatable, CustomStringConvertible {
    /// The name asked for.
    public let name: String
    /// The values given, as text.
    public let arguments: [String]
    /// The patterns of that name, none of which takes the values; empty when the name is unknown.
    public let candidates: [String]
    /// Every name there is, when the one asked for is unknown.
    public let known: [String]

    public var description: String {
        if candidates.isEmpty {
            let names = known.isEmpty ? "the table has no names" : "known are: \(known.joined(separator: ", "))"
            return "reverse for '\(name)' not found; \(names)"
        }
        let given = arguments.isEmpty ? "no values" : "values (\(arguments.joined(separator: ", ")))"
        return "reverse for '\(name)' with \(given) not found; tried: \(candidates.joined(separator: ", "))"
    }
}
