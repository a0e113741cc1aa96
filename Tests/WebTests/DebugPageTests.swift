import HTTP
import Testing
import Web

/// A site whose views fail.
private struct Failing: Site {
    struct Mishap: Error, CustomStringConvertible { let description = "it <broke>" }

    let name = "failing"

    var urls: URLs {
        path("mishap/", fail, name: "mishap")
        path("template/", template)
    }

    var templates: EmbeddedFileSet {
        [EmbeddedFile("page.html", text: "<p>one</p>\n<p>two</p>\n{% nonsense %}\n<p>four</p>\n")]
    }

    private func fail(_ request: Request) throws -> Response { throw Mishap() }

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
        for part in ["Mishap at /mishap/", "it &lt;broke&gt;", "<td>/mishap/</td>", "&lt;b&gt;", "shown"] {
            #expect(page.text.contains(part), "\(part)")
        }
        for secret in ["hidden1", "hidden2", "hidden3", "very-secret-text", "<broke>"] {
            #expect(!page.text.contains(secret), "\(secret)")
        }
    }

    @Test func showsTheLinesOfATemplate() async throws {
        let page = try await debug.get("/template/")
        #expect(page.status == 500)
        #expect(page.text.contains("page.html:3"))
        #expect(page.text.contains("<mark>3\t{% nonsense %}</mark>"))
        #expect(page.text.contains("2\t&lt;p&gt;two&lt;/p&gt;"))
    }

    @Test func saysNothingOtherwise() async throws {
        let page = try await TestClient(Failing()).get("/mishap/")
        #expect(page.status == 500)
        #expect(!page.text.contains("broke") && !page.text.contains("Mishap") && !page.text.contains("mishap"))
    }
}
