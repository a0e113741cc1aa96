import Config
import Foundation
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

/// A directory of its own for a test, removed with its content.
final class TemporaryDirectory {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent(
            "portico-\(UUID().uuidString.prefix(13))")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func write(_ text: String, to name: String) throws {
        try text.write(toFile: file(name), atomically: true, encoding: .utf8)
    }

    func makeDirectory(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: file(name), withIntermediateDirectories: true)
    }
}
