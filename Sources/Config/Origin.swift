/// Where a configuration value comes from. Every node of a `ConfigTree` carries one, so that each error and each
/// printed value can name its place.
public indirect enum Origin: Sendable, Hashable {
    /// A built-in value; `layer` is `default`, the name of an environment (its built-in defaults), or `built-in`.
    case builtIn(layer: String)
    /// A place in a configuration file. `layer` is `base` or the environment section; empty outside both.
    /// Lines and columns start at 1; columns count Unicode scalars.
    case file(path: String, line: Int, column: Int, layer: String)
    /// An environment variable, named without `$`.
    case environment(variable: String)
    /// A command-line flag, as typed but without its value: `--listen`, `--set workers.count`.
    case flag(String)
    /// A secret: `source` is where it was found (`$SECRET_KEY`, `/run/secrets/secret_key`), `at` where it was asked
    /// for.
    case secret(source: String, at: Origin)

    /// The layer's name: `default`, `base`, `production`, `environment`, `flag`.
    public var layer: String {
        switch self {
        case .builtIn(let layer): layer
        case .file(_, _, _, let layer): layer
        case .environment: "environment"
        case .flag: "flag"
        case .secret(_, let origin): origin.layer
        }
    }

    /// What an error message starts with: `app.yaml:12:7`, `$APP_WORKERS__COUNT`, `--listen`, `default`.
    public var place: String {
        switch self {
        case .builtIn(let layer): layer == "default" || layer == "built-in" ? layer : "default (\(layer))"
        case .file(let path, let line, let column, _): "\(path):\(line):\(column)"
        case .environment(let variable): "$\(variable)"
        case .flag(let text): text
        case .secret(_, let origin): origin.place
        }
    }

    /// The order in which errors are printed: files by line, then variables, then flags.
    var sortKey: (Int, String, Int, Int) {
        switch self {
        case .builtIn(let layer): (3, layer, 0, 0)
        case .file(let path, let line, let column, _): (0, path, line, column)
        case .environment(let variable): (1, variable, 0, 0)
        case .flag(let text): (2, text, 0, 0)
        case .secret(_, let origin): origin.sortKey
        }
    }

    /// The directory a relative path written here is relative to, if it is a file's.
    var filePath: String? {
        switch self {
        case .file(let path, _, _, _): path
        case .secret(_, let origin): origin.filePath
        default: nil
        }
    }
}

extension Origin: CustomStringConvertible {
    /// What `app config --origin` shows: layer and place, `production app.yaml:30`, `environment $APP_LISTEN`.
    public var description: String {
        switch self {
        case .builtIn("default"): "default"
        case .builtIn("built-in"): "built-in"
        case .builtIn(let layer): "default for \(layer)"
        case .file(let path, let line, _, let layer): layer.isEmpty ? "\(path):\(line)" : "\(layer) \(path):\(line)"
        case .environment(let variable): "environment $\(variable)"
        case .flag(let text): "flag \(text)"
        case .secret(let source, let origin): "\(origin), secret from \(source)"
        }
    }
}
