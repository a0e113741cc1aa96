import Config
import Glibc
import Testing
import Web

@testable import Portico

@Suite struct DeploymentChecksTests {
    static let strong = "9pX2vLq7TzR4mWc8KdF1hJ6nBs3YgU5eAo0iZtVxQwErPyCkMl"

    private func ids(_ yaml: String) throws -> Set<String> {
        let messages = DeploymentChecks(try configuration(yaml)).messages
        #expect(messages.allSatisfy { $0.hint != nil })
        return Set(messages.map(\.id)).subtracting(["deploy.W004"])
    }

    @Test(arguments: [
        ("base: {sites: {polls: {swift: polls}}, secret-key: \(strong), allowed-hosts: [example.org]}", []),
        ("base: {sites: {polls: {swift: polls}}, secret-key: \(strong)}", ["deploy.W003"]),
        ("base: {sites: {polls: {swift: polls}}, allowed-hosts: example.org}", ["deploy.E002"]),
        ("base: {sites: {polls: {swift: polls}}, secret-key: short, allowed-hosts: example.org}", ["deploy.W002"]),
        (
            "base: {sites: {polls: {swift: polls}}, secret-key: \(String(repeating: "ab", count: 40)), "
                + "allowed-hosts: .example.org}", ["deploy.W002"]
        ),
        ("base: {sites: {polls: {swift: polls}}, debug: true}", ["deploy.E001", "deploy.E002", "deploy.W003"]),
        // Files alone need neither key nor hosts.
        ("base: {routes: [{path: /, files: public}]}", []),
        ("base: {routes: [{path: /, files: public}], debug: true}", ["deploy.E001"]),
    ])
    func findings(_ yaml: String, _ expected: [String]) throws {
        #expect(try ids(yaml) == Set(expected))
    }

    @Test func runningAsRoot() throws {
        let messages = DeploymentChecks(try configuration("base: {routes: [{path: /, files: public}]}")).messages
        #expect(messages.contains { $0.id == "deploy.W004" } == (getuid() == 0))
    }

    @Test func errorsAndWarnings() throws {
        for message in DeploymentChecks(try configuration("base: {sites: {polls: {swift: polls}}, debug: true}"))
            .messages
        {
            #expect((message.level == .error) == message.id.hasPrefix("deploy.E"))
        }
    }
}
