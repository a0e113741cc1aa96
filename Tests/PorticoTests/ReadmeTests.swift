import ArgumentParser
import Config
import Foundation
import Platform
import TestSupport
import Testing

@testable import Portico

/// Holds what README.md says against what the program does.
@Suite struct ReadmeTests {
    private static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private let text: String

    init() throws {
        text = try String(contentsOf: Self.root.appending(path: "README.md"), encoding: .utf8)
    }

    /// The fenced blocks of a language.
    private func blocks(_ language: String) -> [String] {
        var blocks: [String] = []
        var block: [Substring]?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if let lines = block {
                if line == "```" {
                    blocks.append(lines.map { $0 + "\n" }.joined())
                    block = nil
                } else {
                    block = lines + [line]
                }
            } else if line == "```\(language)" {
                block = []
            }
        }
        return blocks
    }

    /// Renewed by `app config --reference | sed 's/^#/##/'`: the headings stand one deeper than there.
    @Test func theReferenceIsTheProgramsOwn() throws {
        let begin = try #require(text.firstRange(of: "<!-- config reference: begin -->\n"))
        let end = try #require(text.firstRange(of: "<!-- config reference: end -->"))
        let written = text[begin.upperBound..<end.lowerBound].trimmingCharacters(in: .newlines)
        let generated = Configuration.reference().split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.hasPrefix("#") ? "#\($0)" : "\($0)" }
            .joined(separator: "\n").trimmingCharacters(in: .newlines)
        #expect(written == generated)
    }

    @Test(arguments: ["production", "development"])
    func theExamplePassesTheCheck(_ environment: String) throws {
        let example = try #require(blocks("yaml").first { $0.hasPrefix("base:\n") })
        let directory = try Folder()
        try directory.makeDirectory("secrets")
        try directory.write(DeploymentChecksTests.strong, to: "secrets/secret_key")
        for match in example.matches(of: /files: ([a-z]+)/) { try directory.makeDirectory(String(match.1)) }
        let configuration = try configuration(
            example, named: environment, in: directory.path, secrets: directory["secrets"])
        #expect(RouteAssembly(configuration).problems().map(\.description) == [])
        #expect(configuration.warnings.isEmpty)
        guard environment == "production" else { return }
        let facts = DeploymentFacts(
            isContainer: false, isKubernetes: false, isRoot: false, isRootFileSystemReadOnly: true,
            fileSystem: { _ in .local }, mode: { _ in 0o755 })
        // It stands behind a proxy that speaks TLS.
        let findings = DeploymentChecks(configuration, facts: facts).messages
        #expect(findings.map(\.id) == ["deploy.W005"])
    }

    @Test func theTableOfChecksIsTheProgramsOwn() {
        let rows = text.matches(of: /(?m)^\| `(deploy\.[A-Z0-9]+)` \| (.+) \|$/).map { "\($0.1) \($0.2)" }
        #expect(rows == DeploymentChecks.catalogue.map { "\($0.id) \($0.finds)" })
    }

    /// Lines of the shell that call `app` are parsed by the program: commands, options and their values.
    @Test func commandLinesAreUnderstood() throws {
        registerSites()
        let lines = blocks("sh").flatMap { $0.split(separator: "\n") }
        let calls = lines.compactMap { $0.firstMatch(of: /(?:^|\s)app ([a-z].*?)(?:\s+#.*|\s+&|\s+>.*)?$/)?.1 }
        #expect(calls.count >= 5)
        for call in calls {
            #expect(throws: Never.self, "app \(call)") {
                _ = try AppCommand.parseAsRoot(call.split(separator: " ").map(String.init))
            }
        }
    }

    @Test func commandsExist() {
        let known = Set(AppCommand.configuration.subcommands.compactMap { $0.configuration.commandName })
        let named = Set(text.matches(of: /`app ([a-z]+)/).map { String($0.1) })
        #expect(named.subtracting(known) == [])
        // Nothing that people may call goes without mention.
        #expect(known.subtracting(named).subtracting(["worker", "import", "supervise"]) == [])
    }

    @Test func flagsExist() {
        let help = AppCommand.configuration.subcommands.map { AppCommand.helpMessage(for: $0) }.joined()
        for match in text.matches(of: /`(--[a-z-]+)/) {
            #expect(help.contains(match.1), "\(match.1)")
        }
    }

    @Test func filesAndPlacesExist() {
        for match in text.matches(of: /\]\(([^)#:]+)\)/) {
            let path = Self.root.appending(path: String(match.1)).path
            #expect(FileManager.default.fileExists(atPath: path), "\(match.1)")
        }
        let headings = Set(
            text.matches(of: /(?m)^#+ (.+)$/).map { match in
                match.1.lowercased().filter { $0.isLetter || $0.isNumber || "-_ ".contains($0) }
                    .replacing(" ", with: "-")
            })
        for match in text.matches(of: /\]\(#([^)]+)\)/) {
            #expect(headings.contains(String(match.1)), "#\(match.1)")
        }
    }
}
