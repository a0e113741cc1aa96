import Glibc
import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// `app new`: what it makes is built, tested and run.
    @Suite struct NewSite {
        @Test func refusesWhatIsThere() throws {
            let folder = try Folder()
            try folder.makeDirectory("full")
            try folder.write("mine", to: "full/README.md")
            try folder.write("mine", to: "file")
            try folder.makeDirectory("empty")
            let before = try folder.listing()
            for name in ["full", "file"] {
                let result = try Command.app("new", "--python", name, in: folder)
                #expect(result.status == .exited(1))
                #expect(result.errors == "'\(name)' is there already: nothing was changed\n")
            }
            #expect(try folder.listing() == before)
            #expect(try folder.text(of: "full/README.md") == "mine")
            // An empty directory is as good as none.
            #expect(try Command.app("new", "--python", "empty", in: folder).status == .exited(0))
            #expect(folder.has("empty/app.py"))
        }

        @Test(arguments: ["Upper", "1st", "a_b", "swift", "a-", "app", "web", "ünï", String(repeating: "a", count: 41)])
        func namesThatNameNoSite(name: String) throws {
            let folder = try Folder()
            let result = try Command.app("new", name, in: folder)
            #expect(result.status == .exited(64))
            #expect(result.errors.contains("cannot name a site"))
            #expect(try folder.listing().isEmpty)
        }

        @Test func nothingHalfDone() throws {
            let folder = try Folder()
            #expect(try Command.app("new", "nowhere/site", in: folder).status == .exited(1))
            let elsewhere = try Command.app("new", "site", "--portico", "/nothing/there", in: folder)
            #expect(elsewhere.status == .exited(64))
            #expect(elsewhere.errors.contains("--portico"))
            #expect(try folder.listing().isEmpty)
        }

        /// A full volume: none of it stays.
        @Test(.enabled(if: Machine.allowsNamespaces, "needs root and mount namespaces")) func aFullVolume() throws {
            let folder = try Folder()
            try folder.makeDirectory("small")
            let result = try Command.run(
                [
                    "unshare", "--mount", "sh", "-c",
                    """
                    set -e
                    mount -t tmpfs -o size=16k none small
                    cd small
                    if "$0" new --python site; then echo made; else echo "status $?"; fi
                    ls -A
                    """, Command.app,
                ], in: folder.path)
            #expect(result.output == "status 1\n", "\(result.output)\(result.errors)")
            #expect(result.errors.contains("No space left on device"), "\(result.errors)")
        }

        @Test func aPythonSite() throws {
            let folder = try Folder()
            let made = try Command.app("new", "--python", "corner-shop", in: folder)
            #expect(made.status == .exited(0), "\(made.errors)")
            let site = folder["corner-shop"]
            let tests = try Command.run(["python3", "-m", "unittest", "-v"], in: site)
            #expect(tests.status == .exited(0), "\(tests.errors)")
            #expect(tests.errors.contains("Ran 1 test"))
            for arguments in [["check"], ["smoke"]] {
                let result = try Command.run([Command.app] + arguments, in: site)
                #expect(result.status == .exited(0), "\(result.output)\(result.errors)")
            }
        }

        /// The dependencies come from this checkout's build folder: a private view of it takes what the new package adds,
        /// so that neither is built twice nor anything of the checkout is changed. That needs overlay file systems;
        /// without them a build folder beside the tests' other caches is kept.
        @Test(.timeLimit(.minutes(20))) func aSwiftSite() throws {
            let folder = try Folder()
            let made = try Command.app("new", "guest-book", "--portico", Command.package, in: folder)
            #expect(made.status == .exited(0), "\(made.errors)")
            let lint = try Command.run(
                ["swift", "format", "lint", "--strict", "--recursive", folder["guest-book"]], environment: tools)
            #expect(lint.status == .exited(0), "\(lint.errors)")
            let result = try Command.run(
                [
                    "sh", "\(Command.package)/Tests/EndToEndTests/Scripts/try-new-site", folder["guest-book"],
                    Command.package,
                ],
                in: folder.path, environment: tools)
            #expect(result.status == .exited(0), "\(result.output)\n\(result.errors)")
            #expect(result.output.contains("4 steps, none failed"))
            #expect(result.output.contains("no errors"))
            #expect(result.output.contains("requests meanwhile, none failed"))
        }

        private var tools: [String: String] {
            var environment: [String: String] = [:]
            for name in ["PATH", "HOME", "XDG_CACHE_HOME", "TMPDIR"] {
                environment[name] = getenv(name).map { String(cString: $0) }
            }
            return environment
        }
    }
}
