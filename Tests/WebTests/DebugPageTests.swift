import Diagnosis
import HTTP
import TestSupport
import Testing
import Web

/// A site whose views fail.
private struct Failing: Site {
    struct Mishap: Error, CustomStringConvertible { let description = "it <broke>" }

    let name = "failing"

    var urls: URLs {
        path("mishap/", fail, name: "mishap")
        path("template/", template)
        path("later/", later)
        path("sql/", sql)
    }

    var templates: EmbeddedFileSet {
        [EmbeddedFile("page.html", text: "<p>one</p>\n<p>two</p>\n{% nonsense %}\n<p>four</p>\n")]
    }

    private func fail(_ request: Request) throws -> Response { throw Mishap() }

    private func later(_ request: Request) async throws -> Response {
        try await request.onThread {
            throw Mishap()  // later
        }
    }

    private func sql(_ request: Request) throws -> Response {
        _ = try request.database.rows("SELECT * FROM no_such_table")
        return .text("")
    }

    private func template(_ request: Request) throws -> Response { try request.render("page.html") }
}

@Suite struct DebugPageTests {
    private let debug = TestClient(Failing(), settings: SiteSettings(isDebug: true))

    @Test func showsErrorRequestAndSettingsWithoutSecrets() async throws {
        let client = TestClient(
            Failing(), settings: SiteSettings(secretKey: SecretKey("very-secret-text"), isDebug: true))
        let page = try await client.get(
            "/mishap/?word=<b>&access_token=hidden1",
            fields: [("Authorization", "Bearer hidden2"), ("Cookie", "sessionid=hidden3"), ("X-Plain", "shown")])
        #expect(page.status == 500)
        expect(
            page.text, shows: ["Mishap at /mishap/", "it &lt;broke&gt;", "<td>/mishap/</td>", "&lt;b&gt;", "shown"],
            hides: ["hidden1", "hidden2", "hidden3", "very-secret-text", "<broke>"])
    }

    @Test func showsTheLinesOfATemplate() async throws {
        let page = try await debug.get("/template/")
        #expect(page.status == 500)
        #expect(page.text.contains("page.html:3"))
        #expect(page.text.contains("<span class=\"here\"><b>3</b>{% nonsense %}</span>"))
        #expect(page.text.contains("<b>2</b>&lt;p&gt;two&lt;/p&gt;"))
    }

    @Test func opensATemplateThatIsAFileInTheEditor() async throws {
        let folder = try Folder()
        var settings = SiteSettings(isDebug: true)
        settings.editor = EditorLink("vscode")
        settings.templateDirectories = [folder.path]
        let client = TestClient(Failing(), settings: settings)
        // The one in the binary is no file.
        #expect(try await !client.get("/template/").text.contains("vscode:"))
        try folder.write("<p>one</p>\n  {% nonsense %}\n", to: "page.html")
        let page = try await client.get("/template/")
        #expect(page.text.contains("<a href=\"vscode://file\(folder.path)/page.html:2:3\">page.html:2:3</a>"))
    }

    @Test(arguments: TestClient.GatewayKind.allCases)
    func showsWhereItWasThrown(_ gateway: TestClient.GatewayKind) async throws {
        var settings = SiteSettings(database: .memory, isDebug: true)
        settings.editor = EditorLink("vscode")
        let client = TestClient(Failing(), gateway: gateway, settings: settings)
        for (path, line) in [
            ("/mishap/", "{ throw Mishap() }"), ("/later/", "throw Mishap()  // later"), ("/sql/", "no_such_table"),
        ] {
            let page = try await client.get(path).text
            let marked = page.split(separator: "<span class=\"here\">").dropFirst().map { $0.prefix { $0 != "\n" } }
            #expect(marked.contains { $0.contains(line) }, "\(path): \(marked)")
            #expect(page.contains("vscode://file\(#filePath):"), "\(path)")
        }
    }

    @Test func isTextForOthers() async throws {
        let page = try await debug.get("/mishap/", fields: [("Accept", "application/json, */*")])
        #expect(page.status == 500)
        #expect(page.head.fields["Content-Type"] == "text/plain; charset=utf-8")
        #expect(page.text.hasPrefix("Mishap at /mishap/\n\nit <broke>\n"))
    }

    @Test func saysNothingOtherwise() async throws {
        let page = try await TestClient(Failing()).get("/mishap/")
        #expect(page.status == 500)
        #expect(!page.text.contains("broke") && !page.text.contains("Mishap") && !page.text.contains("mishap"))
    }
}
