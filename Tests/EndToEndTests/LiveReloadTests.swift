import Platform
import TestSupport
import Testing

extension EndToEnd {
    /// `app dev` with a page open in Chromium: see the script for what is changed and what the page has to do.
    @Suite struct LiveReload {
        @Test(.enabled(if: Machine.has("chromium"), "Debian's chromium is not installed"))
        func pagesFollowTheFiles() throws {
            let session = try Command.run(
                ["python3", "\(Command.package)/Tests/EndToEndTests/Browser/live", Command.app],
                environment: ["HOME": "/root", "TMPDIR": "/tmp"])
            #expect(session.status == .exited(0), "\(session.output)\(session.errors)")
        }

        /// Nothing of it outside development.
        @Test func servedPagesHaveNoScript() throws {
            let server = try AppServer(PollsPages.configuration("process", "asgi"))
            let page = try server.get("/", "Accept: text/html")
            #expect(page.status == 200 && !page.text.contains("_portico"))
            #expect(try server.get("/_portico/live.js").status == 404)
            try server.stop()
        }
    }
}
