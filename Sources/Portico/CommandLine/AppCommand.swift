import ArgumentParser

/// `app`, with everything it can do.
struct AppCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "app",
        abstract: "Serve web applications: front router, worker pool, WSGI and ASGI in one program.",
        discussion: """
            Examples:
              app serve                     serve what app.yaml says (or the built-in sample)
              app serve public/             serve a directory
              app check --deploy            look for mistakes before they are deployed
              app config --origin           what is in force, and where it comes from
            """,
        version: Version.text,
        subcommands: [
            ServeCommand.self, CheckCommand.self, ConfigCommand.self, RoutesCommand.self, MigrateCommand.self,
            HealthCommand.self, VersionCommand.self, WorkerCommand.self,
        ])
}

/// What this program is.
enum Version {
    static let number = "0.1.0"
    static let text = "portico \(number)"
}
