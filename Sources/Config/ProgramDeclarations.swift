/// The options of one program.
enum ProgramDeclarations {
    private static let span = ValueType.duration(1...86_400_000)

    static let program = OptionGroup(
        options: [
            Option(
                "command", .either([.text, .list(.text)]),
                "The program and its arguments: a list, or text that is split at spaces (`'…'`, `\"…\"` and `\\` as in a "
                    + "shell). No shell runs it; name one if it takes one: `[sh, -c, '…']`.",
                example: "redis-server --port 6379"),
            Option(
                "directory", .path, "Its working directory; that of the server if not said.", example: "/var/lib/redis"),
            Option(
                "environment", .map(key: .variableName, .text), "Variables beside those of the server.",
                example: "{LANG: C.UTF-8}"),
            Option("user", .form(.account), "Who it is, by name or number; `user` if not said.", example: "redis"),
            Option("group", .form(.account), "Its group, by name or number.", example: "redis", with: ["user"]),
            Option(
                "needs", .list(.form(.programName)), default: "[]",
                "The programs that have to be ready before it starts.",
                example: "[redis]"),
            Option("ready", .group(ready), "What makes it ready; without it, it is ready once it runs."),
            Option(
                "restart", .choice(["always", "on-failure", "never"]), default: "always",
                "Whether it is started again when it ends, with growing pauses; a failure is another exit status than "
                    + "those of `success`, or a signal."),
            Option(
                "success", .list(.integer(0...255)), default: "[0]", "The exit statuses that are no failure.",
                example: "[0, 3]"),
            Option(
                "start-attempts", .integer(0...1_000_000), default: "5",
                "So many failures in a row, none of them after half a minute's good work, and it is given up; `0`: never."
            ),
            Option("start-timeout", span, default: "60s", "For it to become ready; then it is killed, a failure."),
            Option(
                "stop-signal", .choice(["TERM", "INT", "QUIT", "HUP", "USR1", "USR2", "KILL"]), default: "TERM",
                "What it is asked to stop with, it and all that it started."),
            Option("stop-timeout", span, default: "10s", "For it to stop; then it is killed."),
            Option(
                "essential", .boolean, default: "false",
                "Whether the server cannot do without: when it is given up, the server finishes what was begun and exits "
                    + "with status 70."),
        ], required: ["command"])

    static let ready = OptionGroup(
        options: [
            Option("after", span, "It has run for so long.", example: "1s"),
            Option(
                "http", .form(.probeURL), "This URL is answered with a status from 200 to 399.",
                example: "http://127.0.0.1:9200/_health"),
            Option(
                "tcp", .form(.probeAddress), "This address takes a connection.", example: "127.0.0.1:6379"),
            Option("file", .path, "This file is there, and was not before, or has changed.", example: "/run/redis.pid"),
            Option(
                "line", .text, "It has said this, in a line of its output.", example: "Ready to accept connections"),
            Option("exit", .flag, "It has ended, with success: a job such as a migration.", example: "true"),
        ], exactlyOne: ["after", "http", "tcp", "file", "line", "exit"])
}
