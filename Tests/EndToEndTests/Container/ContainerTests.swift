import Glibc
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// The Dockerfile's image: each RUN line executed as it is written, the program started as an engine starts it.
    @Suite(
        .enabled(
            if: Image.isPossible,
            "needs root, mount namespaces, and the Debian that Tests/run makes with debootstrap"))
    struct Containers {
        private let key = "a-key-of-the-tests-that-is-long-enough-0123456789-abcdef"
        private let deployed = "\(Command.package)/Sites/Polls/deploy/app.yaml"

        /// Read-only root, one volume, no shell, user 65532, process 1.
        @Test func theImage() throws {
            let image = Image(target: "app")
            let folder = try Folder()
            let data = try dataDirectory(in: folder)
            let server = try AppServer(
                in: folder,
                prefix: try image.prefix(
                    env: ["SECRET_KEY": key],
                    mounts: [
                        "\(data):/data", "\(deployed):/etc/app/app.yaml:ro", "/dev/null:/usr/bin/dash:ro",
                        "/dev/null:/usr/bin/bash:ro",
                    ]), isForked: true)
            #expect(server.log.contains("listening on http://0.0.0.0:8000\n"))
            let status = String(decoding: try Descriptor.contents(ofFile: "/proc/\(server.pid)/status"), as: UTF8.self)
            for line in [
                "Uid:\t65532\t65532\t65532\t65532", "Gid:\t65532\t65532\t65532\t65532", "Groups:\t \n",
                "NoNewPrivs:\t1",
                "CapEff:\t0000000000000000", "NSpid:\t\(server.pid)\t1",
            ] {
                #expect(status.contains(line), "\(line) is not in\n\(status)")
            }
            #expect(try image.execute(beside: server).status == .exited(0), "the health check")
            let smoke = try image.execute(
                ["/usr/local/bin/app", "smoke", "--url", "http://127.0.0.1:8000"], beside: server)
            #expect(smoke.status == .exited(0), "\(smoke.output)\(smoke.errors)")
            #expect(folder.has("data/polls.sqlite3"))
            for place in ["/etc/x", "/x", "/usr/local/bin/x", "/var/tmp/x"] {
                let touch = try image.execute(["/usr/bin/touch", place], beside: server)
                #expect(touch.errors.contains("Read-only file system"), "\(place): \(touch.errors)")
            }
            let size = try image.execute(["/usr/bin/df", "--output=size", "/tmp"], beside: server).output
            #expect(size.split(separator: "\n").last?.split(separator: " ").last == "65536")
            // One that is not well is told from one that is.
            #expect(
                try image.execute(["/usr/local/bin/app", "health", "http://127.0.0.1:1/"], beside: server).status
                    == .exited(1))
            try server.stop()
        }

        @Test func theImageForPython() throws {
            let image = Image(target: "python")
            let folder = try Folder()
            #expect(try Command.app("new", "--python", "hello", in: folder).status == .exited(0))
            let data = try dataDirectory(in: folder)
            let server = try AppServer(
                in: folder,
                prefix: try image.prefix(
                    env: ["APP_CONFIG": "/srv/hello/app.yaml"],
                    mounts: [
                        "\(data):/data", "\(folder["hello"]):/srv/hello:ro", "/dev/null:/usr/bin/dash:ro",
                        "/dev/null:/usr/bin/bash:ro",
                    ]), isForked: true)
            let smoke = try image.execute(
                ["/usr/local/bin/app", "smoke", "--config", "/srv/hello/app.yaml", "--url", "http://127.0.0.1:8000"],
                beside: server)
            #expect(smoke.status == .exited(0), "\(smoke.output)\(smoke.errors)")
            #expect(smoke.output.contains("3 steps, none failed"))
            try server.stop()
        }

        /// What a wrong deployment gets: a message that names it, and nothing lost.
        @Test func wrongDeployments() throws {
            let image = Image(target: "app")
            let folder = try Folder()
            let data = try dataDirectory(in: folder)
            try folder.makeDirectory("empty")
            try folder.write("\n", to: "blank")
            try folder.write("\(key)\r\n", to: "secret")
            let configuration = "\(deployed):/etc/app/app.yaml:ro"
            func run(_ mounts: [String], _ env: [String: String] = [:], _ arguments: String...) throws -> Command {
                try Command.run(try image.prefix(env: env, mounts: mounts) + [Command.app] + arguments, in: folder.path)
            }
            let missingKey = try run(
                ["\(data):/data", "\(folder["empty"]):/etc/app:ro"], ["SECRET_KEY": key], "serve", "--config",
                "/etc/app/app.yaml")
            #expect(missingKey.status == .exited(78))
            #expect(missingKey.errors.contains("/etc/app/app.yaml"), "\(missingKey.errors)")

            let noSecret = try run(["\(data):/data", configuration], [:], "serve")
            #expect(noSecret.status == .exited(78))
            #expect(noSecret.errors.contains("secret 'secret_key'"), "\(noSecret.errors)")

            let blank = try run(
                ["\(data):/data", configuration, "\(folder["blank"]):/run/secrets/secret_key:ro"], [:], "serve")
            #expect(blank.status == .exited(78))
            #expect(blank.errors.contains("is empty"), "\(blank.errors)")

            // A line break at the end is the editor's, not the secret's.
            let fine = try run(
                ["\(data):/data", configuration, "\(folder["secret"]):/run/secrets/secret_key:ro"], [:], "smoke",
                "--set",
                "smoke=[{get: /}]")
            #expect(fine.status == .exited(0), "\(fine.output)\(fine.errors)")

            let readOnly = try run(["\(data):/data:ro", configuration], ["SECRET_KEY": key], "serve")
            #expect(readOnly.status == .exited(70), "\(readOnly.status)")
            #expect(readOnly.errors.contains("/data/polls.sqlite3"), "\(readOnly.errors)")

            try folder.makeDirectory("foreign")
            let foreign = try run(["\(folder["foreign"]):/data", configuration], ["SECRET_KEY": key], "serve")
            #expect(foreign.status == .exited(70))
            #expect(foreign.errors.contains("/data/polls.sqlite3"), "\(foreign.errors)")
        }
    }
}
