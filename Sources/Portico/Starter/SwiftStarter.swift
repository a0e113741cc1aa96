extension StarterFiles {
    /// A site in Swift: a guest book, with everything that a site has.
    /// - Parameter portico: where the package of Portico is: a directory, or a URL of a Git repository.
    static func swift(_ name: StarterName, portico: String) -> StarterFiles {
        let site = SwiftStarter(name: name.text, identifier: name.identifier, type: name.type, portico: portico)
        let sources = "Sources/\(name.text)"
        return StarterFiles([
            ("Package.swift", site.package),
            ("README.md", site.readme),
            ("Dockerfile", site.dockerfile),
            (".dockerignore", ".build\n.git\n*.sqlite3*\n"),
            (".gitignore", "/.build/\n*.sqlite3*\n"),
            (".swift-format", site.format),
            ("app.yaml", site.configuration),
            ("\(sources)/Main.swift", site.main),
            ("\(sources)/\(name.type)Site.swift", site.site),
            ("\(sources)/Entry.swift", site.model),
            ("\(sources)/Migrations.swift", site.migrations),
            ("\(sources)/Views.swift", site.views),
            ("\(sources)/Templates/\(name.text)/base.html", site.base),
            ("\(sources)/Templates/\(name.text)/index.html", site.index),
            ("\(sources)/Static/\(name.text)/style.css", site.style),
            ("Tests/\(name.text)-tests/\(name.type)Tests.swift", site.tests),
        ])
    }
}

/// The texts of a site in Swift.
private struct SwiftStarter {
    let name: String
    let identifier: String
    let type: String
    let portico: String

    var isRemote: Bool { portico.contains("://") || portico.hasPrefix("git@") }

    var package: String {
        let dependency =
            isRemote
            ? ".package(url: \"\(portico)\", from: \"\(Version.number)\")"
            : ".package(name: \"portico\", path: Context.environment[\"PORTICO\"] ?? \"\(portico)\")"
        let identity =
            isRemote
            ? (portico.split(whereSeparator: { "/:".contains($0) }).last.map(String.init) ?? "portico").lowercased()
                .replacing(".git", with: "") : "portico"
        return """
            // swift-tools-version: 6.2
            import PackageDescription

            let package = Package(
                name: "\(name)",
                dependencies: [
                    \(dependency)
                ],
                targets: [
                    .executableTarget(
                        name: "\(name)", dependencies: [.product(name: "Portico", package: "\(identity)")],
                        plugins: [.plugin(name: "EmbedResources", package: "\(identity)")]),
                    .testTarget(
                        name: "\(name)-tests",
                        dependencies: ["\(name)", .product(name: "Portico", package: "\(identity)")]),
                ]
            )

            """
    }

    var format: String {
        """
        {
          "version": 1,
          "lineLength": 120,
          "indentation": { "spaces": 4 }
        }

        """
    }

    var main: String {
        """
        import Portico

        /// The program: everything that `app` can do, with this site in it.
        @main
        struct Main: App {
            static let sites: [any Site] = [\(type)Site()]
        }

        """
    }

    var site: String {
        """
        import Portico

        /// A guest book: people write their name into it.
        struct \(type)Site: Site {
            let name = "\(name)"

            var urls: URLs {
                path("", IndexView(), name: "index")
                path("sign/", sign, name: "sign")
            }

            var templates: EmbeddedFileSet { EmbeddedFiles.templates }
            var staticFiles: EmbeddedFileSet { EmbeddedFiles.staticFiles }
            var models: [any Model.Type] { [Entry.self] }
            var migrations: [Migration] { [.initial] }
        }

        """
    }

    var model: String {
        """
        import Portico

        /// A name in the guest book.
        struct Entry: Model {
            static let table = "\(identifier)_entry"
            static let name = Field("name", \\.name, label: "name", maxLength: 80)
            static let columns = Columns(id, name)

            var id = 0
            var name: String
        }

        extension Entry {
            init(row: Row) throws(DatabaseError) {
                id = try row[Self.id]
                name = try row[Self.name]
            }
        }

        """
    }

    var migrations: String {
        """
        import Portico

        // Each migration runs once, when the server starts or by `migrate`. What has run is not changed any more: what comes
        // next is a migration of its own.
        extension Migration {
            static let initial = Migration(
                "0001_initial",
                sql: \"\"\"
                    CREATE TABLE \(identifier)_entry (
                        id INTEGER PRIMARY KEY AUTOINCREMENT,
                        name VARCHAR(80) NOT NULL
                    );
                    \"\"\")
        }

        """
    }

    var views: String {
        """
        import Portico

        /// The ten names written last, and a form for the next.
        struct IndexView: ListView {
            let template = "\(name)/index.html"
            let listName = "entries"

            func query(for request: Request) -> QuerySet<Entry> {
                Entry.objects.ordered(by: Entry.id.descending).limited(to: 10)
            }
        }

        /// Writes a name down, and shows the page again.
        func sign(_ request: Request) throws -> Response {
            try request.require(.post)
            let name = String((try request.form["name"] ?? "").prefix(80))
            if !name.isEmpty { _ = try Entry(name: name).created(in: request.database) }
            return .redirect(to: try request.url(for: "\(name):index"))
        }

        """
    }

    var base: String {
        """
        {% load static %}<!DOCTYPE html>
        <html lang="en">
        <head>
          <meta charset="utf-8">
          <meta name="viewport" content="width=device-width, initial-scale=1">
          <title>{% block title %}\(type){% endblock %}</title>
          <link rel="stylesheet" href="{% static '\(name)/style.css' %}">
        </head>
        <body>
          <main>
            {% block content %}{% endblock %}
          </main>
        </body>
        </html>

        """
    }

    var index: String {
        """
        {% extends "\(name)/base.html" %}

        {% block title %}Guest book{% endblock %}

        {% block content %}
            <h1>Guest book</h1>
            <form action="{% url '\(name):sign' %}" method="post">
              {% csrf_token %}
              <label for="name">Your name</label>
              <input id="name" name="name" maxlength="80" required autocomplete="name">
              <button type="submit">Sign</button>
            </form>
            {% if entries %}
            <ul>
              {% for entry in entries %}
              <li>{{ entry.name }}</li>
              {% endfor %}
            </ul>
            {% else %}
            <p>Nobody has signed yet.</p>
            {% endif %}
        {% endblock %}

        """
    }

    var style: String {
        """
        :root {
          color-scheme: light dark;
        }

        body {
          margin: 0 auto;
          padding: 1rem 1.25rem;
          max-width: 40rem;
          font: 1.125rem/1.5 system-ui, sans-serif;
        }

        input,
        button {
          padding: 0.4rem 0.7rem;
          font: inherit;
        }

        """
    }

    var tests: String {
        """
        import Portico
        import Testing

        @testable import \(identifier)

        @Suite struct \(type)Tests {
            @Test func signing() async throws {
                let client = TestClient(\(type)Site())
                #expect(try await client.get("/").text.contains("Nobody has signed yet."))
                let page = try await client.post("/sign/", ["name": "Ada <3"], follow: true)
                #expect(page.status == .ok)
                #expect(page.text.contains("Ada &lt;3"))
            }

            @Test func onlyAFormSigns() async throws {
                #expect(try await TestClient(\(type)Site()).get("/sign/").status.code == 405)
            }
        }

        """
    }

    var configuration: String {
        """
        base:
          sites:
            \(name): {swift: \(name)}
          smoke:
            - {get: /, contains: Guest book}
            - {post: /sign/, form: {name: Ada}, csrf: true, follow: true, contains: Ada}
            - {get: /static/\(name)/style.css, header: {Content-Type: ~^text/css}}
            - {get: /readyz}

        # What is in force with --env development, beside defaults that suit it.
        development:
          listen: 127.0.0.1:8000

        # What is in force otherwise. Name the hosts that the site is reached by: allowed-hosts: [www.example.org]
        production:
          listen: 127.0.0.1:8000
          secret-key: ${secret:secret_key}

        """
    }

    var dockerfile: String {
        let context = isRemote ? "" : " --build-context portico=\(portico)"
        let source =
            isRemote
            ? ""
            : "# Portico's package, by the build context of that name.\n# hadolint ignore=DL3022\nCOPY --from=portico . /portico\nENV PORTICO=/portico\n"
        return """
            # syntax=docker/dockerfile:1

            # Once, in Portico's own directory:  docker build --tag portico:\(Version.number) .
            # Here:                              docker build\(context) --tag \(name) .
            # Run:                               docker run --rm --publish 8000:8000 --read-only --tmpfs /tmp \\
            #                                        --volume \(name):/data --env SECRET_KEY=… \(name)

            FROM swift:6.3.1-bookworm AS build

            # hadolint ignore=DL3008
            RUN apt-get update \\
                && apt-get install --yes --no-install-recommends libdeflate-dev libsqlite3-dev zlib1g-dev \\
                && rm -rf /var/lib/apt/lists/*

            \(source)WORKDIR /src
            COPY Package.swift ./
            RUN swift package resolve
            COPY Sources Sources
            COPY Tests Tests
            RUN swift build --configuration release --static-swift-stdlib --product \(name) \\
                && install -D -m 0755 "$(swift build --configuration release --static-swift-stdlib --show-bin-path)/\(name)" /out/app

            # Portico's own image, with this program in place of its own: user 65532, data in /data, health check.
            FROM portico:\(Version.number)
            COPY --from=build /out/app /usr/local/bin/app
            COPY app.yaml /etc/app/app.yaml

            """
    }

    var readme: String {
        """
        # \(name)

        A site served by Portico.

        ```sh
        swift run \(name) serve --env development   # http://127.0.0.1:8000/
        swift test                                  # the site's tests, in memory
        swift run \(name) smoke --env development   # the requests of app.yaml, against a server of its own
        swift run \(name) check                     # mistakes in configuration, URL table and templates
        ```

        | Where | What |
        | --- | --- |
        | `Sources/\(name)/\(type)Site.swift` | the URL table |
        | `Sources/\(name)/Views.swift` | what answers |
        | `Sources/\(name)/Entry.swift`, `Migrations.swift` | the model and its table |
        | `Sources/\(name)/Templates`, `Static` | pages and files, which become part of the program |
        | `Tests` | tests |
        | `app.yaml` | where it listens, and all else that is configured; `swift run \(name) config --reference` lists it |

        In production the server needs a secret key, as a file `/run/secrets/secret_key` or as `$SECRET_KEY`; then
        `swift run \(name) check --deploy` says what else is missing. The `Dockerfile` says how it becomes an image.

        """
    }
}
