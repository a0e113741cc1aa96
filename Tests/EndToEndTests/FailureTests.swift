import Glibc
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// What is wrong before the first request: the message, the exit status.
    @Suite struct StartFailures {
        private func serve(_ configuration: String, _ prepare: (Folder) throws -> Void = { _ in }) throws -> Command {
            let folder = try Folder()
            try folder.write(configuration, to: "app.yaml")
            try prepare(folder)
            return try Command.app("serve", "--config", "app.yaml", in: folder)
        }

        @Test func everyErrorOfTheConfigurationAtOnce() throws {
            let result = try serve(
                """
                base:
                  listen: 127.0.0.1:99999
                  workers: {mode: fork, cuont: 2}
                  sites: {polls: {swift: polls}}
                  routes:
                    - {path: /, site: pols}
                production:
                  secret-key: ${secret:end-to-end-absent}
                """)
            #expect(result.status == .exited(78))
            #expect(result.output == "")
            #expect(
                result.errors == """
                    app.yaml:2:11: listen: expected an address (host:port, [::1]:8000, :8000, unix:/path or fd:3), got '127.0.0.1:99999'
                    app.yaml:3:19: workers.mode: expected one of process, thread, got 'fork'
                    app.yaml:3:25: workers.cuont: unknown key, did you mean 'count'?
                    app.yaml:6:23: routes[0].site: no site is named 'pols', did you mean 'polls'? (there are: polls)
                    app.yaml:8:15: secret-key: secret 'end-to-end-absent' not found: looked in $END_TO_END_ABSENT, $END_TO_END_ABSENT_FILE, /run/secrets/end-to-end-absent

                    """)
        }

        @Test(arguments: [
            (
                "  sites: {polls: {swift: nope}}",
                "app.yaml:3:26: sites.polls.swift: there is no site 'nope' in this binary; it carries: polls"
            ),
            ("  routes: [{path: /, files: absent}]", "routes[0].files: '"),
            (
                "  sites: {polls: {swift: polls}}\n  secret-key: ${secret:absent}",
                "secret 'absent' not found: looked in $ABSENT"
            ),
            ("  sites: [", "app.yaml:"),
        ]) func wrongConfiguration(lines: String, message: String) throws {
            let result = try serve("base:\n  listen: 127.0.0.1:0\n\(lines)\n")
            #expect(result.status == .exited(78))
            #expect(result.errors.contains(message), "\(result.errors)")
        }

        @Test func configurationThatCannotBeRead() throws {
            let folder = try Folder()
            let absent = try Command.app("serve", "--config", "absent.yaml", in: folder)
            #expect(absent.status == .exited(78))
            #expect(absent.errors.contains("cannot read configuration file 'absent.yaml': no such file"))
            let directory = try Command.app("serve", "--config", ".", in: folder)
            #expect(directory.status == .exited(78))
            #expect(directory.errors.contains("is a directory"))
        }

        @Test(.enabled(if: Machine.isRoot, "only root may become another user"))
        func configurationOfAnotherUser() throws {
            let folder = try Folder()
            try folder.write("base: {}\n", to: "app.yaml")
            chmod(folder["app.yaml"], 0o600)
            let result = try Command.run(
                Users.nobody + [Command.app, "serve", "--config", folder["app.yaml"]])
            #expect(result.status == .exited(78))
            #expect(result.errors.lowercased().contains("permission denied"), "\(result.errors)")
        }

        @Test func portInUse() throws {
            let holder = try Endpoint.ipv4(0).listening()
            guard case .ipv4(_, let port) = try SocketAddress.local(of: holder.rawValue) else {
                throw Unfulfilled(what: "a port")
            }
            let folder = try Folder()
            let result = try Command.app("serve", "--listen", "127.0.0.1:\(port)", in: folder)
            #expect(result.status == .exited(69))
            #expect(result.errors.contains("cannot listen on 127.0.0.1:\(port): "), "\(result.errors)")
            #expect(result.errors.contains("already listens there; stop it or choose another address"))
        }

        @Test func wrongCommandLine() throws {
            let folder = try Folder()
            #expect(try Command.app("serve", "--no-such-option", in: folder).status == .exited(64))
            let target = try Command.app("serve", "nowhere", in: folder)
            #expect(target.status == .exited(64))
            #expect(target.errors.contains("'nowhere' is neither a directory nor a site of this binary (polls)"))
        }
    }

    /// Databases that cannot be used.
    @Suite struct DatabaseFailures {
        static let configuration = """
            base:
              listen: 127.0.0.1:0
              workers: {mode: thread, count: 1}
              sites: {polls: {swift: polls, gateway: wsgi, database: data/polls.sqlite3}}
            """

        private func folder() throws -> Folder {
            let folder = try Folder()
            try folder.write(Self.configuration, to: "app.yaml")
            return folder
        }

        @Test(arguments: ["process", "thread"], ["wsgi", "asgi"])
        func corrupt(mode: String, gateway: String) throws {
            let folder = try folder()
            try folder.makeDirectory("data")
            let bytes = [UInt8](repeating: 0x5A, count: 8192)
            try folder.write(bytes, to: "data/polls.sqlite3")
            let result = try Command.app(
                "serve", "--mode", mode, "--set", "sites.polls.gateway=\(gateway)", in: folder)
            #expect(result.status == .exited(78))
            #expect(result.errors.contains("is damaged or no SQLite database (file is not a database)"))
            #expect(try folder.bytes(of: "data/polls.sqlite3") == bytes, "it is left as it was")
        }

        @Test func missingDirectory() throws {
            let folder = try folder()
            try folder.write("", to: "data")
            let result = try Command.app("serve", in: folder)
            #expect(result.status == .exited(78))
            #expect(result.errors.contains("does not exist; create it, or name another file under 'database'"))
        }

        @Test(.enabled(if: Machine.isRoot, "only root may become another user"))
        func readOnly() throws {
            let folder = try folder()
            try folder.makeDirectory("data")
            #expect(try Command.app("migrate", in: folder).status == .exited(0))
            // A clean stop leaves no write-ahead log behind, and without one who may not write cannot read either.
            let result = try Command.run(Users.nobody + [Command.app, "serve"], in: folder.path)
            #expect(result.status == .exited(70))
            #expect(result.errors.contains("cannot be written; make the file and its directory writable"))
        }

        @Test func lockedByAnotherProgram() throws {
            let folder = try folder()
            try folder.makeDirectory("data")
            let server = try AppServer(in: folder)
            let visitor = try PollsVisitor(server)
            let lock = try DatabaseLock(folder["data/polls.sqlite3"], in: folder)
            let refused = try visitor.vote(1, choice: "1")
            #expect(refused.status == 503)
            #expect(try visitor.get("/").status == 200, "reading goes on")
            try lock.release()
            #expect([302, 303].contains(try visitor.vote(1, choice: "1").status))
            #expect(try visitor.get("/1/results/").text.contains("1 vote in all"))
            #expect(server.errors.contains("is locked by another connection"))
            try server.stop()
        }

        @Test(.enabled(if: Machine.allowsNamespaces, "a full disk of our own needs root"))
        func fullDisk() throws {
            let folder = try folder()
            try folder.makeDirectory("data")
            let server = try AppServer(in: folder, prefix: Users.withSmallDisk(folder["data"], "1m"))
            let visitor = try PollsVisitor(server)
            #expect([302, 303].contains(try visitor.vote(1, choice: "1").status))
            let inside = "/proc/\(server.pid)/root\(folder["data"])"
            // Fill what is left, then vote until SQLite needs another page.
            _ = try Command.run(["dd", "if=/dev/zero", "of=\(inside)/filler", "bs=4k"])
            var votes = 1
            var status = 0
            for _ in 0..<500 where status < 500 {
                status = try visitor.vote(1, choice: "1").status
                if status < 500 { votes += 1 }
            }
            #expect([500, 503, 507].contains(status), "\(status)")
            #expect(try server.get("/livez").status == 200)
            _ = try Command.run(["rm", "\(inside)/filler"])
            #expect([302, 303].contains(try visitor.vote(1, choice: "1").status), "\(server.errors)")
            votes += 1
            #expect(try visitor.get("/1/results/").text.contains("\(votes) votes in all"))
            let check = try Command.run(["python3", "-c", DatabaseLock.integrityCheck, "\(inside)/polls.sqlite3"])
            #expect(check.output == "ok\n", "\(check.errors)")
            try server.stop()
        }

        @Test(.enabled(if: Machine.allowsNamespaces, "a full disk of our own needs root"))
        func fullSpool() throws {
            let folder = try folder()
            for name in ["data", "spool"] { try folder.makeDirectory(name) }
            let server = try AppServer(
                in: folder, ["--set", "temp-directory=\(folder["spool"])"],
                prefix: Users.withSmallDisk(folder["spool"], "256k"))
            let connection = try server.connect()
            let form = "choice=" + String(repeating: "1", count: 2 << 20)
            var status = 0
            // The answer may come, and the connection go, before the body was sent as a whole.
            do { status = try connection.post("/1/vote/", form: form).status } catch WireError.noResponse {
                status = try connection.receive().status
            }
            #expect([500, 503, 507].contains(status))
            #expect(try server.get("/").status == 200)
            try server.stop()
        }
    }
}

/// Ways to run the program in a poorer place.
enum Users {
    static let nobody = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]

    /// With a file system of its own, of `size`, at `path`.
    static func withSmallDisk(_ path: String, _ size: String) -> [String] {
        [
            "unshare", "--mount", "--propagation", "private", "sh", "-c",
            "mount -t tmpfs -o size=\(size) none \(path) && exec \"$@\"", "sh",
        ]
    }
}

/// Another program that has the database for itself.
final class DatabaseLock {
    static let integrityCheck = """
        import sqlite3, sys
        print(sqlite3.connect(sys.argv[1]).execute("pragma integrity_check").fetchone()[0])
        """
    private let process: RunningProcess
    private let folder: Folder

    init(_ path: String, in folder: Folder) throws {
        self.folder = folder
        let program = """
            import os, sqlite3, sys, time
            connection = sqlite3.connect(sys.argv[1], isolation_level=None)
            connection.execute("begin exclusive")
            print("locked", flush=True)
            while not os.path.exists(sys.argv[2]): time.sleep(0.01)
            connection.execute("rollback")
            """
        let process = try RunningProcess(
            ["python3", "-c", program, path, folder["release"]], in: folder.path, environment: [:])
        self.process = process
        try eventually("the lock; \(process.errors)") { process.output.contains("locked") }
    }

    func release() throws {
        try folder.write("", to: "release")
        _ = try process.waitForEnd()
    }
}
