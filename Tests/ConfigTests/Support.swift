import Config

/// Loads `yaml` as `app.yaml` in /srv/app.
func load(
    _ yaml: String?, environment: [String: String] = [:], flags: [ConfigFlag] = [], named name: String? = nil,
    default defaultEnvironment: String = "production", target: ConfigSources.Target? = nil, secrets: String = "/nowhere"
) -> Result<Configuration, ConfigErrors> {
    Configuration.load(
        ConfigSources(
            environmentName: name, defaultEnvironment: defaultEnvironment, environment: environment, flags: flags,
            target: target, workingDirectory: "/srv/app", secretsDirectory: secrets, usualPlaces: [],
            fileContents: yaml.map { ("app.yaml", Array($0.utf8)) },
            patternProblem: { pattern in
                do {
                    _ = try Regex(pattern)
                    return nil
                } catch {
                    return "it does not compile"
                }
            }))
}

/// What is printed when `yaml` is loaded: the errors, or nothing.
func problems(_ yaml: String?, environment: [String: String] = [:], flags: [ConfigFlag] = [], named: String? = nil)
    -> String
{
    switch load(yaml, environment: environment, flags: flags, named: named) {
    case .success: ""
    case .failure(let errors): errors.description
    }
}
