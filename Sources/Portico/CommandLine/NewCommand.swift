import ArgumentParser
import Glibc

/// `app new`
struct NewCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "new", abstract: "Make a new site, ready to run.",
        usage: "app new <directory> [<options>]",
        discussion: """
            Examples:
              app new guest-book
              app new shop --python
              app new sites/news --portico https://git.example.org/portico.git

            The directory's last part names the site. Nothing that exists is changed.
            Exit status: 0 made, 1 not made, and then nothing is left of it.
            """)

    @Flag(help: "A site in Python: one WSGI application.")
    var python = false

    @Option(
        help: ArgumentHelp(
            "Where Portico's package is, for a site in Swift: a directory or a URL (else where this program was built).",
            valueName: "place"), completion: .directory)
    var portico: String?

    @Argument(help: "The directory to make.")
    var directory: String

    func run() throws {
        var path = directory
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        let last = path.split(separator: "/").last.map(String.init) ?? ""
        guard let name = StarterName(last) else {
            throw ValidationError("'\(last)' cannot name a site: expected \(StarterName.expected)")
        }
        if python, portico != nil { throw ValidationError("--portico is about sites in Swift.") }
        let files: StarterFiles = python ? .python(name) : .swift(name, portico: try place())
        do throws(StarterFiles.Failure) {
            try files.write(to: path)
        } catch {
            Console.error("\(error)")
            throw ArgumentParser.ExitCode(1)
        }
        for file in files.files { Console.print("\(path)/\(file.path)") }
        let run = python ? "app serve" : "swift run \(name.text) serve --env development"
        Console.print("\nRun it:\n  cd \(path)\n  \(run)")
    }

    /// Where the generated package finds this one; absolute when it is a directory.
    private func place() throws -> String {
        if let portico, portico.contains("://") || portico.hasPrefix("git@") { return portico }
        // Sources/Portico/CommandLine/NewCommand.swift
        let own = "/" + #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
        guard let resolved = realpath(portico ?? own, nil) else { throw missing(portico ?? own) }
        defer { free(resolved) }
        let path = String(cString: resolved)
        guard access("\(path)/Package.swift", R_OK) == 0, access("\(path)/Sources/Portico", F_OK) == 0 else {
            throw missing(path)
        }
        return path
    }

    private func missing(_ path: String) -> ValidationError {
        ValidationError("Portico's package is not in '\(path)': say where by --portico, a directory or a URL.")
    }
}
