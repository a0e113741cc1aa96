import ArgumentParser
import Config
import Front
import Web

/// `app config`
struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Show the configuration in force, without secrets.",
        usage: "app config [<options>]",
        discussion: """
            Examples:
              app config --env production --origin
              app config --format json
              app config --reference
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case yaml, json }

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Add to each value where it comes from: layer, file and line.")
    var origin = false

    @Flag(help: "Print the reference of all options instead, as Markdown.")
    var reference = false

    @Option(help: "How to print it.")
    var format = Format.yaml

    func run() throws {
        if reference { return Console.print(Configuration.reference()) }
        let configuration = try options.load()
        Console.print(
            format == .json ? configuration.json(withOrigin: origin) : configuration.yaml(withOrigin: origin))
    }
}

/// `app routes`
struct RoutesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "routes", abstract: "List the routes and each site's URL table.",
        usage: "app routes [<options>]",
        discussion: """
            Example:
              app routes --env production
            """)

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        let configuration = try options.load()
        try RouteAssembly(configuration).verify()
        do throws(RouteErrors) {
            let rows = try RouteAssembly(configuration).table().descriptions.map { [$0.host, $0.pattern, $0.actions] }
            Console.print(TextTable.render(["HOST", "PATH", "ANSWERED BY"], rows))
        } catch {
            Console.error("\(error)")
            throw ArgumentParser.ExitCode.configuration
        }
        let sites = SwiftSite.all(configuration.settings, executor: DispatchExecutor(), secretKey: .temporary())
        for site in sites {
            let rows = site.application.routes.map {
                [$0.pattern, $0.name ?? "", $0.view, $0.isAsynchronous ? "async" : "sync"]
            }
            Console.print("\n\(site.name)\n" + TextTable.render(["PATH", "NAME", "VIEW", "RUNS"], rows))
        }
        for entry in PythonSites(configuration).entries {
            let row = [entry.target, entry.site.gateway.rawValue, entry.directory]
            Console.print(
                "\n\(entry.site.name)\n" + TextTable.render(["APPLICATION", "GATEWAY", "DIRECTORY"], [row]))
        }
    }
}

/// Columns of text.
enum TextTable {
    /// The rows under a heading, each column as wide as its widest cell.
    static func render(_ heading: [String], _ rows: [[String]]) -> String {
        let all = [heading] + rows
        let widths = heading.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            let line = cells.joined(separator: "  ")
            return String(line[..<(line.lastIndex { $0 != " " }.map(line.index(after:)) ?? line.startIndex)])
        }.joined(separator: "\n")
    }
}
