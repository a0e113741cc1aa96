import Config
import Foundation
import Glibc
import Platform
import Testing
import Web

@testable import Portico

@Suite struct DeploymentChecksTests {
    static let strong = "9pX2vLq7TzR4mWc8KdF1hJ6nBs3YgU5eAo0iZtVxQwErPyCkMl"

    /// A machine on which there is nothing to find.
    private static let quiet = DeploymentFacts(
        isContainer: false, isKubernetes: false, isRoot: false, isRootFileSystemReadOnly: true,
        fileSystem: { _ in .local }, mode: { _ in 0o755 })

    private func messages(
        _ yaml: String, _ change: (inout DeploymentFacts) -> Void = { _ in }
    ) throws -> [CheckMessage] {
        var facts = Self.quiet
        change(&facts)
        return DeploymentChecks(
            try configuration(yaml, environment: ["SECRET": Self.strong, "SHORT": "short"]), facts: facts
        ).messages
    }

    private func ids(_ yaml: String, _ change: (inout DeploymentFacts) -> Void = { _ in }) throws -> [String] {
        try messages(yaml, change).map { String($0.id.dropFirst("deploy.".count)) }.sorted()
    }

    private static let site = "sites: {polls: {swift: polls}}"
    private static let fine =
        "\(site), secret-key: '${secret:secret}', allowed-hosts: [example.org], cookies: {secure: true}"

    @Test(arguments: [
        (fine, []),
        (fine.replacing("[example.org]", with: "['*']"), ["W003"]),
        ("\(site), allowed-hosts: example.org, cookies: {secure: true}", ["E002"]),
        (fine.replacing("'${secret:secret}'", with: "short"), ["W002", "W016"]),
        (fine.replacing("${secret:secret}", with: "${secret:short}"), ["W002"]),
        (fine.replacing("'${secret:secret}'", with: strong), ["W016"]),
        (fine.replacing("'${secret:secret}'", with: "django-insecure-\(strong)"), ["W002", "W016"]),
        (fine.replacing("'${secret:secret}'", with: String(repeating: "ab", count: 40)), ["W002", "W016"]),
        ("\(site), debug: true", ["E001", "E002", "W003", "W006"]),
        // Files alone need neither key nor hosts.
        ("routes: [{path: /, files: public}]", []),
        ("routes: [{path: /, files: public}], debug: true", ["E001"]),
        (fine + ", reload: {live: true}", ["E017"]),
        (fine + ", listen: 0.0.0.0:8000", ["W005"]),
        (fine + ", listen: ['10.0.0.7:8000', ':80', '[::]:81']", ["W005"]),
        (fine + ", listen: ['127.0.0.1:8000', '[::1]:8000', 'localhost:80', 'unix:/run/app.sock', 'fd:3']", []),
        (fine + ", timeouts: {request: off}", ["W013"]),
        (fine + ", log: {level: debug}", ["W015"]),
        (fine + ", log: {level: trace, access: log/access.log}", ["W015"]),
        (fine + ", user: root", []),
        (fine + ", admin: ['0.0.0.0:9000', '127.0.0.1:9001', 'unix:@admin']", ["E009"]),
        (fine + ", stats: '10.0.0.7:9000'", ["E009"]),
        (fine + ", admin: false", []),
    ])
    func findings(_ yaml: String, _ expected: [String]) throws {
        #expect(try ids("base: {\(yaml)}") == expected)
    }

    @Test func root() throws {
        let yaml = "base: {\(Self.fine)}"
        // Who the tests are is nothing to the point here: what counts is who serves.
        let expected = geteuid() == 0 ? ["E004"] : []
        #expect(try ids(yaml) { $0.isRoot = true } == expected)
        #expect(try ids("base: {\(Self.fine), user: root}") { $0.isRoot = true } == ["E004"])
        #expect(try ids("base: {\(Self.fine), user: 61234, group: 61234}") { $0.isRoot = true } == [])
    }

    @Test func containers() throws {
        let yaml = "base: {\(Self.fine), log: {access: /var/log/access.log}}"
        #expect(try ids(yaml) { $0.isContainer = true } == ["W014"])
        #expect(
            try ids(yaml) {
                $0.isContainer = true
                $0.isRootFileSystemReadOnly = false
            } == ["W008", "W014"])
        #expect(try ids(yaml) { $0.isRootFileSystemReadOnly = false } == [])
        #expect(try ids("base: {\(Self.fine)}") { $0.isKubernetes = true } == ["W012"])
        #expect(try ids("base: {routes: [{path: /, files: x}]}") { $0.isKubernetes = true } == [])
    }

    @Test(
        arguments: [
            (FileSystem.network("NFS"), true, ["E010"]), (.memory, true, ["W011"]), (.overlay, true, ["W011"]),
            (.overlay, false, []), (.local, true, []), (nil, true, []),
        ] as [(FileSystem?, Bool, [String])])
    func databases(_ kind: FileSystem?, _ isContainer: Bool, _ expected: [String]) throws {
        let found = try messages("base: {\(Self.fine)}") {
            $0.isContainer = isContainer
            $0.fileSystem = { $0.hasSuffix("polls.sqlite3") ? kind : .local }
        }
        #expect(found.map { String($0.id.dropFirst(7)) } == expected)
        for message in found { #expect(message.text.contains("'polls'")) }
    }

    @Test func whatAnybodyMayWrite() throws {
        let yaml = """
            base:
              sites: {shop: {python: 'shop:app', directory: /srv/shop, virtualenv: /srv/venv}}
              secret-key: ${secret:secret}
              allowed-hosts: example.org
              routes: [{path: /static/, files: /srv/static}, {path: /, site: shop}]
            """
        for path in ["/srv/shop", "/srv/venv", "/srv/static", "app.yaml"] {
            let found = try messages(yaml) { $0.mode = { $0 == path ? 0o757 : 0o755 } }
            #expect(found.map(\.id) == ["deploy.E007"], "\(path)")
            #expect(found.first?.hint == "chmod o-w \(path)")
        }
        // As /tmp is: anybody may write, and nobody change what others wrote.
        #expect(try ids(yaml) { $0.mode = { _ in 0o1777 } } == [])
        #expect(try ids(yaml) { $0.mode = { _ in nil } } == [])
    }

    @Test func everyFindingHasItsPlaceInTheCatalogue() throws {
        let known = DeploymentChecks.catalogue.map(\.id)
        #expect(Set(known).count == known.count)
        let all = try messages(
            "base: {\(Self.site), debug: true, listen: ':80', timeouts: {request: off}, log: {level: debug}}"
        ) {
            $0 = DeploymentFacts(
                isContainer: true, isKubernetes: true, isRoot: true, isRootFileSystemReadOnly: false,
                fileSystem: { _ in .network("NFS") }, mode: { _ in 0o777 })
        }
        #expect(all.count >= 10)
        for message in all {
            #expect(known.contains(message.id), "\(message.id)")
            #expect((message.level == .error) == message.id.hasPrefix("deploy.E"))
            #expect(message.hint?.isEmpty == false)
        }
    }

    @Test func thisMachine() throws {
        let facts = DeploymentFacts.current(environment: ["KUBERNETES_SERVICE_HOST": "10.0.0.1"])
        #expect(facts.isKubernetes && facts.isContainer)
        #expect(facts.isRoot == (geteuid() == 0))
        #expect(facts.mode("/tmp").map { $0 & 0o1000 != 0 } ?? true)
        #expect(facts.mode("/nonexistent") == nil)
        #expect(facts.fileSystem("/dev/shm/absent/file") == .memory)
        #expect(facts.fileSystem("/proc/absent") == .local)
    }

    @Test func reports() {
        var report = CheckReport(silencing: ["deploy.W003", "urls.W003"])
        report.add(
            [
                CheckMessage("urls.W003", .warning, "twice"),
                CheckMessage("urls.E001", .error, "wrong", hint: "mend it"),
            ], about: "polls")
        report.add(
            [CheckMessage("deploy.W003", .warning, "hosts"), CheckMessage("x.I001", .info, "so")],
            about: "configuration")
        #expect(
            report.lines == ["polls: error: (urls.E001) wrong\n\tHINT: mend it", "configuration: info: (x.I001) so"])
        #expect(report.silenced == 2)
        #expect(report.failures(.error) == 1 && report.failures(.warning) == 1 && report.failures(.info) == 2)
        #expect(report.summary == "no errors, 2 other findings, 2 silenced")
        #expect(CheckReport(silencing: []).summary == "no errors")
        #expect(CheckReport.unknown(["deploy.W003", "deploy.W999", "urls.W003"]) == ["deploy.W999"])
    }
}
