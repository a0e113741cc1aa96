import Glibc
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// Everything a pool does with its workers in a day, under load from clients that retry nothing: on kept and on new
    /// connections, on WebSockets and on event streams.
    @Suite struct PoolUnderLoad {
        @Test(arguments: PoolSite.allCases, ["process", "thread"])
        func losesNothing(site: PoolSite, mode: String) throws {
            let day = try PoolDay(site, mode)
            // Which of the two is first in thread mode, where it is one process until then, differs.
            if site == .django { try day.upgrade(5) }
            try day.reload(20)
            if site == .swift { try day.upgrade(5) }
            try day.scale(3)
            try day.recycle(20)
            try day.end()
        }
    }
}

/// A kind of site, and what of it is asked for.
enum PoolSite: CaseIterable {
    case swift, django

    var page: String {
        switch self {
        case .swift: "/"
        case .django: "/polls/"
        }
    }

    /// A Swift site sends no event streams, and Django takes no WebSockets: an ASGI application beside them does.
    var socket: String {
        switch self {
        case .swift: "/1/live/"
        case .django: "/socket"
        }
    }

    var events: String {
        switch self {
        case .swift: "/events"
        case .django: "/polls/events/"
        }
    }

    /// The Python with Django that the conformance tests use, made on its first use.
    private static let djangoPython: String? = {
        let home = getenv("HOME").map { String(cString: $0) } ?? "/root"
        let made = try? Command.run(
            ["\(Command.package)/Tests/Conformance/environment", "requirements.txt", Pythons.system],
            environment: ["HOME": home])
        return made?.output.split(separator: "\n").last.map(String.init)
    }()

    /// A server of it, which was started through a link in its folder.
    func server(_ mode: String) throws -> AppServer {
        let folder = try Folder()
        try #require(symlink(Command.app, folder["app"]) == 0)
        try folder.write(lastingApplication, to: "streams.py")
        var environment: [String: String] = [:]
        var python = Pythons.system
        var sites = "main: {swift: polls, database: polls.sqlite3}"
        if self == .django {
            python = try #require(Self.djangoPython)
            let project = "\(Command.package)/Tests/Conformance/frameworks/tutorial"
            environment = [
                "DJANGO_SETTINGS_MODULE": "mysite.settings", "TUTORIAL_FOLDER": folder.path,
                "PYTHONDONTWRITEBYTECODE": "1",
            ]
            let prepare =
                "from django.core.management import execute_from_command_line as run; run(['', 'migrate', '-v0'])"
            let prepared = try Command.run([python, "-c", prepare], in: project, environment: environment)
            try #require(prepared.status == .exited(0), "\(prepared.errors)")
            let site = "directory: \(project), interpreter: \(python)"
            sites = """
                main: {python: 'mysite.wsgi:application', \(site)}
                    events: {python: 'mysite.asgi:application', \(site)}
                """
        }
        try folder.write(
            """
            base:
              listen: 127.0.0.1:0
              workers: {mode: \(mode), count: 2}
              sites:
                \(sites)
                streams: {python: 'streams:app', directory: ., interpreter: \(python)}
              routes:
                - {path: =\(events), site: \(self == .django ? "events" : "streams")}
                - {path: =/socket, site: streams}
                - {path: /, site: main}
              timeouts: {linger: 200ms}
              log: {access: false}
            """, to: "app.yaml")
        return try AppServer(
            in: folder, prefix: ["sh", "-c", "shift; exec ./app \"$@\"", "sh"], environment: environment)
    }
}

/// A server under load, and what is done to it.
private final class PoolDay {
    private let server: AppServer
    private let isThreads: Bool
    private let loads: [(name: String, load: Load)]
    /// How often all workers were replaced.
    private var renewals = 0

    init(_ site: PoolSite, _ mode: String) throws {
        let server = try site.server(mode)
        self.server = server
        isThreads = mode == "thread"
        let pause = Duration.milliseconds(5)
        loads = [
            ("kept", try Load(3, of: site.page, at: server.endpoint, .kept, pause: pause)),
            ("fresh", try Load(3, of: site.page, at: server.endpoint, .fresh, pause: pause)),
            ("sockets", try Load(2, of: site.socket, at: server.endpoint, .webSockets, pause: pause)),
            ("events", try Load(2, of: site.events, at: server.endpoint, .events)),
        ]
        try eventually("the load has begun; \(server.errors)") { loads.allSatisfy { $0.load.now.ok > 20 } }
    }

    /// Until the first hand-over, a server in thread mode has no other process.
    private var workers: Int { isThreads ? 1 : 2 }

    private func says(_ text: String) -> Int { server.errors.ranges(of: text).count }

    /// Sends the signal and waits until none of the workers before is left.
    private func renew(_ signal: Int32) throws {
        let old = server.workers
        kill(server.pid, signal)
        try eventually("new workers after signal \(signal): \(server.errors.suffix(3000))", within: 120) {
            server.workers.count == workers && Set(server.workers).isDisjoint(with: old)
        }
        renewals += 1
        // Each of the streams had to move, and is at home again before the next move.
        for (name, load) in loads where name == "sockets" || name == "events" {
            try eventually("\(name) have moved \(renewals) times: \(load.now)", within: 120) {
                load.now.partings >= 2 * renewals
            }
        }
    }

    func reload(_ count: Int) throws {
        for _ in 0..<count { try renew(SIGHUP) }
    }

    func upgrade(_ count: Int) throws {
        for _ in 0..<count {
            let before = says("under a new program")
            try renew(SIGUSR2)
            try eventually("the new program: \(server.errors.suffix(3000))", within: 120) {
                says("under a new program") == before + 1
            }
        }
    }

    func scale(_ count: Int) throws {
        for round in 1...count {
            kill(server.pid, SIGTTIN)
            guard !isThreads else {
                try eventually("it is refused; \(server.errors.suffix(1000))") {
                    says("(SIGTTIN): refused, there is always 1") == round
                }
                continue
            }
            try eventually("one more") { server.workers.count == workers + 1 }
            kill(server.pid, SIGTTOU)
            try eventually("as before") { server.workers.count == workers }
        }
    }

    /// Workers that are soon used up.
    func recycle(_ count: Int) throws {
        let text = try server.folder.text(of: "app.yaml")
            .replacing("count: 2}", with: "count: 2, max-requests: 60, jitter: 50}")
        try server.folder.write(text, to: "app.yaml")
        try renew(SIGHUP)
        try eventually("so many recyclings", within: 240) { says("is to be replaced: max-requests") >= count }
    }

    func end() throws {
        for (name, load) in loads {
            try eventually("\(name): a load that counts; \(load.now)") { load.now.ok > 1000 }
            let counts = try load.end()
            #expect(counts.faults == 0, "\(name): \(counts)")
        }
        for text in ["failed,", "cut off", "did not finish within its time"] {
            #expect(!server.errors.contains(text), "\(server.errors.suffix(3000))")
        }
        try server.stop()
    }
}
