import ArgumentParser
import Config
import Glibc
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
              app health --ready --wait 30s --ready-file urls

            Without a URL, the first address the configuration listens on is asked.
            Exit status: 0 a status from 200 to 299, 1 another or no answer in time.
            """)

    @Flag(help: "Ask whether it takes requests (/readyz), not whether it lives (/livez).")
    var ready = false

    @Option(help: ArgumentHelp("How long to wait for the answer.", valueName: "duration"))
    var timeout = "5s"

    @Option(
        help: ArgumentHelp("Ask again and again, up to so long, until it is well.", valueName: "duration"))
    var wait: String?

    @Option(
        help: ArgumentHelp("Ask at the first URL in the file that 'serve --ready-file' writes.", valueName: "file"),
        completion: .file())
    var readyFile: String?

    @Argument(help: "http://host:port/path, or unix:/run/app.sock.")
    var url: String?

    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        let limit = try duration(timeout, of: "--timeout")
        let end = MonotonicTime.now() + (try wait.map { try duration($0, of: "--wait") } ?? .zero)
        if url != nil, readyFile != nil { throw ValidationError("A URL and --ready-file exclude each other.") }
        let fixed =
            readyFile == nil ? try url.map { try HealthProbe(url: $0, path: defaultPath) } ?? configuredProbe() : nil
        while true {
            let problem = if let fixed { trouble(fixed, limit) } else { try troubleOfReadyFile(limit) }
            guard let problem else { return }
            guard MonotonicTime.now() < end else {
                Console.error(problem)
                throw ArgumentParser.ExitCode(1)
            }
            usleep(100_000)
        }
    }

    private func duration(_ text: String, of flag: String) throws -> Duration {
        guard let duration = Duration(configurationText: text), duration > .zero else {
            throw ValidationError("\(flag) takes a duration such as 5s; got '\(text)'")
        }
        return duration
    }

    /// What is wrong with the server; nil when it is well.
    private func trouble(_ probe: HealthProbe, _ limit: Duration) -> String? {
        do throws(HealthProbe.Failure) {
            let status = try probe.ask(within: limit)
            return (200..<300).contains(status) ? nil : "\(probe): status \(status)"
        } catch {
            return "\(probe): \(error)"
        }
    }

    private func troubleOfReadyFile(_ limit: Duration) throws -> String? {
        guard let readyFile else { return nil }
        let bytes: [UInt8]
        do throws(SystemError) { bytes = try Descriptor.contents(ofFile: readyFile) } catch { return "\(error)" }
        guard let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n").first else {
            return "\(readyFile) has no URL yet"
        }
        // As it is written there, the URL ends in a slash or in nothing, never in a path.
        let url = line.hasSuffix("/") && !line.hasPrefix("unix:") ? line.dropLast() : line
        return trouble(try HealthProbe(url: String(url), path: defaultPath), limit)
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
