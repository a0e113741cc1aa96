import ArgumentParser

/// `app`, with everything it can do.
struct AppCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "app",
        abstract: "Serve web sites: front router, worker pool and sites in one program.",
        discussion: """
            Examples:
              app serve               serve what app.yaml says, else the sample site
              app serve public/       serve a directory of files
              app check --deploy      find mistakes before they are deployed
              app config --origin     show what is in force, and where it comes from
            """,
        version: Version.text,
        subcommands: [
            ServeCommand.self, DevCommand.self, CheckCommand.self, ConfigCommand.self, RoutesCommand.self,
            MigrateCommand.self,
            StatusCommand.self, TopCommand.self, ReloadCommand.self, ScaleCommand.self, StopCommand.self,
            HealthCommand.self, SmokeCommand.self, NewCommand.self, ManualCommand.self, VersionCommand.self,
            WorkerCommand.self, SuperviseCommand.self, ImportCommand.self,
        ])
}

/// What this program is.
enum Version {
    static let number = "0.1.0"
    static let text = "portico \(number)"
}
