import ArgumentParser
import Config
import Web

/// `app migrate`
struct MigrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Bring the databases of Swift sites up to date.")

    @OptionGroup var options: ConfigurationOptions

    @Argument(help: "The site, by its name in the configuration; all of them without one.")
    var site: String?

    @Flag(help: "Only list the migrations and whether they are applied.")
    var plan = false

    func run() throws {
        let configuration = try options.load()
        try RouteAssembly(configuration).verify()
        let all = SiteAssembly.all(configuration.settings, executor: DispatchExecutor(), secretKey: .temporary())
        let chosen = site.map { name in all.filter { $0.name == name } } ?? all
        if let site, chosen.isEmpty {
            throw ValidationError(
                "There is no Swift site '\(site)' in the configuration (\(all.map(\.name).joined(separator: ", "))).")
        }
        for assembly in chosen {
            do throws(DatabaseError) {
                if plan {
                    for entry in try assembly.application.migrationPlan() {
                        Console.print("\(assembly.name): [\(entry.isApplied ? "x" : " ")] \(entry.name)")
                    }
                } else {
                    let applied = try assembly.application.migrate()
                    for name in applied { Console.print("\(assembly.name): applied \(name)") }
                    if applied.isEmpty { Console.print("\(assembly.name): nothing to apply") }
                }
            } catch {
                Console.error("\(assembly.name): \(error)")
                throw ArgumentParser.ExitCode(1)
            }
        }
    }
}
