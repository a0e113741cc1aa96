import TestSupport
import Testing

extension EndToEnd {
    /// Exceptions that leave a Python application.
    @Suite struct PythonDebugPages {
        private static let failing = """
            def inner(order):
                password = "local" + "-value"
                raise ValueError("of <b>this</b>")  # the place

            def work():
                try:
                    inner(order="of " + "values")
                except ValueError as error:
                    raise RuntimeError("outer") from error

            """
        private static let wsgi = """
            def app(environ, start_response):
                if environ["PATH_INFO"] == "/late":
                    return late(start_response)
                if environ["PATH_INFO"] == "/started":
                    start_response("200 OK", [("Content-Type", "text/plain")])
                if environ["PATH_INFO"] == "/body":
                    return body(start_response)
                work()

            def late(start_response):
                start_response("200 OK", [("Content-Type", "text/plain")])
                yield b"begun "
                work()

            def body(start_response):
                start_response("200 OK", [("Content-Type", "text/plain")])
                yield b""
                work()

            """
        private static let asgi = """
            async def app(scope, receive, send):
                if scope["type"] != "http":
                    raise NotImplementedError(scope["type"])
                if scope["path"] == "/silent":
                    return
                if scope["path"] in ("/late", "/started"):
                    await send({"type": "http.response.start", "status": 200,
                                "headers": [(b"content-type", b"text/plain")]})
                if scope["path"] == "/late":
                    await send({"type": "http.response.body", "body": b"begun ", "more_body": True})
                work()

            """
        private static let key = "a-key-of-the-tests-that-is-long-enough-0123456789-abcdef"
        private static let secrets = ["local-value", "of values", "hidden1", "hidden2", "hidden3", key]

        private static func server(_ gateway: String, _ options: String, _ arguments: [String]) throws -> AppServer {
            try Folder.pythonServer(
                failing + (gateway == "wsgi" ? wsgi : asgi), options: options + "\nsecret-key: \(key)",
                arguments: arguments)
        }

        private static let ways = [
            ("wsgi", ["--mode", "process"]), ("wsgi", ["--mode", "process", "--threads", "1"]),
            ("wsgi", ["--mode", "thread"]), ("asgi", ["--mode", "process"]), ("asgi", ["--mode", "thread"]),
        ]

        @Test(arguments: ways) func showWhereRequestAndSettings(_ gateway: String, _ mode: [String]) throws {
            let server = try Self.server(gateway, "debug: true\neditor: vscode", mode)
            let page = try server.get(
                "/any/path?word=%3Ci%3E&access_token=hidden1", "Accept: text/html", "Authorization: Bearer hidden2",
                "Cookie: session=hidden3", "X-Plain: shown")
            #expect(page.status == 500)
            #expect(page["content-type"] == "text/html; charset=utf-8")
            expect(
                page.text,
                shows: [
                    "<h1>RuntimeError at /any/path</h1>", "<pre class=\"said\">RuntimeError: outer</pre>",
                    "<h2>Caused by ValueError: of &lt;b&gt;this&lt;/b&gt;</h2>", "<p>in inner</p>", "<p>in app</p>",
                    "<span class=\"here\"><b>3</b>    raise ValueError(&quot;of &lt;b&gt;this&lt;/b&gt;&quot;)  # the place</span>",
                    "<b>2</b>    password = ", "href=\"vscode://file\(server.folder.path)/app.py:3:1\"",
                    "<td>&lt;i&gt;</td>", "<td>shown</td>", "<td>app:app</td>", "<td>****</td>",
                    "Traceback (most recent call last)",
                ], hides: Self.secrets)
            // The innermost frame of the exception that was let out comes first.
            let places = page.text.split(separator: "<p>in ").dropFirst().map { $0.prefix { $0 != "<" } }
            #expect(places.first == "work" && places.last == "work" && places.contains("inner"), "\(places)")

            let text = try server.get("/any/path", "Accept: application/json")
            #expect(text.status == 500)
            #expect(text["content-type"] == "text/plain; charset=utf-8")
            #expect(text.text.hasPrefix("RuntimeError at /any/path\n\nRuntimeError: outer\n"))
            #expect(text.text.contains("> 3\t    raise ValueError(\"of <b>this</b>\")  # the place"))

            // Not yet begun, and begun.
            #expect(try server.get("/started", "Accept: text/html").text.contains("<h1>RuntimeError at /started</h1>"))
            let other = gateway == "wsgi" ? ("/body", "RuntimeError at /body") : ("/silent", "No answer at /silent")
            #expect(try server.get(other.0, "Accept: text/html").text.contains("<h1>\(other.1)</h1>"))
            let connection = try server.connect()
            try connection.send("GET /late HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n")
            let late = try connection.receiveToEnd()
            #expect(late.hasPrefix("HTTP/1.1 200 ") && late.contains("begun "))
            #expect(!late.contains("RuntimeError") && !late.hasSuffix("0\r\n\r\n"), "\(late)")
            try server.stop()
        }

        @Test(arguments: ways) func areNotShownWithoutDebug(_ gateway: String, _ mode: [String]) throws {
            let server = try Self.server(gateway, "", mode)
            for path in ["/any/path", "/started", gateway == "wsgi" ? "/body" : "/silent"] {
                let page = try server.get(path, "Accept: text/html")
                #expect(page.status == 500)
                #expect(page.text == "500 Internal Server Error\n")
            }
            try server.stop()
        }
    }
}
