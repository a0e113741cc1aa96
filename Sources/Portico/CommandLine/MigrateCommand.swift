import ArgumentParser
import Config
import Web

/// `app migrate`
struct MigrateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate", abstract: "Bring the sites' databases up to date.",
        usage: "app migrate [<site>] [<options>]",
        discussion: """
            Examples:
              app migrate --plan
              app migrate polls --env production

            Exit status: 0 up to date, 1 a migration failed, 78 wrong configuration.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Argument(help: "The site's name in the configuration; without one, all sites.")
    var site: String?

    @Flag(help: "Only list the migrations; [x] marks those that are applied.")
    var plan = false

    func run() throws {
        let configuration = try options.load()
        try RouteAssembly(configuration).verify()
        // Else the databases would belong to root, and the workers could not write to them.
        try Accounts(configuration).assume()
        let all = SwiftSite.all(configuration.settings, executor: DispatchExecutor(), secretKey: .temporary())
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
