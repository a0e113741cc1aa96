import Config
import Glibc
import TestSupport
import Testing

/// Where files are looked for, and what is said when they cannot be read.
@Suite struct FileTests {
    private func load(_ sources: ConfigSources) -> String {
        switch Configuration.load(sources) {
        case .success(let configuration): configuration.filePath ?? "no file"
        case .failure(let errors): errors.description
        }
    }

    @Test func placesAreLookedAtInOrder() throws {
        let directory = try Folder()
        for name in ["flag", "variable", "app.yaml", "etc.yaml"] {
            try directory.write("base: {debug: on}\n", to: "\(name)")
        }
        var sources = ConfigSources(
            explicitPath: "flag", environment: ["APP_CONFIG": "variable"], workingDirectory: directory.path,
            usualPlaces: ["app.yaml", "\(directory.path)/etc.yaml"])
        #expect(load(sources) == "flag")
        sources.explicitPath = nil
        #expect(load(sources) == "variable")
        sources.environment = [:]
        #expect(load(sources) == "app.yaml")
        unlink("\(directory.path)/app.yaml")
        #expect(load(sources) == "\(directory.path)/etc.yaml")
        unlink("\(directory.path)/etc.yaml")
        #expect(load(sources) == "no file")
    }

    @Test func namedFilesMustBeReadable() throws {
        let directory = try Folder()
        var sources = ConfigSources(explicitPath: "gone.yaml", workingDirectory: directory.path, usualPlaces: [])
        #expect(
            load(sources)
                == "--config: cannot read configuration file 'gone.yaml': no such file; name an existing file with --config"
        )
        sources.explicitPath = "."
        #expect(load(sources).contains("is a directory; name the file in it"))
        sources.explicitPath = nil
        sources.environment = ["APP_CONFIG": "gone.yaml"]
        #expect(load(sources).hasPrefix("$APP_CONFIG: cannot read configuration file 'gone.yaml': no such file"))
        // Who may read everything cannot see this error.
        if geteuid() != 0 {
            try directory.write("base: {}\n", to: "closed.yaml")
            chmod(directory["closed.yaml"], 0)
            sources.usualPlaces = ["closed.yaml"]
            sources.environment = [:]
            #expect(load(sources) == "closed.yaml: permission denied; let the user of this process read it")
        }
    }

    @Test func bytesAreHandedOnUnchanged() throws {
        let directory = try Folder()
        try directory.write("base: {debug: on}\n", to: "app.yaml")
        let first = try Configuration.load(ConfigSources(workingDirectory: directory.path)).get()
        #expect(first.fileBytes == Array("base: {debug: on}\n".utf8))
        try directory.write("base: {debug: off}\n", to: "app.yaml")
        let snapshot = ("app.yaml", first.fileBytes ?? [])
        let again = try Configuration.load(
            ConfigSources(workingDirectory: directory.path, fileContents: snapshot)
        ).get()
        #expect(again.settings == first.settings)
    }
}
