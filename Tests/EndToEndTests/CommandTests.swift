import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// The commands beside `serve`.
    @Suite struct Commands {
        private func folder() throws -> Folder {
            let folder = try Folder()
            try folder.write(
                """
                base:
                  listen: 127.0.0.1:0
                  workers: {count: 1}
                  secret-key: ${secret:the_key}
                  sites: {polls: {swift: polls, database: polls.sqlite3}}
                  routes:
                    - {path: =/ping, respond: pong}
                    - {path: /, site: polls}
                """, to: "app.yaml")
            return folder
        }
        private let secret = ["THE_KEY": "never-to-be-printed-0123456789-0123456789-0123456789"]

        @Test func check() throws {
            let folder = try folder()
            let result = try Command.app("check", in: folder, environment: secret)
            #expect(result.status == .exited(0), "\(result.errors)")
            #expect(result.output.hasPrefix("no errors"))
            #expect(try Command.app("check", in: folder).status == .exited(78), "the secret is absent")
            let deployment = try Command.app(
                "check", "--deploy", "--set", "debug=true", in: folder, environment: secret)
            #expect(deployment.status == .exited(1))
            #expect(deployment.errors.contains("deploy.E001"))
        }

        @Test func configurationAndItsOrigins() throws {
            let folder = try folder()
            let variables = secret.merging(["APP_WORKERS__THREADS": "7"]) { $1 }
            let origin = try Command.app(
                "config", "--origin", "--set", "limits.headers=50", in: folder, environment: variables)
            #expect(origin.status == .exited(0), "\(origin.errors)")
            for line in ["count: 1", "threads: 7", "headers: 50", "min-size: 1KiB"] {
                #expect(origin.output.contains(line), "\(line)")
            }
            for place in ["base app.yaml:3", "APP_WORKERS__THREADS", "--set", "default"] {
                #expect(origin.output.contains(place), "\(place)")
            }
            let json = try Command.app("config", "--format", "json", in: folder, environment: variables)
            let yaml = try Command.app("config", in: folder, environment: variables)
            for result in [origin, json, yaml] {
                #expect(result.status == .exited(0))
                #expect(result.output.contains("secret-key"))
                #expect(
                    !result.output.contains("never-to-be-printed") && !result.errors.contains("never-to-be-printed"))
            }
            // What it prints is JSON.
            try folder.write(json.output, to: "config.json")
            #expect(try Command.run(["python3", "-m", "json.tool", folder["config.json"]]).status == .exited(0))
        }

        @Test func reference() throws {
            let result = try Command.app("config", "--reference", in: try Folder())
            #expect(result.status == .exited(0))
            for option in ["listen", "workers", "secret-key", "keep-alive", "files-cache"] {
                #expect(result.output.contains(option), "\(option)")
            }
        }

        @Test func routes() throws {
            let result = try Command.app("routes", in: try folder(), environment: secret)
            #expect(result.status == .exited(0))
            for text in ["=/ping", "respond 200", "site polls", "/<int:id>/vote/", "results"] {
                #expect(result.output.contains(text), "\(text)")
            }
        }

        @Test func migrations() throws {
            let folder = try folder()
            let plan = try Command.app("migrate", "--plan", in: folder, environment: secret)
            #expect(plan.output.contains("polls: [ ] 0001_initial"))
            let first = try Command.app("migrate", in: folder, environment: secret)
            #expect(first.status == .exited(0), "\(first.errors)")
            #expect(first.output.contains("polls: applied 0001_initial"))
            #expect(try Command.app("migrate", in: folder, environment: secret).output == "polls: nothing to apply\n")
            let after = try Command.app("migrate", "--plan", in: folder, environment: secret)
            #expect(after.output.contains("polls: [x] 0001_initial"))
            #expect(try Command.app("migrate", "nope", in: folder, environment: secret).status == .exited(64))
        }

        @Test func health() throws {
            let folder = try folder()
            let server = try AppServer(in: folder, environment: secret)
            let url = server.endpoint.url
            #expect(try Command.app("health", url, in: folder).status == .exited(0))
            #expect(try Command.app("health", "--ready", url, in: folder).status == .exited(0))
            let missing = try Command.app("health", "\(url)/nothing-here", in: folder)
            #expect(missing.status == .exited(1))
            #expect(missing.errors.contains("status 404"))
            try server.stop()
            let refused = try Command.app("health", url, in: folder)
            #expect(refused.status == .exited(1))
            #expect(refused.errors.contains("refused"), "\(refused.errors)")
        }

        @Test func versionAndHelp() throws {
            let folder = try Folder()
            let version = try Command.app("version", in: folder)
            #expect(version.status == .exited(0))
            #expect(version.output.hasPrefix("portico ") && version.output.contains("sites: polls"))
            #expect(try Command.app("--version", in: folder).output.hasPrefix("portico "))
            for command in ["", "serve", "check", "config", "routes", "migrate", "health"] {
                let help = try Command.run(
                    [Command.app] + (command.isEmpty ? [] : [command]) + ["--help"], in: folder.path)
                #expect(help.status == .exited(0))
                #expect(help.output.contains("USAGE: app"), "\(command)")
                #expect(!help.output.contains("SUBCOMMANDS") || !help.output.contains("  worker "), "worker is hidden")
            }
            #expect(try folder.listing().isEmpty)
        }

        /// What the README shows as configuration is one.
        @Test func theREADMEsConfigurationIsRight() throws {
            let folder = try Folder()
            let readme = try Command.run(["cat", "\(Command.package)/README.md"]).output
            let examples = readme.split(separator: "```yaml\n").dropFirst().map { part in
                part.split(separator: "\n```", maxSplits: 1)[0]
            }
            for example in examples where example.contains("base:") {
                try folder.write(String(example) + "\n", to: "app.yaml")
                let result = try Command.app(
                    "config", in: folder,
                    environment: ["SECRET_KEY": "a-key-of-the-tests-0123456789-0123456789-0123456789"])
                #expect(result.status == .exited(0), "\(result.errors)")
            }
        }

        @Test func withoutConfigurationItServesPolls() throws {
            let folder = try Folder()
            try folder.makeDirectory("data")
            let server = try AppServer(
                in: folder, ["--listen", "127.0.0.1:0"], environment: ["APP_DATA": folder["data"]])
            #expect(try server.get("/").text.contains("Latest polls"))
            try server.stop()
            #expect(folder.has("data/polls.sqlite3"))
        }
    }
}
