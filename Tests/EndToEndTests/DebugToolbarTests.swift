import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// The panel that shows what a page of polls has cost.
    @Suite struct DebugToolbars {
        @Test(arguments: ["wsgi", "asgi"]) func showThePagesOfDevelopment(_ gateway: String) throws {
            let server = try AppServer(PollsPages.configuration("process", gateway), ["--env", "development"])
            let page = try server.get("/", "Accept: text/html", "Cookie: a=hidden")
            #expect(page.status == 200)
            expect(
                page.text,
                shows: [
                    "<aside id=\"portico-toolbar\"", "SQL: 1 statement</h2>", "FROM &quot;polls_question&quot; WHERE",
                    "<td>polls/index.html</td>", "<td>polls/base.html</td>", "<td>View IndexView</td>",
                    "<td>Cookie</td><td>****</td>",
                ], hides: ["hidden</td>"])
            #expect(try !server.get("/", "Accept: application/json").text.contains("portico-toolbar"))
            try server.stop()
        }

        @Test(arguments: [[], ["--env", "development", "--set", "debug-toolbar=false"]])
        func areNotInOtherPages(_ arguments: [String]) throws {
            let server = try AppServer(PollsPages.configuration("process", "asgi"), arguments)
            let page = try server.get("/", "Accept: text/html")
            #expect(page.status == 200 && page.text.contains("How should a server restart?"))
            #expect(!page.text.contains("portico-toolbar"))
            try server.stop()
        }

        @Test(.enabled(if: Machine.has("chromium"), "Debian's chromium is not installed"))
        func areOpenedByKeyboard() throws {
            let server = try AppServer(PollsPages.configuration("process", "asgi"), ["--env", "development"])
            let result = try Command.run(
                ["python3", "\(Command.package)/Tests/EndToEndTests/Browser/toolbar", server.endpoint.url + "/"],
                in: server.folder.path,
                environment: ["HOME": server.folder.path, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"])
            #expect(result.status == .exited(0), "\(result.errors)")
            try server.stop()
        }
    }
}
