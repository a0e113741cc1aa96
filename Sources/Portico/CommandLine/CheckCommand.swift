import ArgumentParser
import Config
import Front
import Python
import Web

/// `app check`
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check configuration, sites, URL tables and templates; import Python sites.",
        usage: "app check [<options>]",
        discussion: """
            Example:
              app check --deploy --env production --fail-level warning

            A finding that is known and accepted: silenced-checks: [deploy.W003]
            Exit status: 0 none at the fail level, 1 a check failed, 78 wrong configuration.
            """)

    @OptionGroup var options: ConfigurationOptions

    @Flag(help: "Check also what matters in production: debug, secret key, hosts, user, files.")
    var deploy = false

    @Option(help: "From which level on a finding is a failure.")
    var failLevel = CheckReport.FailLevel.error

    func run() throws {
        let configuration = try options.load()
        try RouteAssembly(configuration).verify()
        let settings = configuration.settings
        for id in CheckReport.unknown(settings.silencedChecks) {
            Console.error("warning: silenced-checks: no check has the id '\(id)'")
        }
        var report = CheckReport(silencing: settings.silencedChecks)
        var deployment: [CheckMessage] = []
        if deploy { deployment = DeploymentChecks(configuration).messages }
        let python = try PythonOutcome(configuration)
        // Databases are opened from here on: nothing of root's is to be left in them.
        try Accounts(configuration).assume()
        let sites = SwiftSite.all(
            settings, executor: DispatchExecutor(),
            secretKey: settings.secretKey.map { SecretKey($0.text) } ?? .temporary())
        for site in sites { report.add(site.application.check(), about: site.name) }
        report.add(deployment, about: "configuration")
        for line in report.lines { Console.error(line) }
        python.say()
        let failures = report.failures(failLevel) + python.failures
        if failures > 0 {
            let what = failLevel == .error ? "error" : "finding at the fail level"
            Console.error("\(failures) \(what)\(failures == 1 || failLevel != .error ? "" : "s")")
            throw ArgumentParser.ExitCode(1)
        }
        Console.print(report.summary)
    }
}

/// What came of importing the Python sites.
private struct PythonOutcome {
    private var summary: String?
    private var outcomes: [(entry: PythonSites.Entry, outcome: PythonSiteCheck.Outcome)] = []

    /// Imports them; ends the command with status 78 when there is no Python for them.
    init(_ configuration: Configuration) throws {
        do throws(ConfigErrors) {
            guard let python = try PythonSites(configuration).installation() else { return }
            summary = "python: \(python.summary)"
        } catch {
            Console.error("\(error)")
            throw ArgumentParser.ExitCode.configuration
        }
        outcomes = PythonSiteCheck(configuration).outcomes()
    }

    var failures: Int { outcomes.filter { if case .failed = $0.outcome { true } else { false } }.count }

    func say() {
        if let summary { Console.print(summary) }
        for (entry, outcome) in outcomes {
            switch outcome {
            case .imported(let gateway): Console.print("\(entry.site.name): \(entry.target) is imported: \(gateway)")
            case .failed(let reason): Console.error("\(entry.site.name): error: \(reason)")
            }
        }
    }
}
