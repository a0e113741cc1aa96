extension StarterFiles {
    /// The smallest site in Python.
    static func python(_ name: StarterName) -> StarterFiles {
        let site = PythonStarter(name: name.text)
        return StarterFiles([
            ("app.py", site.application),
            ("test_app.py", site.tests),
            ("app.yaml", site.configuration),
            ("Dockerfile", site.dockerfile),
            ("README.md", site.readme),
            (".gitignore", "/.venv/\n__pycache__/\n"),
            (".dockerignore", ".venv\n.git\n**/__pycache__\n"),
        ])
    }
}

/// The texts of a site in Python.
private struct PythonStarter {
    let name: String

    var application: String {
        """
        \"\"\"\(name): a WSGI application (PEP 3333).\"\"\"


        def app(environ, start_response):
            if environ["PATH_INFO"] != "/":
                start_response("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
                return [b"Not found\\n"]
            start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
            return [b"Hello from \(name)\\n"]

        """
    }

    var tests: String {
        """
        import unittest
        from wsgiref.util import setup_testing_defaults

        from app import app


        class AppTest(unittest.TestCase):
            def get(self, path):
                environ = {"PATH_INFO": path}
                setup_testing_defaults(environ)
                seen = []
                body = b"".join(app(environ, lambda status, headers: seen.append(status)))
                return seen[0], body

            def test_pages(self):
                self.assertEqual(self.get("/"), ("200 OK", b"Hello from \(name)\\n"))
                self.assertEqual(self.get("/nothing")[0], "404 Not Found")


        if __name__ == "__main__":
            unittest.main()

        """
    }

    var configuration: String {
        """
        base:
          sites:
            \(name): {python: 'app:app', directory: .}
          smoke:
            - {get: /, contains: Hello from \(name)}
            - {get: /nothing, status: 404}
            - {get: /readyz}

        """
    }

    var dockerfile: String {
        """
        # syntax=docker/dockerfile:1

        # Once, in Portico's own directory:  docker build --target python --tag portico:\(Version.number)-python .
        # Here:                              docker build --tag \(name) .
        # Run:                               docker run --rm --publish 8000:8000 --read-only --tmpfs /tmp \(name)

        FROM portico:\(Version.number)-python
        COPY app.py app.yaml /srv/\(name)/
        ENV APP_CONFIG=/srv/\(name)/app.yaml

        """
    }

    var readme: String {
        """
        # \(name)

        A Python site served by Portico.

        ```sh
        app serve               # http://127.0.0.1:8000/
        python3 -m unittest     # the tests
        app smoke               # the requests of app.yaml, against a server of its own
        ```

        `app.py` is the application, and `app.yaml` says how it is served; any WSGI or ASGI application may take its place.

        """
    }
}
