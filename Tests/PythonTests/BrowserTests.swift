import Platform
import TestSupport
import Testing

extension Python {
    /// A Python application's WebSocket as a browser uses it.
    @Suite struct Browser {
        @Test(.enabled(if: Machine.has("chromium"), "Debian's chromium is not installed"))
        func chromiumTalksToAWebSocket() throws {
            let server = try AppServer(
                """
                base:
                  listen: 127.0.0.1:0
                  workers: {count: 1}
                  sites:
                    web:
                      python: starlette_app:app
                      directory: \(Conformance.folder)/frameworks
                      interpreter: \(Conformance.frameworks)
                """)
            let result = try Command.run(
                [
                    "python3", "\(Command.package)/Tests/EndToEndTests/Browser/echo", server.endpoint.url + "/page",
                    "from a browser ☃",
                ], in: server.folder.path,
                environment: ["HOME": server.folder.path, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"])
            #expect(result.status == .exited(0), "\(result.errors)")
            #expect(result.output.contains("echoed from a browser ☃"), "\(result.output)")
            // It has left two pages, and the application heard of both.
            try eventually("both connections are over") {
                try server.connect().get("/finished").text.split(separator: "disconnect").count == 3
            }
            try server.stop()
        }
    }
}
