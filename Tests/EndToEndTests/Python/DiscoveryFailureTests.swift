import Glibc
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// No interpreter, or the wrong one: a message with its place, and status 78, before any worker is started.
    @Suite struct PythonDiscoveryFailures {
        private func refusal(_ python: String, in folder: Folder, _ key: String = "interpreter") throws -> String {
            try folder.writePythonSite(answering("1"), python: python)
            let result = try Command.app("serve", in: folder)
            #expect(result.status == .exited(78), "\(result.errors)")
            // What the server has to say of itself as root is not what this is about.
            let lines = result.errors.split(separator: "\n").filter { !$0.contains(" [supervisor] ") }
            #expect(lines.count == 1, "\(result.errors)")
            let place = "app.yaml:7:20: sites.web.\(key): "
            let line = try #require(lines.first)
            #expect(line.hasPrefix(place), "\(result.errors)")
            return line.dropFirst(place.count) + "\n"
        }

        private func script(_ text: String, in folder: Folder) throws -> String {
            try folder.write("#!/bin/sh\n\(text)\n", to: "fake")
            chmod(folder["fake"], 0o755)
            return folder["fake"]
        }

        @Test func whatIsNotThere() throws {
            let folder = try Folder()
            #expect(try refusal("/nowhere/python", in: folder) == "there is no /nowhere/python\n")
            #expect(try refusal("/usr", in: folder).contains("is a directory"))
            try folder.write("text", to: "plain")
            #expect(try refusal(folder["plain"], in: folder).contains("may not be executed"))
        }

        @Test func whatIsNoPython() throws {
            let folder = try Folder()
            #expect(try refusal("/bin/true", in: folder).contains("does not answer as Python does"))
            let shim = try script("echo 'no such version is installed' >&2; exit 127", in: folder)
            #expect(try refusal(shim, in: folder).contains("exit status 127: no such version is installed"))
            let killed = try script("kill -9 $$", in: folder)
            #expect(try refusal(killed, in: folder).contains("killed by SIGKILL"))
            let other = try script("printf 'implementation=pypy\\nversion=3.11.2\\n'", in: folder)
            #expect(try refusal(other, in: folder).contains("is pypy 3.11.2"))
            let old = try script("printf 'implementation=cpython\\nversion=3.9.18\\n'", in: folder)
            #expect(try refusal(old, in: folder).contains("is Python 3.9.18; Portico runs CPython 3.10 and newer"))
        }

        @Test func withoutASharedLibrary() throws {
            let folder = try Folder()
            let fake = try script(
                "printf 'implementation=cpython\\nversion=3.12.7\\nlibrary=/nowhere/libpython3.12.so.1.0\\n'",
                in: folder)
            let text = try refusal(fake, in: folder)
            #expect(text.contains("has no shared library; looked for /nowhere/libpython3.12.so.1.0"))
            #expect(text.contains("apt-get install libpython3.12"))
        }

        /// The header of an executable for another processor.
        @Test func ofAnotherArchitecture() throws {
            let folder = try Folder()
            var bytes = try Descriptor.contents(ofFile: "/bin/true")
            bytes[18] = bytes[18] == 183 ? 62 : 183
            try folder.write(bytes, to: "python")
            chmod(folder["python"], 0o755)
            #expect(try refusal(folder["python"], in: folder).contains("; this program is for "))
            try folder.write(bytes, to: "libpython3.11.so.1.0")
            let fake = try script(
                "printf 'implementation=cpython\\nversion=3.11.2\\nlibrary=\(folder["libpython3.11.so.1.0"])\\n'",
                in: folder)
            #expect(try refusal(fake, in: folder).hasPrefix("\(folder["libpython3.11.so.1.0"]) is for "))
        }

        /// A library that is none is found out by the worker, once.
        @Test func aBrokenLibrary() throws {
            let folder = try Folder()
            try folder.write("no library", to: "libpython3.11.so.1.0")
            let fake = try script(
                "printf 'implementation=cpython\\nversion=3.11.2\\nlibrary=\(folder["libpython3.11.so.1.0"])\\n'",
                in: folder)
            try folder.writePythonSite(answering("1"), python: fake)
            for mode in bothModes {
                let result = try Command.run([Command.app, "serve"] + mode, in: folder.path)
                #expect(result.status == .exited(78))
                #expect(result.errors.contains("cannot be loaded"), "\(result.errors)")
            }
        }

        @Test func otherKeys() throws {
            let folder = try Folder()
            try folder.write(answering("1"), to: "app.py")
            for (site, message) in [
                ("virtualenv: /nowhere", "sites.web.virtualenv: /nowhere is no virtual environment"),
                ("directory: /nowhere", "sites.web.directory: there is no directory /nowhere"),
            ] {
                try folder.write("base:\n  sites: {web: {python: 'app:app', \(site)}}\n", to: "app.yaml")
                let result = try Command.app("serve", "--listen", "127.0.0.1:0", in: folder)
                #expect(result.status == .exited(78))
                #expect(result.errors.contains(message), "\(result.errors)")
            }
            let nowhere = try Command.app("version", in: folder, environment: ["PATH": "/nowhere"])
            #expect(nowhere.output.contains("python: none: "))
        }
    }
}
