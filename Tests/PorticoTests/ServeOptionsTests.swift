import ArgumentParser
import Config
import TestSupport
import Testing

@testable import Portico

@Suite struct ServeOptionsTests {
    private func options(_ arguments: String...) throws -> ServeOptions {
        registerSites()
        return try ServeOptions.parse(arguments)
    }

    @Test func withoutATarget() throws {
        #expect(try options().configTarget() == nil)
    }

    @Test func aSite() throws {
        #expect(try options("polls").configTarget() == .swift("polls"))
    }

    @Test func aDirectory() throws {
        let directory = try Folder()
        #expect(try options(directory.path).configTarget() == .directory(directory.path))
    }

    @Test func aPythonApplication() throws {
        #expect(try options("shop.wsgi:application").configTarget() == .python("shop.wsgi:application"))
    }

    @Test func aFileIsNoTarget() throws {
        let directory = try Folder()
        try directory.write("text", to: "page.html")
        let path = directory["page.html"]
        let error = #expect(throws: ValidationError.self) { try options(path).configTarget() }
        #expect(error?.message == "'\(path)' is a file; serve takes a directory or the name of a site.")
    }

    @Test func neitherDirectoryNorSite() {
        let error = #expect(throws: ValidationError.self) { try options("pols").configTarget() }
        #expect(error?.message == "'pols' is neither a directory nor a site of this binary (polls).")
    }

    @Test func flagsSetOptions() throws {
        let options = try options(
            "--listen", ":1", "--listen", "unix:/s", "--mode", "thread", "--workers", "auto", "--threads", "2", "--set",
            "log.level=debug")
        #expect(
            try options.sources().flags == [
                ConfigFlag("listen", .list([":1", "unix:/s"]), flag: "--listen"),
                ConfigFlag("workers.mode", .text("thread"), flag: "--mode"),
                ConfigFlag("workers.count", .text("auto"), flag: "--workers"),
                ConfigFlag("workers.threads", .text("2"), flag: "--threads"),
                ConfigFlag("log.level", .text("debug"), flag: "--set log.level"),
            ])
    }

    @Test func whichConfiguration() throws {
        let sources = try options("--config", "etc/app.yaml", "--env", "staging").sources()
        #expect(sources.explicitPath == "etc/app.yaml")
        #expect(sources.environmentName == "staging")
        #expect(sources.target == nil)
    }

    @Test(arguments: ["log.level", "=debug"])
    func assignmentsHaveAKeyAndAValue(_ text: String) {
        #expect(throws: (any Error).self) { try options("--set", text) }
    }
}

@Suite struct HelpTests {
    /// A screen of 80 columns, and lines enough to be read without scrolling far.
    @Test(arguments: AppCommand.configuration.subcommands.filter { $0.configuration.shouldDisplay }.map(Command.init))
    func fitsAScreen(_ command: Command) {
        let lines = AppCommand.helpMessage(for: command.type, columns: 80).split(
            separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count <= 48)
        #expect(lines.allSatisfy { $0.count <= 80 })
    }

    @Test func examplesOfTheWholeKeepTheirShape() {
        let help = AppCommand.helpMessage(columns: 80)
        #expect(help.contains("\n  app serve               serve what app.yaml says, else the sample site\n"))
    }

    struct Command: Sendable, CustomTestStringConvertible {
        let type: any ParsableCommand.Type
        var testDescription: String { type.configuration.commandName ?? "\(type)" }
    }
}
