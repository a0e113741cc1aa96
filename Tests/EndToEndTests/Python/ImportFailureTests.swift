import Glibc
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// Applications that cannot be imported.
    @Suite struct PythonImportFailures {
        static let cases: [(code: String, message: String)] = [
            ("import nothing_of_this_name\n", "ModuleNotFoundError: No module named 'nothing_of_this_name'"),
            (
                "def other(): pass\ndef application(e, s): pass\n",
                "module 'app' has no attribute 'app'; did you mean 'application'?"
            ),
            ("app = 3\n", "app:app is of type 'int', which cannot be called"),
            ("def app():\n    pass\n", "if it makes the application, write app:app()"),
            ("def app(a, b, c, d):\n    pass\n", "app:app takes (a, b, c, d): neither a WSGI application"),
            ("raise ValueError('of <b>this</b>')\n", "ValueError: of <b>this</b>"),
            ("def app(:\n", "SyntaxError: invalid syntax"),
            ("import sys; sys.exit(0)\n", "SystemExit: 0"),
            ("raise KeyboardInterrupt('now')\n", "KeyboardInterrupt: now"),
        ]

        /// Said once, and not tried again.
        @Test(arguments: cases, bothModes) func isFinal(_ failure: (code: String, message: String), _ mode: [String])
            throws
        {
            let folder = try Folder()
            try folder.writePythonSite(failure.code)
            let result = try Command.run([Command.app, "serve"] + mode, in: folder.path)
            #expect(result.status == .exited(78), "\(result.errors)")
            #expect(result.errors.split(separator: failure.message).count == 2, "\(result.errors)")
            #expect(!result.errors.contains("again in"))
        }

        @Test func aModuleThatIsNotThere() throws {
            let folder = try Folder()
            try folder.write(answering("1"), to: "shop.py")
            let result = try Command.app("serve", "shpo:app", "--listen", "127.0.0.1:0", in: folder)
            #expect(result.status == .exited(78))
            #expect(
                result.errors.contains("there is no module 'shpo' in \(folder.path)")
                    && result.errors.contains("; did you mean 'shop'?"), "\(result.errors)")
        }

        /// Nothing can be said by a process that is gone; the supervisor says what it was about, and gives up.
        @Test(arguments: ["os._exit(5)", "os.kill(os.getpid(), signal.SIGKILL)"])
        func theEndOfTheProcess(_ code: String) throws {
            let folder = try Folder()
            try folder.writePythonSite("import os, signal\n\(code)\n")
            let result = try Command.app("serve", in: folder)
            #expect(result.status == .exited(code.contains("5") ? 5 : 70), "\(result.errors)")
            #expect(result.errors.contains(": while importing app:app"), "\(result.errors)")
            #expect(result.errors.contains("no worker could start; giving up"))
        }

        @Test(arguments: bothModes) func aFactoryIsCalled(_ mode: [String]) throws {
            let folder = try Folder()
            let code = "def make():\n" + answering("'made'").split(separator: "\n").map { "    \($0)\n" }.joined()
            try folder.write(code + "    return app\n", to: "app.py")
            let server = try AppServer(in: folder, ["app:make()", "--listen", "127.0.0.1:0", "--workers", "1"] + mode)
            #expect(try server.get("/").text == "made")
            try server.stop()
        }

        /// With `debug`, whoever looks at the site sees why it is not there; the others go on.
        @Test(arguments: bothModes) func isShownInTheBrowser(_ mode: [String]) throws {
            let folder = try Folder()
            try folder.writePythonSite(
                "raise ValueError('of <b>this</b>')\n",
                options: "debug: true\nroutes:\n  - {path: /, site: web}\n  - {path: =/ping, respond: pong}")
            let server = try AppServer(in: folder, mode)
            let page = try server.get("/any/path")
            #expect(page.status == 500)
            #expect(page["content-type"] == "text/html; charset=utf-8")
            #expect(page.text.contains("Traceback (most recent call last)"))
            #expect(page.text.contains("ValueError: of &lt;b&gt;this&lt;/b&gt;"))
            #expect(try server.get("/ping").text == "pong")
            #expect(server.errors.contains("ValueError: of <b>this</b>"))
            try server.stop()
        }

        @Test func checkImportsEachSite() throws {
            let folder = try Folder()
            try folder.write(answering("1", after: "print('imported')"), to: "good.py")
            try folder.write("async def app(scope, receive, send):\n    pass\n", to: "later.py")
            try folder.write("import os\nos._exit(3)\n", to: "gone.py")
            try folder.write("1/0\n", to: "bad.py")
            func configure(_ sites: [String]) throws {
                let lines = sites.map { "    \($0): {python: '\($0):app', interpreter: \(Pythons.system)}" }
                let routes = sites.map { "    - {path: /\($0)/, site: \($0)}" }
                try folder.write(
                    "base:\n  sites:\n\(lines.joined(separator: "\n"))\n  routes:\n\(routes.joined(separator: "\n"))\n",
                    to: "app.yaml")
            }
            try configure(["good", "later"])
            let good = try Command.app("check", in: folder)
            #expect(good.status == .exited(0), "\(good.errors)")
            #expect(good.output.contains("good: good:app is imported: wsgi"))
            #expect(good.output.contains("later: later:app is imported: asgi"))
            #expect(good.output.contains("python: \(Pythons.system) 3."))
            try configure(["good", "gone", "bad"])
            let bad = try Command.app("check", in: folder)
            #expect(bad.status == .exited(1))
            #expect(bad.errors.contains("gone: error: importing gone:app ended the process: exit status 3"))
            #expect(bad.errors.contains("ZeroDivisionError: division by zero"))
            #expect(bad.errors.contains("2 errors"))
            let routes = try Command.app("routes", in: folder)
            #expect(routes.status == .exited(0))
            #expect(routes.output.contains("good:app") && routes.output.contains(folder.path))
        }
    }
}
