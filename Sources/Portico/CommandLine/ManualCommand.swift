import ArgumentParser
import Config
import Web

/// `app manual`
struct ManualCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "manual", abstract: "Print a manual page, for man to read.",
        usage: "app manual [<page>]",
        discussion: """
            Examples:
              app manual | man -l -
              app manual > /usr/local/share/man/man1/app.1
              app manual app.yaml > /usr/local/share/man/man5/app.yaml.5
            """)

    enum Page: String, ExpressibleByArgument, CaseIterable {
        case app
        case configuration = "app.yaml"
    }

    @Argument(help: "Which one: that of the program, or that of its configuration.")
    var page = Page.app

    func run() throws {
        switch page {
        case .configuration: Console.print(Configuration.manualPage(product: Version.text))
        case .app: Console.print(try CommandPage(AppCommand.self).text)
        }
    }
}

/// The manual page of a command with its subcommands, from their declarations.
struct CommandPage {
    /// Argument Parser's own description of the command line, in JSON.
    private let tool: JSONValue

    init(_ command: any ParsableCommand.Type) throws {
        tool = try JSONValue(parsing: command._dumpHelp())["command"] ?? .null
    }

    var text: String {
        let name = tool["commandName"]?.string ?? ""
        var text = """
            .TH \(name.uppercased()) 1 "" "\(Version.text)"
            .nh
            .ad l
            .SH NAME
            \(name) \\- \(Roff.escaped(tool["abstract"]?.string ?? ""))
            .SH SYNOPSIS
            .B \(name)
            .I command
            .RI [ options ]
            .SH DESCRIPTION
            \(Self.discussion(tool))
            """
        for command in tool["subcommands"]?.array ?? [] where command["shouldDisplay"]?.bool != false {
            guard let own = command["commandName"]?.string, own != "help" else { continue }
            text +=
                ".SH \(name.uppercased()) \(own.uppercased())\n\(Roff.paragraph(command["abstract"]?.string ?? ""))\n"
            text += ".PP\n\(Self.discussion(command))"
            for argument in command["arguments"]?.array ?? [] where argument["shouldDisplay"]?.bool != false {
                text += Self.item(argument)
            }
        }
        return text + """
            .SH ENVIRONMENT
            \(Roff.item("APP_CONFIG", "The configuration file, when --config does not name one."))\
            \(Roff.item("APP_ENV", "The section of it to use, when --env does not name one."))\
            \(Roff.item("APP_DATA", "Where Swift sites keep databases whose place is not configured."))\
            \(Roff.item("APP_…", "An option of the configuration: APP_WORKERS__COUNT is workers.count."))\
            \(Roff.item("NO_COLOR", "When set, nothing is printed in colours."))\
            .SH SEE ALSO
            app.yaml(5)
            """
    }

    /// Examples keep their lines, the rest is text.
    private static func discussion(_ command: JSONValue) -> String {
        (command["discussion"]?.string ?? "").split(separator: "\n\n").map { part in
            part.hasPrefix("Example") ? Roff.verbatim(part) : Roff.paragraph(String(part)) + "\n"
        }.joined(separator: ".PP\n")
    }

    private static func item(_ argument: JSONValue) -> String {
        let value = argument["valueName"]?.string ?? ""
        let names = (argument["names"]?.array ?? []).compactMap { name in
            name["name"]?.string.map { (name["kind"]?.string == "short" ? "-" : "--") + $0 }
        }
        let title =
            switch argument["kind"]?.string {
            case "positional": "<\(value)>"
            case "option": "\(names.joined(separator: ", ")) <\(value)>"
            default: names.joined(separator: ", ")
            }
        let values = argument["allValues"]?.array?.compactMap(\.string) ?? []
        let facts = [
            values.isEmpty ? nil : "values: \(values.joined(separator: ", "))",
            argument["defaultValue"]?.string.map { "default: \($0)" },
        ].compactMap { $0 }
        return Roff.item(
            title, (argument["abstract"]?.string ?? "") + (facts.isEmpty ? "" : " (\(facts.joined(separator: "; ")))"))
    }
}
