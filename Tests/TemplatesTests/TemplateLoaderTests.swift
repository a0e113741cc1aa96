import Glibc
import Templates
import TestSupport
import Testing

@Suite struct TemplateLoaderTests {
    @Test func `a directory's templates, and nothing outside it`() throws {
        let folder = try Folder()
        try folder.write("secret", to: "secret.txt")
        try folder.write("index", to: "root/index.html")
        try folder.write("detail", to: "root/polls/detail.html")
        try folder.write("hidden", to: "root/.hidden.html")
        symlink("../secret.txt", folder.path + "/root/link.html")
        symlink("index.html", folder.path + "/root/alias.html")
        let loader = DirectoryLoader(folder.path + "/root")
        #expect(try loader.names() == ["alias.html", "index.html", "polls/detail.html"])
        #expect(try loader.source(of: "polls/detail.html")?.bytes == Array("detail".utf8))
        #expect(try loader.source(of: "alias.html")?.bytes == Array("index".utf8))
        let refused = [
            "link.html", "../secret.txt", "polls/../../secret.txt", "/etc/passwd", "polls", "", "polls//detail.html",
            "./index.html", "index.html\0", "gone.html", "index.html/x",
        ]
        for name in refused { #expect(try loader.source(of: name) == nil, "\(name)") }
    }

    @Test func `only the extensions asked for are listed`() throws {
        let folder = try Folder()
        for name in ["a.html", "b.txt", "c"] { try folder.write("", to: name) }
        #expect(try DirectoryLoader(folder.path, extensions: ["html"]).names() == ["a.html"])
    }

    @Test func `an unreadable directory is an error, an absent template is none`() {
        let loader = DirectoryLoader("/nonexistent/templates")
        #expect(throws: DirectoryLoader.Failure.self) { try loader.names() }
        #expect(throws: Never.self) { try loader.source(of: "a.html") }
    }

    @Test func `the first loader of a chain wins`() throws {
        let chain = ChainedLoader([
            MemoryLoader(["a": "first"]), MemoryLoader(["a": "second", "b": "{% include 'a' %}"]),
        ])
        #expect(try chain.names() == ["a", "b"])
        #expect(try TemplateEngine(loader: chain).render("b") == Array("first".utf8))
    }

    @Test func `changes are seen only when asked for`() throws {
        let folder = try Folder()
        try folder.write("one", to: "a.html")
        var settings = TemplateSettings()
        let cached = TemplateEngine(loader: DirectoryLoader(folder.path), settings: settings)
        settings.checksForChanges = true
        let fresh = TemplateEngine(loader: DirectoryLoader(folder.path), settings: settings)
        #expect(try cached.render("a.html") == Array("one".utf8))
        #expect(try fresh.render("a.html") == Array("one".utf8))
        try folder.write("three", to: "a.html")
        #expect(try cached.render("a.html") == Array("one".utf8))
        #expect(try fresh.render("a.html") == Array("three".utf8))
    }

    @Test func `checking compiles all templates and follows literal names`() {
        let engine = TemplateEngine(
            loader: MemoryLoader([
                "good.html":
                    "{% extends 'base.html' %}{% block a %}{% include 'part.html' %}{% include x %}{% endblock %}",
                "base.html": "{% block a %}{% endblock %}", "bad.html": "{% if %}", "part.html": "{{ x }}",
                "lost.html": "\n{% include 'gone.html' %}",
            ]))
        let errors = engine.checkAll()
        #expect(errors.map(\.template) == ["bad.html", "lost.html"])
        #expect(errors.last?.kind == .templateNotFound(["gone.html"]))
        #expect(errors.last?.line == 2)
    }

    @Test func `a loader's error becomes a template error`() {
        struct Failing: TemplateLoader {
            func source(of name: String) throws -> TemplateSource? { throw TemplateFailure("the disk is gone") }
        }
        do throws(TemplateError) {
            _ = try TemplateEngine(loader: Failing()).render("a")
            Issue.record("rendered")
        } catch {
            #expect(error.message == "template 'a' cannot be read: the disk is gone")
        }
    }
}
