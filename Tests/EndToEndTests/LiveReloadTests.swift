import TestSupport
import Testing

extension EndToEnd {
    /// What `app dev` puts into pages. (Browser/live keeps a page open in Chromium while files change; it is run by hand.)
    @Suite struct LiveReload {
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
