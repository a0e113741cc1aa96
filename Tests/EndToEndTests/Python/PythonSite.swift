import Glibc
import Platform
import TestSupport
import Testing

/// Pythons that tests may expect.
enum Pythons {
    /// Debian's, which is always there: `python3` on the tests' path.
    static let system = "/usr/bin/python3"

    /// Every version this machine has that can be embedded.
    static let all: [String] = {
        let home = getenv("HOME").map { String(cString: $0) } ?? "/root"
        let pyenv = ["3.10", "3.11", "3.12", "3.13", "3.14"].compactMap { version -> String? in
            let listing = try? Command.run(["sh", "-c", "ls -d \(home)/.pyenv/versions/\(version).*/bin/python3"])
            return listing?.output.split(separator: "\n").last.map(String.init)
        }
        return [system] + pyenv
    }()
}

extension Folder {
    /// Writes `app.py`, and an `app.yaml` that serves its `app` with one worker and these further lines.
    func writePythonSite(
        _ code: String, python: String = Pythons.system, site: String = "", options: String = "", workers: Int = 1
    ) throws {
        try write(code, to: "app.py")
        try write(
            """
            base:
              listen: 127.0.0.1:0
              workers: {count: \(workers)}
              sites:
                web:
                  python: app:app
                  interpreter: \(python)
            \(site.split(separator: "\n").map { "      \($0)" }.joined(separator: "\n"))
            \(options.split(separator: "\n").map { "  \($0)" }.joined(separator: "\n"))
            """, to: "app.yaml")
    }

    /// The server with that site.
    static func pythonServer(
        _ code: String, python: String = Pythons.system, options: String = "", arguments: [String] = [],
        environment: [String: String] = [:]
    ) throws -> AppServer {
        let folder = try Folder()
        try folder.writePythonSite(code, python: python, options: options)
        return try AppServer(in: folder, arguments, environment: environment)
    }
}

/// A WSGI application whose answer is the text of an expression of Python.
func answering(_ expression: String, after preparation: String = "") -> String {
    """
    \(preparation)
    def app(environ, start_response):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [str(\(expression)).encode()]

    """
}

/// Both modes, each as flags of `serve`.
let bothModes = [["--mode", "process"], ["--mode", "thread"]]
