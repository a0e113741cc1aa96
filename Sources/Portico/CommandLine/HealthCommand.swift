import ArgumentParser
import Config
import Platform

/// `app health`: for HEALTHCHECK and scripts in images without curl.
struct HealthCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "health", abstract: "Ask a running server whether it is well.",
        usage: "app health [<url>] [<options>]",
        discussion: """
            Examples:
              app health --ready
              app health http://127.0.0.1:8000/readyz --timeout 2s

            Without a URL, the first address the configuration listens on is asked.
            Exit status: 0 a status from 200 to 299, 1 another or no answer in time.
            """)

    @Flag(help: "Ask whether it takes requests (/readyz), not whether it lives (/livez).")
    var ready = false

    @Option(help: ArgumentHelp("How long to wait for the answer.", valueName: "duration"))
    var timeout = "5s"

    @Argument(help: "http://host:port/path, or unix:/run/app.sock.")
    var url: String?

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        guard let limit = Duration(configurationText: timeout), limit > .zero else {
            throw ValidationError("--timeout takes a duration such as 5s; got '\(timeout)'")
        }
        let probe = try url.map { try HealthProbe(url: $0, path: defaultPath) } ?? configuredProbe()
        let status: Int
        do throws(HealthProbe.Failure) { status = try probe.ask(within: limit) } catch {
            Console.error("\(probe): \(error)")
            throw ArgumentParser.ExitCode(1)
        }
        guard (200..<300).contains(status) else {
            Console.error("\(probe): status \(status)")
            throw ArgumentParser.ExitCode(1)
        }
    }

    private var defaultPath: String { ready ? "/readyz" : "/livez" }

    private func configuredProbe() throws -> HealthProbe {
        let settings = try options.load().settings
        let path = ready ? settings.health.ready : settings.health.live
        guard let path else { throw ValidationError("health is switched off in the configuration; name a URL.") }
        guard let address = settings.listen.first else { throw ValidationError("The configuration listens nowhere.") }
        return try HealthProbe(address, path: path)
    }
}
