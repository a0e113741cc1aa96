import Glibc
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// A server that is started as root and serves as somebody else.
    @Suite(.enabled(if: Machine.isRoot, "only root may become another user")) struct Privileges {
        /// A number that belongs to nobody, so that nobody else's files are his.
        private static let someone: UInt32 = 61_234
        private static let group: UInt32 = 61_235

        private func folder(_ lines: String, ownData: Bool = true) throws -> Folder {
            let folder = try Folder()
            try folder.write(
                """
                base:
                  listen: 127.0.0.1:0
                  workers: {count: 1}
                  user: \(Self.someone)
                  group: \(Self.group)
                \(lines)
                """, to: "app.yaml")
            mkdir(folder["data"], 0o755)
            if ownData { chown(folder["data"], Self.someone, Self.group) }
            return folder
        }

        /// The value of a line of `/proc/PID/status`.
        private func status(_ pid: Int32, _ key: String) throws -> String {
            let text = String(decoding: try Descriptor.contents(ofFile: "/proc/\(pid)/status"), as: UTF8.self)
            return try #require(text.split(separator: "\n").first { $0.hasPrefix("\(key):\t") })
                .dropFirst(key.count + 2).description
        }

        private func owner(_ path: String) throws -> (user: UInt32, group: UInt32, mode: UInt32) {
            var found = stat()
            try #require(lstat(path, &found) == 0, "\(path)")
            return (found.st_uid, found.st_gid, UInt32(found.st_mode & 0o7777))
        }

        /// Every thread: some of what one may is its own.
        private func expectSomeone(_ pid: Int32) throws {
            let threads = try Command.run(["ls", "/proc/\(pid)/task"]).output.split(separator: "\n")
            #expect(!threads.isEmpty)
            for thread in threads { try expectSomeone(thread: try #require(Int32(thread))) }
        }

        private func expectSomeone(thread pid: Int32) throws {
            // Some of them end when the start is over.
            guard (try? status(pid, "Uid")) != nil else { return }
            #expect(try status(pid, "Uid") == "61234\t61234\t61234\t61234")
            #expect(try status(pid, "Gid") == "61235\t61235\t61235\t61235")
            #expect(try status(pid, "Groups").split(separator: " ") == ["61235"])
            #expect(try status(pid, "CapEff") == "0000000000000000")
            #expect(try status(pid, "CapPrm") == "0000000000000000")
            #expect(try status(pid, "NoNewPrivs") == "1")
        }

        private let polls = "  sites: {polls: {swift: polls, database: data/polls.sqlite3}}"

        @Test(arguments: ["process", "thread"])
        func serveAsSomebodyElse(mode: String) throws {
            let folder = try folder(polls + "\n  umask: '077'\n  log: {access: data/access.log}")
            // What root alone may read is read before.
            chmod(folder["app.yaml"], 0o600)
            let server = try AppServer(in: folder, ["--mode", mode], environment: ["HOME": "/root"])
            let pid = mode == "process" ? try #require(server.workers.first) : server.pid
            try expectSomeone(pid)
            if mode == "process" { #expect(try status(server.pid, "Uid").hasPrefix("0\t0")) }
            #expect(try server.get("/").status == 200)
            let database = try owner(folder["data/polls.sqlite3"])
            #expect(database.user == Self.someone && database.group == Self.group && database.mode == 0o600)
            try eventually("the access log") { folder.has("data/access.log") }
            #expect(try owner(folder["data/access.log"]).user == Self.someone)
            #expect(!server.errors.contains("run as root"), "\(server.errors)")
            try server.stop()
        }

        @Test(arguments: ["process", "thread"])
        func aSecretThatRootAloneMayRead(mode: String) throws {
            let folder = try folder(polls + "\n  secret-key: ${secret:key}")
            try folder.write("a secret of at least fifty characters, or so they say\n", to: "key")
            chmod(folder["key"], 0o600)
            let server = try AppServer(in: folder, ["--mode", mode], environment: ["KEY_FILE": folder["key"]])
            #expect(try server.get("/").status == 200)
            try server.stop()
        }

        @Test(arguments: ["process", "thread"])
        func pythonRunsAsSomebodyElse(mode: String) throws {
            let folder = try folder("  sites: {own: {python: 'own:app'}}")
            try folder.write(
                """
                import os
                try:
                    os.setuid(0)
                    regained = "regained"
                except PermissionError:
                    regained = "refused"
                text = f"{os.getuid()} {os.getgid()} {os.getgroups()} {regained} {os.environ.get('HOME')} {os.environ.get('USER')}"

                def app(environ, start_response):
                    start_response("200 OK", [])
                    return [text.encode()]
                """, to: "own.py")
            let server = try AppServer(in: folder, ["--mode", mode], environment: ["HOME": "/root", "USER": "root"])
            #expect(try server.get("/").text == "61234 61235 [61235] refused / None")
            try server.stop()
        }

        @Test func aWorkerThatIsStartedAgainIsNotRoot() throws {
            let folder = try folder("  routes: [{path: /, respond: pong}]")
            let server = try AppServer(in: folder)
            let first = try #require(server.workers.first)
            kill(first, SIGKILL)
            try eventually("a new worker") { server.workers.first.map { $0 != first } ?? false }
            let next = try #require(server.workers.first)
            try expectSomeone(next)
            #expect(try server.get("/").text == "pong")
            try server.stop()
        }

        /// Only root may bind it; who serves there need not be root.
        @Test(arguments: ["process", "thread"])
        func aPortBelow1024(mode: String) throws {
            let folder = try folder("  routes: [{path: /, respond: pong}]")
            let port = try #require((601...1023).first { (try? Endpoint.ipv4(UInt16($0)).listening()) != nil })
            let server = try AppServer(in: folder, ["--mode", mode, "--listen", "127.0.0.1:\(port)"])
            #expect(try server.get("/").text == "pong")
            try server.stop()
        }

        @Test func unixSocketsBelongToWhoServes() throws {
            let folder = try folder("  routes: [{path: /, respond: pong}]")
            let server = try AppServer(in: folder, ["--listen", "unix:app.sock"])
            let file = try owner(folder["app.sock"])
            #expect(file.user == Self.someone && file.group == Self.group && file.mode == 0o666)
            try server.stop()
            #expect(!folder.has("app.sock"))
        }

        @Test func unixSocketsKeepOthersOut() throws {
            let folder = try folder(
                "  routes: [{path: /, respond: pong}]\n  socket: {mode: '0660', user: root, group: 61236}")
            let server = try AppServer(in: folder, ["--listen", "unix:app.sock"])
            let file = try owner(folder["app.sock"])
            #expect(file.user == 0 && file.group == 61_236 && file.mode == 0o660)
            let script = "import socket,sys\nsocket.socket(socket.AF_UNIX).connect(sys.argv[1])"
            func connects(_ group: String) throws -> Bool {
                try Command.run(
                    [
                        "setpriv", "--reuid", "65534", "--regid", group, "--clear-groups", "python3", "-c", script,
                        folder["app.sock"],
                    ]
                ).status == .exited(0)
            }
            #expect(try connects("61236"))
            #expect(try !connects("65534"))
            try server.stop()
        }

        @Test func namesThatNobodyKnows() throws {
            let folder = try Folder()
            try folder.write(
                """
                base:
                  listen: 127.0.0.1:0
                  user: no-such-user
                  socket: {group: no-such-group}
                  routes: [{path: /, respond: pong}]
                """, to: "app.yaml")
            for command in ["serve", "check"] {
                let result = try Command.app(command, in: folder)
                #expect(result.status == .exited(78))
                #expect(
                    result.errors.contains("app.yaml:3:9: user: there is no user 'no-such-user' on this machine"),
                    "\(result.errors)")
                #expect(result.errors.contains("app.yaml:4:19: socket.group: there is no group"), "\(result.errors)")
            }
        }

        @Test func whoIsNotRootBecomesNobodyElse() throws {
            let folder = try folder("  routes: [{path: /, respond: pong}]")
            let result = try Command.run(Users.nobody + [Command.app, "serve", "--config", folder["app.yaml"]])
            #expect(result.status == .exited(78))
            #expect(
                result.errors.contains("app.yaml:4:9: user: cannot become user 61234: Operation not permitted"),
                "\(result.errors)")
        }

        @Test func whoIsThatAlreadyNeedsNoRoot() throws {
            let folder = try folder("  routes: [{path: /, respond: pong}]")
            let someone = ["setpriv", "--reuid", "61234", "--regid", "61235", "--clear-groups"]
            let server = try AppServer(in: folder, prefix: someone)
            #expect(try server.get("/").text == "pong")
            try server.stop()
        }

        @Test(arguments: ["process", "thread"])
        func filesThatCannotBeWritten(mode: String) throws {
            let folder = try folder(
                polls + "\n  log: {access: data/access.log}\n  temp-directory: data", ownData: false)
            let result = try Command.app("serve", "--mode", mode, "--ready-file", folder["ready"], in: folder)
            #expect(result.status == .exited(78))
            let lines = result.errors.split(separator: "\n")
            #expect(lines.count == (mode == "thread" ? 4 : 3), "\(result.errors)")
            let reason = "user 61234 cannot write to the directory \(folder["data"]): Permission denied"
            #expect(
                lines.contains { $0.hasPrefix("app.yaml:6:43: sites.polls.database: \(reason)") }, "\(result.errors)")
            #expect(lines.contains { $0.hasPrefix("app.yaml:7:17: log.access: \(reason)") })
            #expect(lines.contains { $0.hasPrefix("app.yaml:8:19: temp-directory: \(reason)") })
            if mode == "thread" { #expect(lines.contains { $0.contains("directory of --ready-file") }) }
            #expect(!folder.has("data/polls.sqlite3"))
        }

        @Test func migrationsLeaveNoFilesOfRoot() throws {
            let folder = try folder(polls)
            let result = try Command.app("migrate", in: folder)
            #expect(result.status == .exited(0), "\(result.errors)")
            #expect(try owner(folder["data/polls.sqlite3"]).user == Self.someone)
            let check = try Command.app("check", in: folder)
            #expect(check.status == .exited(0), "\(check.errors)")
            for file in ["polls.sqlite3-wal", "polls.sqlite3-shm"] where folder.has("data/\(file)") {
                #expect(try owner(folder["data/\(file)"]).user == Self.someone)
            }
        }

        @Test func rootIsWarnedOnce() throws {
            let folder = try Folder()
            try folder.write(
                "base: {listen: '127.0.0.1:0', workers: {count: 2}, routes: [{path: /, respond: pong}]}", to: "app.yaml"
            )
            let server = try AppServer(in: folder)
            #expect(server.errors.split(separator: "sites run as root").count == 2, "\(server.errors)")
            try server.stop()
            let development = try AppServer(in: folder, ["--env", "development"])
            #expect(!development.errors.contains("sites run as root"), "\(development.errors)")
            try development.stop()
        }
    }
}
