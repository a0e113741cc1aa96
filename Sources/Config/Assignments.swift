/// Lays environment variables and flags over a tree, one option at a time.
struct Assignments {
    /// The tree so far; normalized, as every layer is.
    private(set) var tree: ConfigTree
    /// What does not fit.
    private(set) var errors: [ConfigError] = []
    /// Variables that look like options and are none.
    private(set) var warnings: [ConfigError] = []

    /// Begins with the layers below.
    init(onto tree: ConfigTree) {
        self.tree = tree
    }

    /// Variables that are no options.
    private static let reserved: Set = ["APP_CONFIG", "APP_ENV", "APP_DATA", "APP_FDS", "APP_SMOKE"]

    /// `APP_WORKERS__COUNT=4`: `__` goes one level down, `_` also stands for `-`. Empty variables count as not set.
    mutating func apply(_ environment: [String: String]) {
        for (name, text) in environment.sorted(by: { $0.key < $1.key }) {
            guard name.hasPrefix("APP_"), !name.hasPrefix("APP__"), !Self.reserved.contains(name), !text.isEmpty
            else { continue }
            let origin = Origin.environment(variable: name)
            guard let parts = Self.split(name.dropFirst(4)) else {
                warnings.append(ConfigError(.unknownKey(nearest: nil), at: origin))
                continue
            }
            switch locate(parts) {
            case .success((let path, let type)): assign(.text(text), at: path, type, origin)
            case .failure(let problem):
                // Names without `__` are also what other programs use (a Kubernetes service called `app` makes
                // APP_PORT and APP_SERVICE_HOST): those are errors only when they are close to an option.
                if parts.count == 1, case .unknownKey(let nearest) = problem.problem, nearest == nil {
                    warnings.append(ConfigError(problem.problem, at: origin, path: problem.path))
                } else {
                    errors.append(ConfigError(problem.problem, at: origin, path: problem.path))
                }
            }
        }
    }

    /// Flags, later over earlier.
    mutating func apply(_ flags: [ConfigFlag]) {
        for flag in flags {
            let origin = Origin.flag(flag.flag)
            switch Self.type(at: flag.path) {
            case .success(let type): assign(flag.value, at: flag.path, type, origin)
            case .failure(let problem): errors.append(ConfigError(problem.problem, at: origin, path: problem.path))
            }
        }
    }

    private mutating func assign(_ value: ConfigFlag.Value, at path: ConfigPath, _ type: ValueType, _ origin: Origin) {
        let node: ConfigTree
        switch value {
        case .list(let texts):
            node = ConfigTree(.list(texts.map { .text($0, origin) }), origin)
        case .text(let text):
            switch Normalization.parsedFlow(text, as: type, origin) {
            case .success(let parsed): node = parsed
            case .failure(let error): return errors.append(ConfigError(error.problem, at: origin, path: path))
            }
        }
        guard let changed = tree.assigning(Normalization.normalized(node, as: type), at: path.steps[...]) else {
            let problem = ConfigError.Problem.conflict("there is no such place in the configuration")
            return errors.append(ConfigError(problem, at: origin, path: path))
        }
        tree = changed
    }

    /// `WORKERS__COUNT` as ["workers", "count"].
    private static func split(_ name: Substring) -> [String]? {
        var parts: [String] = [""]
        var rest = name
        while let character = rest.first {
            if rest.hasPrefix("__") {
                rest = rest.dropFirst(2)
                parts.append("")
            } else {
                parts[parts.count - 1].append(character)
                rest = rest.dropFirst()
            }
        }
        return parts.contains("") ? nil : parts.map { $0.lowercased() }
    }

    /// The option that the parts of a variable's name mean.
    private func locate(_ parts: [String]) -> Result<(ConfigPath, ValueType), ConfigError> {
        var type = ValueType.group(Declarations.root)
        var path = ConfigPath()
        var node: ConfigTree? = tree
        for part in parts {
            let dashed = part.replacing("_", with: "-")
            switch type {
            case _ where type.asGroup != nil:
                guard let group = type.asGroup else { continue }
                guard let option = group.options.first(where: { $0.key == dashed }) else {
                    return .failure(Self.unknown(dashed, in: group, at: path))
                }
                path = path.appending(option.key)
                node = node?[option.key]
                type = option.type
            case .map(_, let inner):
                // A name of the user's choice: the one that is there, else as it is in lower case.
                let known = node?.entries.first { $0.key.lowercased().replacing("_", with: "-") == dashed }?.key
                path = path.appending(known ?? part)
                node = node?[known ?? part]
                type = inner
            case .list(let inner):
                guard let index = Int(part), index >= 0 else {
                    return .failure(
                        ConfigError(.conflict("expected an index (from 0), got '\(part)'"), at: nil, path: path))
                }
                path = path.appending(index)
                node = node?[ConfigPath([.index(index)])]
                type = inner
            default:
                return .failure(ConfigError(.unknownKey(nearest: nil), at: nil, path: path.appending(dashed)))
            }
        }
        return .success((path, type))
    }

    /// What the option at a path may hold.
    static func type(at path: ConfigPath) -> Result<ValueType, ConfigError> {
        var type = ValueType.group(Declarations.root)
        var place = ConfigPath()
        for step in path.steps {
            let name = ConfigPath([step]).lastKey
            switch type {
            case _ where type.asGroup != nil:
                guard let group = type.asGroup else { continue }
                guard let option = group[name] else { return .failure(unknown(name, in: group, at: place)) }
                type = option.type
            case .map(_, let inner): type = inner
            case .list(let inner):
                guard case .index = step else {
                    return .failure(
                        ConfigError(.conflict("expected an index (from 0), got '\(name)'"), at: nil, path: place))
                }
                type = inner
            default:
                return .failure(ConfigError(.unknownKey(nearest: nil), at: nil, path: place.appending(name)))
            }
            place.steps.append(step)
        }
        return .success(type)
    }

    private static func unknown(_ key: String, in group: OptionGroup, at path: ConfigPath) -> ConfigError {
        ConfigError(
            .unknownKey(nearest: nearest(to: key, among: group.options.map(\.key))), at: nil, path: path.appending(key))
    }
}
