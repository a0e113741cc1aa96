/// A configuration that was found, checked and put together.
public struct Configuration: Sendable {
    /// The settings, typed.
    public let settings: Settings
    /// The same as a tree, each value with its origin: defaults filled in, secrets marked.
    public let tree: ConfigTree
    /// The chosen environment.
    public let environmentName: String
    /// The file, as it was named; nil without one.
    public let filePath: String?
    /// The file's bytes, for processes that must see the same; nil without a file.
    public let fileBytes: [UInt8]?
    /// The secrets it refers to, by name: for processes that may not read their files any more.
    public let secrets: [String: Secret]
    /// What is odd and not wrong.
    public let warnings: [ConfigError]

    /// Where the value at `path` (such as `routes[2].files`) comes from.
    public func origin(of path: ConfigPath) -> Origin {
        tree.origin(of: path)
    }

    /// An error about a value, for checks that only the caller can make (a directory that is missing): it prints as
    /// `app.yaml:12:7: routes[2].files: …`.
    public func error(_ message: String, at path: ConfigPath) -> ConfigError {
        ConfigError(.conflict(message), at: origin(of: path), path: path)
    }

    /// Finds, reads, checks and puts together. Every error there is, at once; exit status 78 goes with them.
    public static func load(_ sources: ConfigSources) -> Result<Configuration, ConfigErrors> {
        switch ConfigFile.find(sources) {
        case .failure(let error):
            return .failure(ConfigErrors([error]))
        case .success(let file):
            var loader = ConfigLoader(sources: sources, file: file)
            return loader.load()
        }
    }

    /// The effective configuration as YAML, secrets as `****`.
    ///
    /// - Parameter withOrigin: adds to each value, as a comment, the layer and the place it comes from.
    public func yaml(withOrigin: Bool = false) -> String {
        YAMLWriter.write(tree, withOrigin: withOrigin)
    }

    /// The effective configuration as JSON, secrets as `"****"`.
    ///
    /// - Parameter withOrigin: each value becomes `{"value": …, "layer": …, "place": …}`.
    public func json(withOrigin: Bool = false) -> String {
        JSONWriter.write(tree, withOrigin: withOrigin)
    }

    /// The reference documentation of all options, in Markdown, made from their declarations.
    public static func reference() -> String {
        Reference.markdown
    }
}
