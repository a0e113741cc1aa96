import ArgumentParser
import Platform

/// `app dev`: as `app serve`, for whoever is changing what is served.
struct DevCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dev", abstract: "Serve while developing: changes are brought in, open pages follow.",
        usage: "app dev [<target>] [<options>]",
        discussion: """
            Examples:
              app dev
              app dev shop.wsgi:application --set editor=vscode
              app dev public/

            The environment is development unless --env or $APP_ENV says otherwise. Templates, static files, Python
            modules, the configuration and the sources of the Swift package are watched. A page that is open loads
            itself again; what cannot be served shows why.
            """)

    @OptionGroup var options: ServeOptions

    @Option(
        help: ArgumentHelp("Once requests are served, write the URLs to it, one a line.", valueName: "file"),
        completion: .file())
    var readyFile: String?

    func run() throws {
        var options = options
        options.development = true
        try ServeCommand.serve(options, readyFile: readyFile)
    }
}
