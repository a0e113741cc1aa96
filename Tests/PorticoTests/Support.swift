import Config
import Polls

@testable import Portico

/// The sites of this test program, put into the catalogue once.
private let registered: Void = SiteCatalog.shared.register([Polls()])

/// Makes the binary's sites known, as `App.main` does.
func registerSites() { registered }

/// The configuration `yaml` makes as `app.yaml` in `directory`.
func configuration(
    _ yaml: String, environment: [String: String] = [:], named name: String? = nil, in directory: String = "/srv/app",
    secrets: String = "/nowhere"
) throws -> Configuration {
    registerSites()
    return try Configuration.load(
        ConfigSources(
            environmentName: name, environment: environment, workingDirectory: directory, secretsDirectory: secrets,
            usualPlaces: [], fileContents: ("app.yaml", Array(yaml.utf8)),
            patternProblem: { RouteAssembly.problem(ofExpression: $0) })
    ).get()
}
