import Config
import Glibc
import Platform
import Python

/// The Python sites of a configuration, before anything is imported.
struct PythonSites {
    let configuration: Configuration
    private let environment = Environment.all
    private let workingDirectory = Environment.workingDirectory

    init(_ configuration: Configuration) { self.configuration = configuration }

    /// One of them.
    struct Entry {
        let site: Config.SiteSettings
        let module: String
        let callable: String
        /// Working directory and first entry of `sys.path`, an absolute path.
        let directory: String

        var target: String { "\(module):\(callable)" }
    }

    /// All of them, in the order of the configuration.
    var entries: [Entry] {
        configuration.settings.sites.compactMap { site in
            guard case .python(let module, let callable) = site.source else { return nil }
            return Entry(
                site: site, module: module, callable: callable, directory: site.directory ?? workingDirectory)
        }
    }

    /// Directories that are not there.
    var problems: [ConfigError] {
        entries.compactMap { entry in
            var status = stat()
            guard stat(entry.directory, &status) != 0 || status.st_mode & S_IFMT != S_IFDIR else { return nil }
            return configuration.error(
                "there is no directory \(entry.directory)", at: place(of: entry, "directory"))
        }
    }

    /// The Python that the sites need; nil when there is none of them. They share one interpreter, so that they have to
    /// agree on it.
    func installation() throws(ConfigErrors) -> PythonInstallation? {
        var first: (entry: Entry, installation: PythonInstallation)?
        for entry in entries {
            let found = try installation(for: entry)
            guard let first else {
                first = (entry, found)
                continue
            }
            guard first.installation.isSame(as: found) else {
                throw ConfigErrors([
                    configuration.error(
                        "it runs on \(found.executable), but site '\(first.entry.site.name)' on "
                            + "\(first.installation.executable): the sites of one server share one interpreter; "
                            + "give both the same 'interpreter' or 'virtualenv'",
                        at: place(of: entry, entry.site.interpreter != nil ? "interpreter" : "virtualenv"))
                ])
            }
        }
        return first?.installation
    }

    private func installation(for entry: Entry) throws(ConfigErrors) -> PythonInstallation {
        let search = PythonSearch(
            interpreter: entry.site.interpreter, virtualenv: entry.site.virtualenv, directory: entry.directory,
            environment: environment)
        do throws(PythonSearchError) {
            return try .find(search, environment: environment, as: Accounts(configuration).identity)
        } catch {
            let key =
                switch error.source {
                case .interpreter: "interpreter"
                case .virtualenv: "virtualenv"
                case .activeEnvironment, .besideApplication, .path: "python"
                }
            throw ConfigErrors([configuration.error("\(error)", at: place(of: entry, key))])
        }
    }

    private func place(of entry: Entry, _ key: String) -> ConfigPath {
        let hasKey =
            switch key {
            case "directory": entry.site.directory != nil
            case "interpreter": entry.site.interpreter != nil
            case "virtualenv": entry.site.virtualenv != nil
            default: true
            }
        return ConfigPath([.key("sites"), .key(entry.site.name), .key(hasKey ? key : "python")])
    }
}
