import Glibc
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// What the program says about itself: help, manual pages, completions.
    @Suite struct Help {
        private static let commands = [
            "serve", "check", "config", "routes", "migrate", "health", "smoke", "new", "manual", "version",
        ]

        /// On a terminal of 80 columns and 40 lines, with an example.
        @Test(arguments: commands) func fitsAScreen(command: String) throws {
            let help = try Command.app(command, "--help", in: try Folder(), environment: ["COLUMNS": "80"])
            let lines = help.output.split(separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.count <= 42, "\(lines.count) lines")
            for line in lines { #expect(line.count <= 80, "\(line)") }
            #expect(help.output.contains("\n  app \(command)"), "an example:\n\(help.output)")
            #expect(!help.output.contains("\u{1B}"))
        }

        @Test(
            .enabled(if: Machine.has("groff"), "needs groff"),
            arguments: ["app", "app.yaml"])
        func manualPages(page: String) throws {
            let folder = try Folder()
            let made = try Command.app("manual", page, in: folder)
            #expect(made.status == .exited(0), "\(made.errors)")
            try folder.write(made.output, to: "page")
            // Every warning of troff's counts: what it does not understand, it leaves out.
            let rendered = try Command.run(
                ["groff", "-man", "-Tutf8", "-ww", "-Kutf8", "-rLL=100n", folder["page"]], environment: ["TERM": "dumb"]
            )
            #expect(rendered.status == .exited(0))
            #expect(rendered.errors == "")
            let text = try Command.run(
                ["sh", "-c", "groff -man -Tascii -P-cbou -Kutf8 -rLL=100n \"$0\"", folder["page"]]).output
            let expected =
                page == "app"
                ? [
                    "app serve --env development", "--ready-file <file>", "app smoke --format junit > smoke.xml",
                    "app.yaml(5)", "NO_COLOR",
                ]
                : ["limits.header-size", "routes[].path", "smoke[].contains", "default 16KiB", "${secret:name}"]
            // What is not for people is not in it.
            expect(text, shows: expected, hides: ["app worker"])
        }

        /// The scripts are taken by their shells; bash is asked for what it would complete.
        @Test(arguments: ["bash", "zsh", "fish"]) func completions(shell: String) throws {
            let folder = try Folder()
            let script = try Command.app("--generate-completion-script", shell, in: folder)
            #expect(script.status == .exited(0), "\(script.errors)")
            for word in ["smoke", "ready-file", "migrate"] { #expect(script.output.contains(word), "\(word)") }
            guard Machine.has(shell) else { return }
            try folder.write(script.output, to: "completion")
            let parsed = try Command.run([shell, "-n", folder["completion"]])
            #expect(parsed.status == .exited(0), "\(parsed.errors)")
            guard shell == "bash" else { return }
            let completed = try Command.run(
                [
                    "bash", "-c",
                    """
                    source "$0"
                    function try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _app "$1" "${@: -1}" "${@: -2:1}"; echo "${COMPREPLY[@]}"; }
                    try app sm; try app smoke --fo; try app smoke --format ""; try app serve --re
                    """, folder["completion"],
                ])
            #expect(completed.output == "smoke\n--format\ntable tap junit\n--ready-file\n", "\(completed.errors)")
        }
    }
}
