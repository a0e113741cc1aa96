import Glibc
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// What the configuration says to Swift sites, and what they leave behind.
    @Suite struct SiteOptions {
        private func folder(_ lines: String) throws -> Folder {
            let folder = try Folder()
            try folder.write("base:\n  listen: 127.0.0.1:0\n  workers: {count: 2}\n\(lines)\n", to: "app.yaml")
            return folder
        }

        @Test(arguments: ["wsgi", "asgi"])
        func settingsReachTheSite(gateway: String) throws {
            let folder = try folder(
                "  sites: {polls: {swift: polls, gateway: \(gateway), database: p.sqlite3, settings: {latest: 0}}}")
            let server = try AppServer(in: folder)
            let none = try server.get("/").text
            #expect(none.contains("No polls"), "\(none)")
            try server.stop()
        }

        @Test(arguments: [
            ("latest: many", "sites.polls.settings.latest: expected a whole number, got the text 'many'"),
            ("lastest: 3", "sites.polls.settings.lastest: site 'polls' has no such setting; it has: latest"),
        ])
        func wrongSettings(_ setting: String, _ message: String) throws {
            let folder = try folder("  sites: {polls: {swift: polls, settings: {\(setting)}}}")
            for command in ["serve", "check"] {
                let result = try Command.app(command, in: folder)
                #expect(result.status == .exited(78))
                #expect(result.errors.contains("app.yaml:4:") && result.errors.contains(message), "\(result.errors)")
            }
        }

        /// The database is whole by itself once the server has stopped.
        @Test(arguments: ["process", "thread"], ["wsgi", "asgi"])
        func noLogStaysBehind(mode: String, gateway: String) throws {
            let folder = try folder("  sites: {polls: {swift: polls, gateway: \(gateway), database: p.sqlite3}}")
            let server = try AppServer(in: folder, ["--mode", mode])
            for _ in 0..<20 { #expect(try server.get("/").status == 200) }
            #expect(folder.has("p.sqlite3-wal"))
            try server.stop()
            #expect(try folder.listing().filter { $0.hasPrefix("p.") } == ["p.sqlite3"])
        }

        @Test(arguments: ["process", "thread"])
        func theMissingKeyIsSaidOnce(mode: String) throws {
            let folder = try folder("  sites: {polls: {swift: polls, database: p.sqlite3}}")
            let server = try AppServer(in: folder, ["--mode", mode])
            _ = try server.get("/")
            try server.stop()
            #expect(server.errors.split(separator: "no secret key is configured").count == 2, "\(server.errors)")
        }

        @Test func methodsOfARoute() throws {
            let folder = try folder(
                "  routes: [{path: /read/, respond: fine, methods: [GET, HEAD]}, {path: /, respond: pong}]")
            let server = try AppServer(in: folder)
            #expect(try server.get("/read/").text == "fine")
            let refused = try server.connect().post("/read/", form: "a=1")
            #expect(refused.status == 405 && refused["allow"] == "GET, HEAD")
            #expect(try server.connect().post("/", form: "a=1").status == 200)
            try server.stop()
        }

        @Test func securedCookies() throws {
            let folder = try folder(
                "  cookies: {secure: true}\n  sites: {polls: {swift: polls, database: p.sqlite3}}")
            let server = try AppServer(in: folder)
            let cookie = try #require(try server.get("/1/")["set-cookie"])
            #expect(cookie.hasPrefix("csrftoken=") && cookie.contains("; Secure"), "\(cookie)")
            try server.stop()
        }
    }
}
