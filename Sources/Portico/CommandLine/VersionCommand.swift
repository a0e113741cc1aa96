import ArgumentParser
import Config
import Python

/// `app version`
struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Print the version, the sites, and which Python would be used.",
        usage: "app version [<options>]",
        discussion: """
            Example:
              app version --config /etc/app/app.yaml
            """)

    @OptionGroup var options: ConfigurationOptions

    func run() {
        Console.print(Version.text)
        Console.print("sites: \(SiteCatalog.shared.names.joined(separator: ", "))")
        Console.print("python: \(python)")
    }

    /// That of the configuration's Python sites; without any, what a site would get that says nothing about it.
    private var python: String {
        do throws(ConfigErrors) {
            if case .success(let configuration) = Configuration.load(options.sources()),
                let found = try PythonSites(configuration).installation()
            {
                return found.summary
            }
        } catch {
            return "none: \(error)"
        }
        let environment = Environment.all
        do throws(PythonSearchError) {
            let search = PythonSearch(directory: Environment.workingDirectory, environment: environment)
            return try PythonInstallation.find(search, environment: environment).summary
        } catch {
            return "none: \(error)"
        }
    }
}

extension PythonInstallation {
    /// In one line.
    var summary: String {
        "\(executable) \(version)\(isFreeThreaded ? " free-threaded" : ""), \(library)"
    }
}
