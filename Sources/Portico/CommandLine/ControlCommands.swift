import ArgumentParser
import Config
import Glibc
import Platform
import Web

extension CommandConfiguration {
    /// A command to a running server. `explanation` is what its help says after how the server is found.
    static func toServer(_ name: String, _ abstract: String, arguments: String = "", _ explanation: String) -> Self {
        Self(
            commandName: name, abstract: abstract, usage: "app \(name) \(arguments)[<options>]",
            discussion: "\(AdminTarget.discussion)\n\(explanation)")
    }
}

/// `app reload`
struct ReloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration.toServer(
        "reload", "Bring in the configuration and code as they are now, without losing a request.",
        arguments: "[--wait] ",
        """
        Exit status: 0 begun, or with --wait done; 1 refused or, with --wait, failed: the old workers serve on, and
        the reason is printed; 64 several servers run, 69 none answers.
        """)

    @OptionGroup var target: AdminTarget

    @Flag(help: "Return when the new workers serve, or have failed to.")
    var wait = false

    func run() throws {
        // Each worker may take `timeouts.start`; the server says when it gives up.
        let answer = try target.client().demand(
            "POST", wait ? "/reload?wait=1" : "/reload", within: .seconds(24 * 3600))
        Console.print(wait ? "reloaded" : answer.text)
    }
}

/// `app stop`
struct StopCommand: ParsableCommand {
    static let configuration = CommandConfiguration.toServer(
        "stop", "Finish what was begun, then end the server.",
        """
        Returns when the server has ended, at the latest after what timeouts.drain allows.
        Exit status: 0 ended, 1 refused, 64 several servers run, 69 none answers.
        """)

    @OptionGroup var target: AdminTarget

    @Flag(help: "Do not wait for the end.")
    var noWait = false

    func run() throws {
        let client = try target.client()
        let status = try JSONValue(parsing: client.demand("GET", "/status").body)
        _ = try client.demand("POST", "/stop")
        guard !noWait, let pid = status["pid"]?.int.flatMap({ Int32(exactly: $0) }) else {
            return Console.print("stopping")
        }
        // Other users' processes can be seen, not signalled: EPERM means that it is there.
        while kill(pid, 0) == 0 || errno == EPERM { usleep(50_000) }
        Console.print("stopped")
    }
}

/// `app scale`
struct ScaleCommand: ParsableCommand {
    static let configuration = CommandConfiguration.toServer(
        "scale", "Change how many workers serve, until the next start.", arguments: "<workers> ",
        "Exit status: 0 done, 1 refused, 64 wrong number or several servers run, 69 none answers.")

    @Argument(help: ArgumentHelp("How many.", valueName: "workers"))
    var workers: Int

    @OptionGroup var target: AdminTarget

    func validate() throws {
        guard (1...1024).contains(workers) else { throw ValidationError("A server has from 1 to 1024 workers.") }
    }

    func run() throws {
        _ = try target.client().demand("POST", "/scale?workers=\(workers)", within: .seconds(24 * 3600))
        Console.print("\(workers) worker\(workers == 1 ? "" : "s")")
    }
}

/// `app status`
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration.toServer(
        "status", "Show what a running server is doing.", arguments: "[--json] ",
        """
        It answers also while every worker is stuck: what workers say stands in memory that the supervisor reads.
        Exit status: 0 it takes requests, 1 it does not, 64 several servers run, 69 none answers.
        """)

    @OptionGroup var target: AdminTarget

    @Flag(help: "Print the whole document (/status) as JSON.")
    var json = false

    func run() throws {
        let answer = try target.client().demand("GET", "/status")
        let status = try JSONValue(parsing: answer.body)
        Console.print(json ? answer.text : StatusText.render(ServerReport(status)))
        if status["ready"] != .bool(true) { throw ArgumentParser.ExitCode(1) }
    }
}
