/// One thing wrong with the configuration, and where.
public struct ConfigError: Error, Sendable, Hashable {
    /// What is wrong. Each case says in its message what was expected, what was found, and what to do.
    public enum Problem: Sendable, Hashable {
        /// The file is not YAML, or uses a part of YAML that configuration files may not.
        case syntax(String)
        /// A key no option has. `nearest` is the option that was probably meant.
        case unknownKey(nearest: String?)
        /// The same key twice in one mapping.
        case duplicateKey(first: String)
        /// A value of the wrong type or outside its range.
        case unexpected(expected: String, got: String, nearest: String?)
        /// An option that must be there is not.
        case missing(expected: String)
        /// Values that do not go together.
        case conflict(String)
        /// A name (of a site, an environment) that refers to nothing.
        case unknownName(what: String, name: String, nearest: String?, known: [String])
        /// An option outside `base:` and the environment sections.
        case outsideSection(key: String)
        /// A secret found nowhere.
        case missingSecret(name: String, places: [String])
        /// A file that cannot be read.
        case unreadable(reason: String, remedy: String)
    }

    /// Where; nil when it concerns no place in particular.
    public var origin: Origin?
    /// Which option; the root when it concerns the file as a whole.
    public var path: ConfigPath
    /// What.
    public var problem: Problem

    /// A problem at a place.
    public init(_ problem: Problem, at origin: Origin?, path: ConfigPath = ConfigPath()) {
        self.problem = problem
        self.origin = origin
        self.path = path
    }
}

extension ConfigError.Problem: CustomStringConvertible {
    /// The message without its place.
    public var description: String {
        switch self {
        case .syntax(let text), .conflict(let text): text
        case .unknownKey(let nearest):
            "unknown key" + Self.suggestion(nearest)
        case .duplicateKey(let first):
            "duplicate key, first written at \(first)"
        case .unexpected(let expected, let got, let nearest):
            "expected \(expected), got \(got)" + Self.suggestion(nearest)
        case .missing(let expected):
            "missing: expected \(expected)"
        case .unknownName(let what, let name, let nearest, let known):
            "no \(what) is named '\(name)'" + Self.suggestion(nearest)
                + (known.isEmpty ? " (there are none)" : " (there are: \(known.joined(separator: ", ")))")
        case .outsideSection(let key):
            "'\(key)' is an option, not an environment: write it under 'base:' (or under an environment's section)"
        case .missingSecret(let name, let places):
            "secret '\(name)' not found: looked in \(places.joined(separator: ", "))"
        case .unreadable(let reason, let remedy):
            "\(reason); \(remedy)"
        }
    }

    private static func suggestion(_ nearest: String?) -> String {
        nearest.map { ", did you mean '\($0)'?" } ?? ""
    }
}

extension ConfigError: CustomStringConvertible {
    /// One line: `app.yaml:12:7: workers.cuont: unknown key, did you mean 'count'?`
    public var description: String {
        [origin?.place, path.steps.isEmpty ? nil : path.description, problem.description]
            .compactMap { $0 }.joined(separator: ": ")
    }
}

/// Everything wrong with the configuration, at once. Never empty.
public struct ConfigErrors: Error, Sendable, CustomStringConvertible {
    /// The problems, sorted by place, each once.
    public let errors: [ConfigError]

    /// Sorts and removes repetitions (the same mistake seen through two environments).
    public init(_ errors: [ConfigError]) {
        var seen: Set<String> = []
        self.errors = errors.filter { seen.insert($0.description).inserted }
            .sorted { left, right in
                guard let first = left.origin?.sortKey else { return right.origin != nil }
                guard let second = right.origin?.sortKey else { return false }
                return first == second ? left.path.description < right.path.description : first < second
            }
    }

    /// One problem a line.
    public var description: String {
        errors.map(\.description).joined(separator: "\n")
    }
}
