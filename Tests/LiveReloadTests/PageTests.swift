import Diagnosis
import Testing

@testable import LiveReload

@Suite struct PageTests {
    @Test(arguments: [
        ("script-src 'nonce-abc'", "abc"), ("default-src 'self' 'nonce-x'", "x"),
        ("default-src 'nonce-x'; script-src 'self'", nil), ("script-src-elem 'nonce-e'; script-src 'nonce-s'", "e"),
        ("", nil),
    ])
    func theNonceOfAPolicy(_ policy: String, _ nonce: String?) {
        #expect(ContentPolicy(policy).nonce == nonce)
    }

    @Test(arguments: [
        ("default-src 'self'", "default-src 'self'"),
        ("default-src 'none'", "default-src 'none'; script-src 'self'; connect-src 'self'"),
        ("script-src https://cdn.example", "script-src https://cdn.example 'self'"),
        ("script-src 'nonce-a'; connect-src 'none'", "script-src 'nonce-a'; connect-src 'self'"),
        ("img-src 'none'", "img-src 'none'"),
        ("default-src https: 'nonce-a'", "default-src https: 'nonce-a'; connect-src https: 'nonce-a' 'self'"),
    ])
    func aPolicyIsWidenedByTheScriptAlone(_ policy: String, _ widened: String) {
        #expect(ContentPolicy(policy).widened == widened)
    }

    @Test func statesComeThrough() {
        var state = LiveState()
        #expect(LiveState(state.text) == state)
        state.changed(style: "/a/b c.css")
        state.busy = "Compiling [1/2]"
        #expect(LiveState(state.text) == state)
        for text in ["", "one", "a\nb\n", "\n"] {
            state.replace(report: ErrorReport(title: "swift build failed", text: text))
            #expect(LiveState(state.text) == state)
        }
        state.replace(report: nil)
        #expect(LiveState(state.text) == state)
    }

    @Test func whatHasChangedCounts() {
        var state = LiveState()
        state.changed(style: "a.css")
        #expect(state.number == 1 && state.style == "a.css")
        state.changed()
        #expect(state.number == 2 && state.style == nil)
        state.replace(report: nil)
        #expect(state.number == 2)
        state.replace(report: ErrorReport(title: "t", text: ""))
        state.replace(report: ErrorReport(title: "t", text: ""))
        #expect(state.number == 3)
        state.changed(style: "two\nlines.css")
        #expect(state.number == 4 && state.style == nil)
    }

    @Test(arguments: ["", "other thing", "live", "live x\n\n", "hold"])
    func whatIsNotKnownIsNoState(_ text: String) {
        #expect(LiveState(text) == nil)
    }

    @Test func placesOfACompiler() {
        let report = ErrorReport(
            title: "",
            text: """
                [3/9] Compiling Shop Views.swift
                /srv/Views.swift:12:7: error: cannot find 'x' in scope
                10 |
                12 |     x
                   |     `- error: cannot find 'x' in scope
                /srv/Views.swift:12:7: error: again
                /srv/Other.swift:3:1: warning: unused
                app.yaml:4:7: sites.polls.swfit: unknown key
                """)
        #expect(
            report.places == [
                .init(file: "/srv/Views.swift", line: 12, column: 7, message: "cannot find 'x' in scope"),
                .init(file: "app.yaml", line: 4, column: 7, message: "sites.polls.swfit: unknown key"),
            ])
    }

    @Test func placesOfPython() {
        let report = ErrorReport(
            title: "",
            text: """
                Traceback (most recent call last):
                  File "<frozen importlib._bootstrap>", line 1176, in _find_and_load
                  File "/srv/shop/wsgi.py", line 3, in <module>
                    import models
                  File "/srv/shop/models.py", line 9
                    class
                         ^
                SyntaxError: invalid syntax
                """)
        #expect(report.places.map(\.line) == [3, 9])
        #expect(report.places.last?.message == "SyntaxError: invalid syntax")
    }

    @Test func thePageShowsLinesAroundAndNothingAsMarkup() throws {
        let folder = try TemporaryFolder()
        try folder.write((1...20).map { "line <\($0)>\n" }.joined(), to: "a b.py")
        let report = ErrorReport(
            title: "No <b>luck</b>", text: "  File \"\(folder.path)/a b.py\", line 10, in <module>\nValueError: <&>")
        let page = ErrorReportPage(report, editor: EditorLink("vscode")).html
        #expect(page.contains("<h1>No &lt;b&gt;luck&lt;/b&gt;</h1>"))
        #expect(page.contains("<span class=\"here\"><b>10</b>line &lt;10&gt;</span>"))
        #expect(page.contains("line &lt;6&gt;") && !page.contains("line &lt;5&gt;"))
        #expect(page.contains("vscode://file\(folder.path)/a%20b.py:10:1"))
        #expect(page.contains("ValueError: &lt;&amp;&gt;"))
    }

    @Test func aFileThatIsGoneHasNoExcerpt() {
        let page = ErrorReportPage(ErrorReport(title: "t", text: "/nowhere/a.swift:1:1: error: no")).html
        #expect(page.contains("/nowhere/a.swift:1:1"))
        #expect(!page.contains("class=\"here\""))
    }

    @Test func eventsAreOneLineEach() {
        let event = LiveEvent("busy", "a\nb", version: "v.1")
        #expect(event.text == "id: v.1\nevent: busy\ndata: a b\n\n")
    }

    @Test(arguments: [
        ("/srv/app", "ext4"), ("/srv/share", "9p"), ("/srv/share/deep", "9p"), ("/srv/shared", "ext4"),
        ("/mnt/a b/c", "virtiofs"),
    ])
    func theFileSystemOfAPath(_ path: String, _ type: String) {
        let mounts = """
            overlay / overlay rw 0 0
            /dev/vda / ext4 rw 0 0
            host /srv/share 9p rw 0 0
            tag /mnt/a\\040b virtiofs rw 0 0
            """
        #expect(MountTable.type(of: path, mounts: mounts) == type)
    }
}
