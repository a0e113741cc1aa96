import Glibc
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// Everything a pool does with its workers in a day, under load from clients that retry nothing.
    @Suite struct PoolUnderLoad {
        /// A kind of site, and what of it is asked for.
        enum Site: CaseIterable {
            case swift, django

            var page: String {
                switch self {
                case .swift: "/"
                case .django: "/polls/"
                }
            }
        }

        /// The Python with Django that the conformance tests use, made on its first use.
        private static let django: String? = {
            let home = getenv("HOME").map { String(cString: $0) } ?? "/root"
            let made = try? Command.run(
                ["\(Command.package)/Tests/Conformance/environment", "requirements.txt", Pythons.system],
                environment: ["HOME": home])
            return made?.output.split(separator: "\n").last.map(String.init)
        }()

        private func server(_ site: Site) throws -> AppServer {
            let folder = try Folder()
            #expect(symlink(Command.app, folder["app"]) == 0)
            var environment: [String: String] = [:]
            let declaration: String
            switch site {
            case .swift: declaration = "polls: {swift: polls, database: polls.sqlite3}"
            case .django:
                let python = try #require(Self.django)
                let project = "\(Command.package)/Tests/Conformance/frameworks/tutorial"
                environment = [
                    "DJANGO_SETTINGS_MODULE": "mysite.settings", "TUTORIAL_FOLDER": folder.path,
                    "PYTHONDONTWRITEBYTECODE": "1",
                ]
                let prepare =
                    "from django.core.management import execute_from_command_line as run; run(['', 'migrate', '-v0'])"
                let prepared = try Command.run([python, "-c", prepare], in: project, environment: environment)
                try #require(prepared.status == .exited(0), "\(prepared.errors)")
                declaration =
                    "web: {python: 'mysite.wsgi:application', directory: \(project), interpreter: \(python)}"
            }
            try folder.write(
                """
                base:
                  listen: 127.0.0.1:0
                  workers: {mode: process, count: 2}
                  sites: {\(declaration)}
                  log: {access: false}
                """, to: "app.yaml")
            return try AppServer(
                in: folder, prefix: ["sh", "-c", "shift; exec ./app \"$@\"", "sh"], environment: environment)
        }

        /// Sends the signal and waits until none of the workers before is left.
        private func renew(_ server: AppServer, _ signal: Int32, workers: Int = 2) throws {
            let old = server.workers
            kill(server.pid, signal)
            try eventually("new workers after signal \(signal): \(server.errors.suffix(2000))", within: 120) {
                server.workers.count == workers && Set(server.workers).isDisjoint(with: old)
            }
        }

        @Test(arguments: Site.allCases)
        func losesNothing(site: Site) throws {
            let server = try server(site)
            let kept = try Load(3, of: site.page, at: server.endpoint, .kept)
            let fresh = try Load(3, of: site.page, at: server.endpoint, .fresh)
            try eventually("the load has begun") { kept.now.ok > 20 && fresh.now.ok > 20 }
            for _ in 0..<20 { try renew(server, SIGHUP) }
            for _ in 0..<5 { try renew(server, SIGUSR2) }
            for _ in 0..<3 {
                kill(server.pid, SIGTTIN)
                try eventually("a third worker") { server.workers.count == 3 }
                kill(server.pid, SIGTTOU)
                try eventually("two again") { server.workers.count == 2 }
            }
            // Now with workers that are soon used up.
            let text = try server.folder.text(of: "app.yaml")
                .replacing("count: 2}", with: "count: 2, max-requests: 60, jitter: 50}")
            try server.folder.write(text, to: "app.yaml")
            try renew(server, SIGHUP)
            try eventually("twenty recyclings", within: 240) {
                server.errors.split(separator: "\n").count { $0.contains("is to be replaced: max-requests") } >= 20
            }
            for load in [kept, fresh] {
                let counts = try load.end()
                #expect(counts.incomplete + counts.refused + counts.failed + counts.wrong.count == 0, "\(counts)")
                #expect(counts.ok > 1000)
            }
            #expect(!server.errors.contains("failed,"), "\(server.errors.suffix(2000))")
            try server.stop()
        }
    }
}
