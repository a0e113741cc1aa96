import Platform
import TestSupport
import Testing

extension Python {
    /// What is wrong with a Python application before its first request: the message, the exit status, no storm.
    @Suite struct StartFailures {
        struct Case: Sendable, CustomTestStringConvertible {
            let name: String
            let files: [String: String]
            var arguments = ["broken:application"]
            let says: [String]
            var testDescription: String { name }
        }

        static let cases = [
            Case(name: "missing module", files: [:], says: ["broken"]),
            Case(
                name: "missing module of a package", files: ["broken/__init__.py": ""],
                arguments: ["broken.wsgi:application"], says: ["broken.wsgi"]),
            Case(
                name: "missing attribute", files: ["broken.py": "app = print\n"],
                says: ["application", "did you mean 'app'?"]),
            Case(
                name: "an import that raises",
                files: ["broken.py": "import json\n\n\ndef fail():\n    json.loads('{')\n\n\nfail()\n"],
                says: ["Traceback (most recent call last)", "broken.py", "line 5, in fail", "JSONDecodeError"]),
            Case(
                name: "an import of something that is missing",
                files: ["broken.py": "import nowhere_to_be_found\n"],
                says: ["Traceback", "line 1", "No module named 'nowhere_to_be_found'"]),
            Case(
                name: "a syntax error", files: ["broken.py": "def application(environ, start_response)\n"],
                says: ["broken.py", "line 1", "SyntaxError"]),
            Case(
                name: "an import that exits", files: ["broken.py": "import sys\nsys.exit('no configuration')\n"],
                says: ["no configuration"]),
            Case(name: "what cannot be called", files: ["broken.py": "application = 5\n"], says: ["int"]),
            Case(name: "what has no name", files: [:], arguments: ["broken:"], says: ["broken:"]),
        ]

        @Test(arguments: cases, ["process", "thread"]) func ofTheApplication(_ row: Case, mode: String) throws {
            let folder = try Folder()
            for (name, text) in row.files {
                if name.contains("/") { try folder.makeDirectory("broken") }
                try folder.write(text, to: name)
            }
            let result = try Command.run(
                [Command.app, "serve"] + row.arguments + ["--listen", "127.0.0.1:0", "--mode", mode], in: folder.path)
            #expect(result.status == .exited(78), "\(result.errors)")
            #expect(!result.output.contains("listening on"), "\(result.output)")
            let said = result.errors + result.output
            for part in row.says { #expect(said.contains(part), "\(said)") }
            // One worker was tried, and none was started again.
            #expect(said.split(separator: "\n").filter { $0.contains("starting worker") }.isEmpty, "\(said)")
        }

        @Test(arguments: [
            ("virtualenv: /nowhere/venv", "/nowhere/venv"),
            ("virtualenv: .", "virtual environment"),
            ("interpreter: /nowhere/python3", "/nowhere/python3"),
            ("interpreter: /bin/true", "/bin/true"),
            ("interpreter: application.py", "application.py"),
            ("directory: /nowhere/site", "/nowhere/site"),
        ]) func ofTheInterpreter(setting: String, says: String) throws {
            let folder = try Folder()
            try folder.write("def application(environ, start_response): pass\n", to: "application.py")
            try folder.write(
                """
                base:
                  listen: 127.0.0.1:0
                  sites: {one: {python: application:application, \(setting)}}
                  routes: [{path: /, site: one}]
                """, to: "app.yaml")
            let result = try Command.app("serve", in: folder)
            #expect(result.status == .exited(78), "\(result.errors)")
            #expect(result.errors.contains(says), "\(result.errors)")
        }

        /// An interpreter whose library is linked in, as many distributions build theirs.
        @Test func interpreterWithoutALibrary() throws {
            let folder = try Folder()
            try folder.write("def application(environ, start_response): pass\n", to: "application.py")
            // It answers as it would, but that its library is nowhere.
            try folder.write(
                """
                #!/bin/sh
                /usr/bin/python3 "$@" | sed 's#/[^ ]*libpython#/nowhere/libpython#'
                """, to: "python")
            _ = try Command.run(["chmod", "+x", folder["python"]])
            try folder.write(
                """
                base:
                  listen: 127.0.0.1:0
                  sites: {one: {python: application:application, interpreter: python}}
                  routes: [{path: /, site: one}]
                """, to: "app.yaml")
            let result = try Command.app("serve", in: folder)
            #expect(result.status == .exited(78), "\(result.errors)")
            #expect(result.errors.contains("shared library"), "\(result.errors)")
            #expect(result.errors.contains("/nowhere/libpython3."), "\(result.errors)")
        }

        @Test func checkReportsThem() throws {
            let folder = try Folder()
            try folder.write("raise ValueError('not today')\n", to: "broken.py")
            try folder.write(
                """
                base:
                  sites: {one: {python: broken:application}}
                  routes: [{path: /, site: one}]
                """, to: "app.yaml")
            let broken = try Command.app("check", in: folder)
            #expect(broken.status == .exited(1), "\(broken)")
            #expect((broken.errors + broken.output).contains("ValueError: not today"), "\(broken)")
            try folder.write("def application(environ, start_response): pass\n", to: "broken.py")
            let whole = try Command.app("check", in: folder)
            #expect(whole.status == .exited(0), "\(whole)")
        }

        @Test func versionNamesTheLibrary() throws {
            let result = try Command.app("version", in: try Folder())
            #expect(result.status == .exited(0))
            #expect(result.output.contains("libpython3."), "\(result.output)")
        }
    }
}
