import Glibc
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// An interpreter inside the worker is configured as it is outside.
    @Suite struct PythonInterpreters {
        /// What an interpreter says about itself, as JSON with sorted keys.
        private static let facts = """
            import sys

            def facts():
                import json, locale, os, site, sysconfig
                values = dict(
                    prefix=sys.prefix, exec_prefix=sys.exec_prefix, base_prefix=sys.base_prefix,
                    executable=sys.executable, base_executable=getattr(sys, "_base_executable", ""),
                    path=sys.path[1:], flags=repr(sys.flags), warnings=sys.warnoptions, xoptions=repr(sys._xoptions),
                    filesystem=[sys.getfilesystemencoding(), sys.getfilesystemencodeerrors()],
                    locale=[locale.setlocale(locale.LC_ALL), locale.getpreferredencoding(False)],
                    site=[site.ENABLE_USER_SITE, site.getsitepackages()], bytecode=sys.dont_write_bytecode,
                    cache=sys.pycache_prefix, abi=sys.abiflags, tag=sys.implementation.cache_tag,
                    scripts=sysconfig.get_path("scripts"), purelib=sysconfig.get_path("purelib"),
                    hash=hash("x") if os.environ.get("PYTHONHASHSEED") else 0, optimized=not __debug__,
                    pth=sys.modules.get("portico_pth_was_here") is not None, utf8=sys.flags.utf8_mode)
                return json.dumps(values, sort_keys=True)

            def app(environ, start_response):
                start_response("200 OK", [("Content-Type", "application/json")])
                return [facts().encode()]

            """

        /// Compares what the served application sees with what `python -c` sees in the same directory.
        private func compare(_ python: String, _ site: String, in folder: Folder, _ environment: [String: String] = [:])
            throws
        {
            try folder.writePythonSite(Self.facts, python: python, site: site)
            // Where the first entry is not the working directory ($PYTHONSAFEPATH), it comes on top.
            let question = "import sys; sys.path[0] and sys.path.insert(0, ''); import app; print(app.facts())"
            let outside = try Command.run([python, "-c", question], in: folder.path, environment: environment)
            #expect(outside.status == .exited(0), "\(outside.errors)")
            let server = try AppServer(in: folder, environment: environment)
            #expect(try server.get("/").text + "\n" == outside.output)
            try server.stop()
        }

        @Test(arguments: Pythons.all) func anInstallation(_ python: String) throws {
            try compare(python, "", in: try Folder())
        }

        @Test(arguments: [
            ["PYTHONPATH": "/nowhere:/srv", "PYTHONWARNINGS": "error::UserWarning", "PYTHONHASHSEED": "7"],
            ["PYTHONDONTWRITEBYTECODE": "1", "PYTHONOPTIMIZE": "2", "PYTHONNOUSERSITE": "1"],
            ["PYTHONUTF8": "1", "LC_ALL": "C"], ["LC_ALL": "C"], ["LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0"],
            ["LANG": "C.UTF-8", "PYTHONPYCACHEPREFIX": "/nowhere/cache", "PYTHONUNBUFFERED": "1"],
            ["PYTHONDEVMODE": "1"], ["PYTHONSAFEPATH": "1", "PYTHONINSPECT": ""],
        ]) func variables(_ environment: [String: String]) throws {
            try compare(Pythons.system, "", in: try Folder(), environment)
        }

        @Test(arguments: Pythons.all.dropFirst(), [false, true])
        func virtualEnvironments(_ python: String, _ seesSystem: Bool) throws {
            let folder = try Folder()
            let made = try Command.run(
                [python, "-m", "venv", "--without-pip"] + (seesSystem ? ["--system-site-packages"] : [])
                    + [folder["env"]])
            #expect(made.status == .exited(0), "\(made.errors)")
            let library = try #require(
                try folder.listing().first { $0.hasPrefix("env/lib/python3") && $0.hasSuffix("/site-packages") })
            try folder.write("", to: "\(library)/portico_pth_was_here.py")
            try folder.write("import portico_pth_was_here\n/srv\n", to: "\(library)/one.pth")
            try compare(folder["env/bin/python3"], "", in: folder)
            // By `virtualenv`, and as `.venv` beside the application, it is the same.
            for (name, site) in [("env", "virtualenv: env"), (".venv", "")] {
                if !folder.has(name) { _ = try Command.run(["mv", folder["env"], folder[name]]) }
                let outside = try Command.run(
                    [folder["\(name)/bin/python3"], "-c", "import app; print(app.facts())"], in: folder.path)
                let yaml = try folder.text(of: "app.yaml").split(separator: "\n")
                    .filter { !$0.contains("interpreter:") }.joined(separator: "\n")
                try folder.write(yaml + "\n" + (site.isEmpty ? "" : "      \(site)\n"), to: "app.yaml")
                let server = try AppServer(in: folder)
                #expect(try server.get("/").text + "\n" == outside.output, "\(name)")
                try server.stop()
                try folder.write(yaml, to: "app.yaml")
            }
        }

        @Test func anActiveEnvironmentIsTaken() throws {
            let folder = try Folder()
            let made = try Command.run([Pythons.system, "-m", "venv", "--without-pip", folder["env"]])
            try #require(made.status == .exited(0), "\(made.errors)")
            try folder.write(answering("__import__('sys').prefix"), to: "app.py")
            let server = try AppServer(
                in: folder, ["app:app", "--listen", "127.0.0.1:0", "--workers", "1"],
                environment: ["VIRTUAL_ENV": folder["env"]])
            #expect(try server.get("/").text == folder["env"])
            try server.stop()
            let version = try Command.app("version", in: folder, environment: ["VIRTUAL_ENV": folder["env"]])
            #expect(version.output.contains("python: \(folder["env"])/bin/python3 3."))
        }

        /// A libpython names its interpreter.
        @Test func aLibraryIsEnough() throws {
            let folder = try Folder()
            let check = try Command.app("version", in: folder)
            let line = try #require(check.output.split(separator: "\n").first { $0.hasPrefix("python: ") })
            let library = try #require(line.split(separator: " ").last.map(String.init))
            try folder.writePythonSite(answering("__import__('sys').executable"), python: library)
            let server = try AppServer(in: folder)
            #expect(try server.get("/").text.hasPrefix("/usr/bin/python3."))
            try server.stop()
        }

        /// Two sites, one interpreter; each has its place.
        @Test func twoSites() throws {
            let folder = try Folder()
            for (name, module) in [("one", "first"), ("two", "second")] {
                try folder.makeDirectory(name)
                try folder.write(
                    answering(
                        "(__name__, environ['SCRIPT_NAME'], environ['PATH_INFO'], environ['wsgi.multithread'])"),
                    to: "\(name)/\(module).py")
            }
            func configuration(_ second: String) -> String {
                """
                base:
                  listen: 127.0.0.1:0
                  workers: {count: 1, threads: 3}
                  sites:
                    one: {python: 'first:app', directory: one, gateway: wsgi, interpreter: \(Pythons.system)}
                    two: {python: '\(second)', directory: two}
                  routes:
                    - {path: /one/, site: one}
                    - {path: /two/, site: two}
                """
            }
            try folder.write(configuration("second:app"), to: "app.yaml")
            let server = try AppServer(in: folder)
            #expect(try server.get("/one/a%20b").text == "('first', '/one', '/a b', True)")
            #expect(try server.get("/two/").text == "('second', '/two', '/', True)")
            try server.stop()
            // One module of a name.
            try folder.write(answering("1"), to: "two/first.py")
            try folder.write(configuration("first:app"), to: "app.yaml")
            let clash = try Command.app("serve", in: folder)
            #expect(clash.status == .exited(78))
            #expect(clash.errors.contains("module 'first' was imported from \(folder["one/first.py"]) before"))
        }
    }
}
