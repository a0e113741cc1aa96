import Glibc
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// `app dev`: what changed files do to the pages that are open, and to requests. (For a Swift package of its own, see
    /// ``NewSite``.)
    @Suite struct LiveReload {
        /// Nothing of it outside development.
        @Test func servedPagesHaveNoScript() throws {
            let server = try AppServer(PollsPages.configuration("process", "asgi"))
            let page = try server.get("/", "Accept: text/html")
            #expect(page.status == 200 && !page.text.contains("_portico"))
            #expect(try server.get("/_portico/live.js").status == 404)
            #expect(try server.get("/_portico/live").status == 404)
            try server.stop()
        }

        /// A page is kept open in Chromium while files change, break and are mended; others go on asking.
        @Test(.timeLimit(.minutes(10)), arguments: [("wsgi", 1), ("asgi", 2)])
        func aPageFollows(gateway: String, workers: Int) throws {
            let session = try Command.run(
                [
                    "python3", "\(Command.package)/Tests/EndToEndTests/Browser/live", Command.app, gateway,
                    "--workers", "\(workers)",
                ])
            #expect(session.status == .exited(0), "\(session.errors)")
            #expect(session.output.contains("none failed"))
        }

        @Test func oneServerAPort() throws {
            let first = try development(python: Self.saying("first"))
            let second = try Folder()
            try second.makeDirectory("site")
            try second.write(Self.saying("second"), to: "site/shop.py")
            let port = try #require(first.endpoint.url.split(separator: ":").last.flatMap { Int($0) })
            try second.write(Self.configuration("127.0.0.1:\(port)"), to: "app.yaml")
            let result = try Command.app("dev", in: second)
            #expect(result.status == .exited(69))
            #expect(
                result.errors.contains("\(port)") && result.errors.contains("already listens there"), "\(result.errors)"
            )
            #expect(try first.get("/").text == "first")
            try first.stop()
        }

        /// What is asked on a connection that the old worker had is answered by the new code, whole bodies included.
        @Test func keptConnectionsGoOver() throws {
            let server = try development(python: Self.saying("first"))
            let idle = try server.connect()
            #expect(try idle.get("/").text == "first")
            let silent = try server.connect()
            let half = try server.connect()
            try half.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Le")
            try server.folder.write(Self.saying("second"), to: "site/shop.py")
            try eventually("the new module") { try server.get("/").text == "second" }
            #expect(try idle.get("/").text == "second")
            #expect(try silent.get("/").text == "second")
            try half.send("ngth: 3\r\n\r\nabc")
            #expect(try half.receive().text == "second")
            try eventually("the old worker ends") { server.workers.count == 1 }
            #expect(try idle.get("/").text == "second")
            try server.stop()
        }

        /// How things stand is told to every worker, also to one that takes the place of one that was lost.
        @Test func aReportOutlivesWorkers() throws {
            let server = try development(python: Self.saying("first"), debug: false)
            try server.folder.write("import nothing_of_this_name\n", to: "site/shop.py")
            func page() throws -> WireResponse { try server.get("/", "Accept: text/html") }
            try eventually("the report") { try page().text.contains("nothing_of_this_name") }
            #expect(try server.get("/", "Accept: */*").text == "first", "only pages are replaced by it")
            try server.folder.write(Self.saying("second"), to: "site/shop.py")
            try eventually("the end of the report") { try page().text.hasPrefix("second") }
            try server.folder.write("base: {wrong: 1}\n", to: "app.yaml")
            try eventually("the report") { try page().text.contains("wrong: unknown key") }
            try eventually("one worker is left") { server.workers.count == 1 }
            let worker = try #require(server.workers.first)
            kill(worker, SIGKILL)
            try eventually("another worker") { server.workers.first.map { $0 != worker } ?? false }
            #expect(try page().text.contains("wrong: unknown key"))
            #expect(try page().status == 500)
            try server.stop()
        }

        /// A page that is not read by anybody any more holds up nothing.
        @Test func aBrowserThatNeverReconnects() throws {
            let server = try development(python: Self.saying("first"))
            let deaf = try EventStream(of: server)
            for word in ["second", "third", "fourth"] {
                try server.folder.write(Self.saying(word), to: "site/shop.py")
                try eventually(word) { try server.get("/").text == word }
            }
            try eventually("old workers end") { server.workers.count == 1 }
            #expect(deaf.greeting.contains("event: hello"))
            try server.stop()
        }

        /// Where the kernel has no watches left, it is said, and files are compared.
        @Test(
            .enabled(if: Machine.allowsNamespaces, "needs root and namespaces"),
            arguments: [
                ("max_inotify_watches", 3, "the kernel's watches are used up at"),
                ("max_inotify_instances", 0, "changes are looked for twice a second"),
            ])
        func withoutWatches(limit: String, value: Int, message: String) throws {
            let folder = try Folder()
            try folder.makeDirectory("public")
            for number in 0..<10 { try folder.makeDirectory("public/d\(number)") }
            try folder.write("first", to: "public/d9/page.html")
            let server = try AppServer(
                in: folder, ["public", "--listen", "127.0.0.1:0"], command: "dev",
                prefix: [
                    "unshare", "--user", "--map-root-user", "sh", "-c",
                    "echo \(value) > /proc/sys/user/\(limit); exec \"$@\"", "sh",
                ])
            #expect(server.errors.contains(message) && server.errors.contains("sysctl fs.inotify"), "\(server.errors)")
            let stream = try EventStream(of: server)
            try folder.write("second", to: "public/d9/page.html")
            try stream.read(until: "event: page")
            try server.stop()
        }

        /// Saved twice within a second, and no longer than before: Python's bytecode does not tell the two apart.
        @Test func twoSavesInASecond() throws {
            let server = try development(python: Self.saying("word 0"))
            for number in 1..<10 {
                try server.folder.write(Self.saying("word \(number)"), to: "site/shop.py")
                try eventually("word \(number)") { try server.get("/").text == "word \(number)" }
            }
            try server.stop()
        }

        /// A module from elsewhere than the application's directory.
        @Test func whatWasImportedIsWatched() throws {
            let folder = try Folder()
            for name in ["site", "library"] { try folder.makeDirectory(name) }
            try folder.write("WORD = 'first'\n", to: "library/words.py")
            try folder.write(
                """
                import sys
                sys.path.append("\(folder["library"])")
                import words

                def app(environ, start_response):
                    start_response("200 OK", [("Content-Type", "text/plain")])
                    return [words.WORD.encode()]

                """, to: "site/shop.py")
            try folder.write(Self.configuration("127.0.0.1:0"), to: "app.yaml")
            let server = try AppServer(in: folder, command: "dev")
            #expect(try server.get("/").text == "first")
            // What was imported is told once the worker serves.
            var number = 0
            try eventually("a change that is seen") {
                number += 1
                try folder.write("WORD = 'second'  # \(number)\n", to: "library/words.py")
                return try server.get("/").text == "second"
            }
            try server.stop()
        }

        // MARK: - Swift packages, with a compiler of the test's own

        /// The page says what the build does; errors are shown, a build that hangs is given up for the next one, and the new
        /// program takes over.
        @Test func aPackageIsBuilt() throws {
            let folder = try Folder()
            let server = try package(in: folder)
            let pid = server.pid
            let stream = try EventStream(of: server)
            func page() throws -> String { try server.get("/", "Accept: text/html").text }

            try folder.write("fail", to: "package/Sources/shop/Main.swift")
            try stream.read(until: "event: busy\ndata: [1/2] Compiling")
            try eventually("the compiler's words") { try page().contains("cannot find &#39;fail&#39; in scope") }
            #expect(try page().contains("Main.swift:1:1") && page().contains("class=\"here\""))
            #expect(try server.get("/").text == "first", "the old program serves on")
            #expect(server.errors.contains("[1/2] Compiling"), "progress in the terminal")
            #expect(server.errors.contains("error: cannot find 'fail' in scope"))

            // It does not listen to an interrupt, either.
            try folder.write("hang", to: "package/Sources/shop/Main.swift")
            try eventually("the build hangs") { folder.has("package/hangs") }
            try folder.write("same", to: "package/Sources/shop/Main.swift")
            try eventually("the end of the report") { try page().hasPrefix("first") }
            #expect(server.errors.contains("built: nothing is new"))
            try folder.write("good", to: "package/Sources/shop/Main.swift")
            try eventually("the new program serves") {
                let text = try page()
                return text.hasPrefix("first") && server.errors.contains("under a new program")
            }
            #expect(server.pid == pid && ProcessTable.isAlive(pid))
            let before = try #require(self.version(of: page()))
            try eventually("nothing is being done any more") {
                try EventStream(of: server).greeting.contains("event: busy\ndata: \n")
            }
            #expect(try version(of: page()) == before, "what the new program says at its start changes no page")

            // The next change is built by the new program.
            unlink(folder["package/hangs"])
            try folder.write("hang", to: "package/Sources/shop/Main.swift")
            try eventually("the build hangs") { folder.has("package/hangs") }
            try server.stop()
            try eventually("nothing of the build is left") { ProcessTable.running(in: folder["package"]).isEmpty }
        }

        private func version(of page: String) -> Substring? {
            page.split(separator: "data-version=\"").last?.prefix { $0 != "\"" }
        }

        /// A program that seems to be built from a package, and a `swift` that does what the source says.
        private func package(in folder: Folder) throws -> AppServer {
            let build = "package/.build/debug-triple/debug"
            for name in ["package", "package/Sources", "package/Sources/shop", "bin", "site"] {
                try folder.makeDirectory(name)
            }
            _ = try Command.run(["mkdir", "-p", folder[build]])
            let copied = try Command.run(["cp", "--reflink=auto", Command.app, folder["\(build)/shop"]])
            #expect(copied.status == .exited(0), "\(copied.errors)")
            try folder.write("", to: "package/Package.swift")
            try folder.write("first", to: "package/Sources/shop/Main.swift")
            try folder.write(Self.saying("first"), to: "site/shop.py")
            let sites = "sites: {polls: {swift: polls, database: polls.sqlite3}, "
            let mounts = "  routes: [{path: /polls/, site: polls}, {path: /, site: shop}]\n"
            let configuration = Self.configuration("127.0.0.1:0").split(separator: "sites: {").joined(separator: sites)
            try folder.write(configuration + mounts, to: "app.yaml")
            try folder.write(
                """
                #!/bin/sh
                file=$PWD/Sources/shop/Main.swift
                trap '' INT
                echo "[1/2] Compiling shop Main.swift"
                case $(cat "$file") in
                    fail) echo "$file:1:1: error: cannot find 'fail' in scope"; exit 1 ;;
                    hang) touch hangs; sleep 1000 & wait; sleep 1000 ;;
                esac
                [ $(cat "$file") = same ] || { cp --reflink=auto '\(folder["\(build)/shop"])' new && mv new '\(folder["\(build)/shop"])'; }
                echo "[2/2] Linking shop"

                """, to: "bin/swift")
            chmod(folder["bin/swift"], 0o755)
            return try AppServer(
                in: folder, program: folder["\(build)/shop"], command: "dev",
                environment: ["PATH": "\(folder["bin"]):/usr/local/bin:/usr/bin:/bin"])
        }

        // MARK: - Python sites

        private static func configuration(_ listen: String, debug: Bool = true) -> String {
            """
            base:
              listen: \(listen)
              debug: \(debug)
              log: {access: false, level: debug}
              timeouts: {header: 1h, keep-alive: 1h}
              sites: {shop: {python: 'shop:app', directory: site}}

            """
        }

        private static func saying(_ word: String) -> String {
            """
            def app(environ, start_response):
                environ["wsgi.input"].read()
                start_response("200 OK", [("Content-Type", "text/html")])
                return [b"\(word)"]

            """
        }

        /// `app dev` with one worker.
        private func development(python module: String, debug: Bool = true) throws -> AppServer {
            let folder = try Folder()
            try folder.makeDirectory("site")
            try folder.write(module, to: "site/shop.py")
            try folder.write(Self.configuration("127.0.0.1:0", debug: debug), to: "app.yaml")
            return try AppServer(in: folder, ["--workers", "1"], command: "dev")
        }
    }
}

/// The events that pages of a development server listen to.
private struct EventStream {
    private let connection: WireConnection
    /// What everybody is told first.
    let greeting: String

    init(of server: AppServer) throws {
        connection = try server.connect()
        try connection.send("GET /_portico/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        let head = try connection.receive(toHead: true)
        guard head["content-type"] == "text/event-stream" else { throw Unfulfilled(what: "events, not \(head)") }
        greeting = String(decoding: try connection.receiveChunk() ?? [], as: UTF8.self)
    }

    /// Reads on up to some text.
    func read(until text: String) throws {
        try eventually(text) {
            guard let chunk = try connection.receiveChunk() else { throw Unfulfilled(what: "\(text) before the end") }
            return String(decoding: chunk, as: UTF8.self).contains(text)
        }
    }
}
