import ArgumentParser
import Config
import Dispatch
import Glibc
import Platform

/// `app smoke`
struct SmokeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "smoke", abstract: "Run the configuration's 'smoke' requests and check the answers.",
        usage: "app smoke [<options>]",
        discussion: """
            Examples:
              app smoke --env production
              app smoke --format junit > smoke.xml
              app smoke --url http://127.0.0.1:8000 --read-only

            Without --url, the configuration is served on a free port with new databases.
            Exit status: 0 all as expected, 1 not, 69 and 70 it cannot be served,
            78 wrong configuration.
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case table, tap, junit }
    enum DataChoice: String, ExpressibleByArgument, CaseIterable { case temporary, configured }

    @OptionGroup var options: ConfigurationOptions

    @Option(help: ArgumentHelp("Ask this running server: http://host:port or unix:/path.", valueName: "url"))
    var url: String?

    @Option(help: "The databases of the server that is started: new ones, or those of the configuration.")
    var data: DataChoice?

    @Flag(help: "Leave out what may change data: all but GET, HEAD and OPTIONS.")
    var readOnly = false

    @Option(help: "How to print the results.")
    var format = Format.table

    @Option(help: ArgumentHelp("How long an answer may take at most.", valueName: "duration"))
    var timeout = "30s"

    func run() throws {
        guard let limit = Duration(configurationText: timeout), limit > .zero else {
            throw ValidationError("--timeout takes a duration such as 30s; got '\(timeout)'")
        }
        if url != nil, data != nil { throw ValidationError("--data is about a server that --url does not start.") }
        let configuration = try options.load()
        let steps = configuration.settings.smoke
        guard !steps.isEmpty else {
            Console.error("there is nothing to ask: the configuration has no 'smoke', such as smoke: [{get: /}]")
            throw ArgumentParser.ExitCode.configuration
        }
        let report: SmokeReport
        if let url {
            let (address, path) = try ClientAddress.parse(url)
            guard path.isEmpty || path == "/" else {
                throw ValidationError("--url ends with the port, not with a path.")
            }
            report = run(steps, of: configuration, at: session(address, configuration, limit))
        } else {
            report = try runOnOwnServer(steps, of: configuration, limit)
        }
        switch format {
        case .table: Console.print(report.table(TerminalStyle(for: STDOUT_FILENO)))
        case .tap: Console.print(report.tap)
        case .junit: Console.print(report.junit)
        }
        if report.failures > 0 { throw ArgumentParser.ExitCode(1) }
    }

    private func runOnOwnServer(
        _ steps: [SmokeStep], of configuration: Configuration, _ limit: Duration
    ) throws -> SmokeReport {
        try requireOwnData(steps, configuration)
        let settings = configuration.settings
        let drain = settings.timeouts.drain + .seconds(5)
        let signals = try SignalSource([.terminate, .interrupt])
        let server: SmokeServer
        do throws(SystemError) {
            server = try SmokeServer(
                configuration, options, keepsData: data == .configured,
                lifetime: settings.timeouts.start + limit * steps.count + .seconds(60))
        } catch {
            Console.error("\(error)")
            throw ArgumentParser.ExitCode(1)
        }
        // Nothing is left behind when somebody interrupts; whoever is first ends the server.
        let ending = DispatchSemaphore(value: 1)
        try signals.deliver { signal in
            ending.wait()
            server.stop(within: drain)
            _exit(128 + signal.rawValue)
        }
        let address: ClientAddress
        do {
            address = try server.waitUntilReady(within: settings.timeouts.start + .seconds(5))
        } catch let failure as SmokeServer.StartFailure {
            Console.error(failure.message)
            throw ArgumentParser.ExitCode(failure.exitStatus)
        }
        let report = run(steps, of: configuration, at: session(address, configuration, limit))
        ending.wait()
        let status = server.stop(within: drain)
        if report.failures > 0 || status?.isSuccess != true {
            let lines = server.log.split(separator: "\n").filter { !$0.hasPrefix("listening on ") }
            for line in lines.suffix(20) { Console.error("server: \(line)") }
        }
        if status?.isSuccess != true {
            Console.error("the server did not stop in order: \(status.map { "\($0)" } ?? "it had to be killed")")
            throw ArgumentParser.ExitCode(1)
        }
        return report
    }

    /// Someone who names, in `Host`, the address that is asked, or one of the allowed hosts where that is none.
    private func session(_ address: ClientAddress, _ configuration: Configuration, _ limit: Duration) -> SmokeSession {
        let allowed = configuration.settings.allowedHosts
        let isAllowed = allowed.contains { name in
            name == "*" || name == address.host || name.hasPrefix(".") && ".\(address.host)".hasSuffix(name)
        }
        let first = allowed.first.map { $0.hasPrefix(".") ? String($0.dropFirst()) : $0 }
        return SmokeSession(address, authority: isAllowed ? nil : first, timeout: limit)
    }

    /// Programs work on data of their own, and a Python application keeps its data where it likes: the ones are not started,
    /// and what changes the others is not sent, without being told.
    private func requireOwnData(_ steps: [SmokeStep], _ configuration: Configuration) throws {
        guard data == nil else { return }
        if let program = configuration.settings.programs.first {
            let place = configuration.origin(of: ConfigPath([.key("programs"), .key(program.name)])).place
            throw ValidationError(
                "\(place): the program '\(program.name)' would be started, and what it works on is not known here: "
                    + "--data configured starts it, and --url asks a server that runs.")
        }
        guard !readOnly, let step = steps.first(where: { !$0.isSafe }) else { return }
        let isPython = { (site: Config.SiteSettings) in if case .python = site.source { true } else { false } }
        guard let site = configuration.settings.sites.first(where: isPython) else { return }
        let place = configuration.origin(of: step.place).place
        throw ValidationError(
            """
            \(place): \(step.method) may change data, and where the Python site '\(site.name)' keeps them is not known here.
            --read-only leaves such steps out; --data temporary sends them to an application that keeps its data in \
            $APP_DATA while $APP_SMOKE is set; --data configured sends them in any case.
            """)
    }

    private func run(
        _ steps: [SmokeStep], of configuration: Configuration, at session: SmokeSession
    ) -> SmokeReport {
        var session = session
        var report = SmokeReport()
        for step in steps {
            let title = step.name ?? "\(step.method) \(step.target)"
            let place = configuration.origin(of: step.place).place
            if readOnly, !step.isSafe {
                report.entries.append(
                    .init(title: title, place: place, outcome: .skipped("--read-only"), status: nil, elapsed: .zero))
                continue
            }
            let begin = MonotonicTime.now()
            do throws(SmokeSession.Failure) {
                let response = try session.perform(step)
                let elapsed = MonotonicTime.now() - begin
                let problems = SmokeCheck(step).problems(of: response, after: elapsed)
                report.entries.append(
                    .init(
                        title: title, place: place, outcome: problems.isEmpty ? .passed : .failed(problems),
                        status: response.status, elapsed: elapsed,
                        excerpt: problems.isEmpty || response.body.isEmpty
                            ? nil : SmokeCheck.excerpt(response.text, limit: 300)))
            } catch {
                report.entries.append(
                    .init(
                        title: title, place: place, outcome: .failed(["\(error)"]), status: nil,
                        elapsed: MonotonicTime.now() - begin))
            }
        }
        return report
    }
}
