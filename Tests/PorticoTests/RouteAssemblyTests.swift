import Config
import Front
import TestSupport
import Testing

@testable import Portico

@Suite struct RouteAssemblyTests {
    @Test(arguments: [
        (
            "base:\n  sites:\n    shop: {swift: pols}\n",
            ["app.yaml:3:19: sites.shop.swift: there is no site 'pols' in this binary; it carries: polls"]
        ),
        (
            "base:\n  sites:\n    shop: {python: 'shop.wsgi:application', directory: none}\n",
            ["app.yaml:3:56: sites.shop.directory: there is no directory /srv/nowhere/none"]
        ),
        (
            "base:\n  routes:\n    - {path: /a/, files: missing}\n",
            ["app.yaml:3:26: routes[0].files: '/srv/nowhere/missing': no such directory"]
        ),
        (
            "base:\n  sites:\n    a: {swift: x}\n    b: {swift: polls}\n  routes:\n    - {path: /, site: b}\n"
                + "    - {path: /f/, files: none}\n",
            [
                "app.yaml:3:16: sites.a.swift: there is no site 'x' in this binary; it carries: polls",
                "app.yaml:7:26: routes[1].files: '/srv/nowhere/none': no such directory",
            ]
        ),
        ("base:\n  sites:\n    polls: {swift: polls}\n", []),
    ])
    func problems(_ yaml: String, _ expected: [String]) throws {
        let configuration = try configuration(yaml, in: "/srv/nowhere")
        #expect(RouteAssembly(configuration).problems().map(\.description) == expected)
    }

    @Test func aRootThatIsAFile() throws {
        let directory = try Folder()
        try directory.write("text", to: "page")
        let configuration = try configuration("base:\n  routes: [{path: /, files: page}]\n", in: directory.path)
        let problems = RouteAssembly(configuration).problems().map(\.description)
        #expect(problems.count == 1)
        #expect(problems.first?.hasPrefix("app.yaml:2:29: routes[0].files: '\(directory.path)/page': ") == true)
    }

    /// A directory behind a fallback is looked for, too.
    @Test func rootsOfFallbacks() throws {
        let directory = try Folder()
        try directory.makeDirectory("first")
        let yaml = "base:\n  routes:\n    - {path: /, files: first, fallback: {files: second}}\n"
        let problems = RouteAssembly(try configuration(yaml, in: directory.path)).problems().map(\.description)
        #expect(problems.count == 1)
        #expect(problems.first?.contains("'\(directory.path)/second'") == true)
    }

    @Test func everyActionArrivesInTheTable() throws {
        let directory = try Folder()
        try directory.makeDirectory("public")
        let yaml = """
            base:
              sites: {polls: {swift: polls}}
              routes:
                - {path: /, site: polls}
                - {path: /assets/, files: public, fallback: polls}
                - {path: =/ping, respond: pong}
                - {path: /old/, redirect: /new/, status: 301}
                - {path: '~\\.php$', deny: true}
                - {host: example.org, path: /, respond: hello}
            """
        let assembly = RouteAssembly(try configuration(yaml, in: directory.path))
        #expect(assembly.problems().isEmpty)
        let rows = try assembly.table().descriptions
        #expect(rows.count == 6)
        #expect(rows.map(\.pattern).sorted() == ["/", "/", "/assets/", "/old/", "=/ping", "~\\.php$"])
        #expect(rows.filter { $0.host == "example.org" }.count == 1)
        let assets = try #require(rows.first { $0.pattern == "/assets/" })
        #expect(assets.actions.contains("\(directory.path)/public"))
        #expect(assets.actions.contains("polls"))
    }

    @Test(arguments: [("^/a+$", true), ("(", false), ("[a-", false), ("\\.php$", true)])
    func expressions(_ text: String, _ isFine: Bool) {
        #expect((RouteAssembly.problem(ofExpression: text) == nil) == isFine)
    }
}
