import Foundation
import HTTP
import NIOCore
import Platform
import Testing

@testable import Front

@Suite struct StaticFilesTests {
    /// Kept in memory, and sent from a descriptor: every rule holds for both.
    static let small = FileCacheLimits()
    static let large = FileCacheLimits(fileSize: 0)
    static let uncached = FileCacheLimits(entries: 0)
    static let text = String((0..<100).map { "line \($0)\n" }.joined())

    private func fixture() throws -> TemporaryFiles {
        let files = try TemporaryFiles([
            "a.txt": Self.text, "empty.txt": "", "dir/index.html": "<p>index", "bare/x.txt": "x", "a b/é.txt": "é",
            "index.html": "root", ".secret": "s", ".git/config": "s", ".well-known/acme/t": "token", "noext": "n",
            "x.tar.gz": "gz",
        ])
        files.setModified("a.txt", 784_111_777_123_456_789)
        return files
    }

    @Test(arguments: [small, large, uncached]) func sendsAFile(limits: FileCacheLimits) throws {
        let front = try FrontFixture(files: fixture(), cache: limits)
        for _ in 0..<3 {
            let answer = front.send(.get, "/a.txt")
            #expect(answer.status == 200)
            #expect(answer.text == Self.text)
            #expect(answer["Content-Type"] == "text/plain; charset=utf-8")
            #expect(answer["Content-Length"] == "\(Self.text.utf8.count)")
            #expect(answer["Last-Modified"] == "Sun, 06 Nov 1994 08:49:37 GMT")
            #expect(answer["ETag"] == "\"316-ae1b981c3a4d715\"")
            #expect(answer["Accept-Ranges"] == "bytes")
            #expect(answer["Cache-Control"] == nil)
            #expect(answer["Vary"] == nil)
            let head = front.send(.head, "/a.txt")
            #expect(head.head?.fields.wire == answer.head?.fields.wire)
            #expect(head.body.isEmpty && head.isFinished)
        }
    }

    @Test(arguments: [
        ("/", 200, "root"), ("/dir/", 200, "<p>index"), ("/dir/index.html", 200, "<p>index"), ("/dir?x", 301, nil),
        ("/bare", 404, nil), ("/bare/", 404, nil), ("/a.txt/", 404, nil), ("/a.txt/x", 404, nil), ("/none", 404, nil),
        ("/a%20b/%C3%A9.txt", 200, "é"), ("/empty.txt", 200, ""), ("/noext", 200, "n"), ("/.secret", 404, nil),
        ("/.git/config", 404, nil), ("/.git/", 404, nil), ("/dir/.hidden", 404, nil),
        ("/.well-known/acme/t", 200, "token"),
        ("/.well-known/.x", 404, nil), ("/.well-knownx", 404, nil), ("/..%5ca.txt", 404, nil),
        ("/%2e%2e%2foutside", 400, nil), ("/../outside", 400, nil), ("/dir/../../outside", 400, nil),
        ("/dir/..%2f..%2foutside", 400, nil), ("/a.txt%00", 400, nil), ("/%ff", 404, nil), ("/dir/../a.txt", 200, nil),
        ("/\(String(repeating: "x", count: 300))", 404, nil), ("/\(String(repeating: "x/", count: 3000))", 404, nil),
    ])
    func findsFiles(target: String, status: Int, body: String?) throws {
        let files = try fixture()
        try Data("outside".utf8).write(to: URL(fileURLWithPath: files.path + "/outside"))
        for limits in [Self.small, Self.large] {
            let answer = try FrontFixture(files: files, cache: limits).send(.get, target)
            #expect(answer.status == status)
            if let body { #expect(answer.text == body) }
            #expect(!answer.text.contains("outside"))
        }
    }

    @Test func directoriesGetTheirSlash() throws {
        let front = try FrontFixture(files: fixture())
        #expect(front.send(.get, "/dir?x=1")["Location"] == "/dir/?x=1")
        #expect(front.send(.get, "//dir")["Location"] == "/dir/")
    }

    @Test(arguments: [HTTP.Method.post, .put, .delete, .options, .patch, .other("PROPFIND")])
    func otherMethodsAreRefused(method: HTTP.Method) throws {
        let front = try FrontFixture(files: fixture())
        for target in ["/a.txt", "/a.txt", "/dir"] {
            let answer = front.send(method, target)
            #expect(answer.status == 405)
            #expect(answer["Allow"] == "GET, HEAD")
        }
        #expect(front.send(method, "/none").status == 404)
    }

    private static let tag = "\"316-ae1b981c3a4d715\""
    private static let date = "Sun, 06 Nov 1994 08:49:37 GMT"
    private static let before = "Sun, 06 Nov 1994 08:49:36 GMT"
    private static let after = "Sun, 06 Nov 1994 08:49:38 GMT"

    // RFC 9110 §13.2.2
    private static let preconditionCases: [(fields: [String], status: Int)] = [
        (["If-None-Match: " + tag], 304), (["If-None-Match: W/" + tag], 304), (["If-None-Match: *"], 304),
        (["If-None-Match: \"x\", " + tag], 304), (["If-None-Match: \"x\"", "If-None-Match: " + tag], 304),
        (["If-None-Match: \"x\""], 200), (["If-None-Match: "], 200),
        (["If-Modified-Since: " + date], 304), (["If-Modified-Since: " + after], 304),
        (["If-Modified-Since: " + before], 200),
        (["If-Modified-Since: Sunday, 06-Nov-94 08:49:37 GMT"], 304), (["If-Modified-Since: yesterday"], 200),
        (["If-None-Match: \"x\"", "If-Modified-Since: " + date], 200),
        (["If-None-Match: " + tag, "If-Modified-Since: " + before], 304),
        (["If-Match: " + tag], 200), (["If-Match: *"], 200), (["If-Match: \"x\""], 412),
        (["If-Match: W/" + tag], 412), (["If-Match: \"x\"," + tag], 200),
        (["If-Unmodified-Since: " + date], 200), (["If-Unmodified-Since: " + before], 412),
        (["If-Unmodified-Since: never"], 200), (["If-Match: " + tag, "If-Unmodified-Since: " + before], 200),
        (["If-Match: \"x\"", "If-None-Match: " + tag], 412), (["If-Match: " + tag, "If-None-Match: " + tag], 304),
        (["If-Unmodified-Since: " + before, "If-None-Match: " + tag], 412),
    ]

    @Test(arguments: preconditionCases)
    func preconditions(lines: [String], status: Int) throws {
        let files = try fixture()
        let fields = lines.map { line in
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            return (String(line[..<colon]), String(line[colon...].dropFirst(2)))
        }
        for limits in [Self.small, Self.large] {
            let front = try FrontFixture(files: files, cache: limits)
            for method in [HTTP.Method.get, .head] {
                let answer = front.send(method, "/a.txt", fields)
                #expect(answer.status == status)
                if status == 304 {
                    #expect(answer["ETag"] == Self.tag)
                    #expect(answer["Last-Modified"] == Self.date)
                    #expect(answer["Content-Length"] == nil)
                    #expect(answer.body.isEmpty)
                }
            }
        }
    }

    typealias RangeCase = (range: String, status: Int, body: String?, contentRange: String?)

    private static let rangeCases: [RangeCase] = [
        ("bytes=0-3", 206, "line", "bytes 0-3/790"), ("bytes=-4", 206, " 99\n", "bytes 786-789/790"),
        ("bytes=785-", 206, "e 99\n", "bytes 785-789/790"), ("bytes=0-9999", 206, text, "bytes 0-789/790"),
        ("bytes=790-", 416, nil, "bytes */790"), ("bytes=-0", 416, nil, "bytes */790"), ("lines=0-1", 200, text, nil),
        ("bytes=5-1", 200, text, nil), ("bytes=0-1,2-3", 206, "line", "bytes 0-3/790"),
    ]

    @Test(arguments: rangeCases)
    func ranges(range: String, status: Int, body: String?, contentRange: String?) throws {
        let files = try fixture()
        for limits in [Self.small, Self.large] {
            let front = try FrontFixture(files: files, cache: limits)
            let answer = front.send(.get, "/a.txt", [("Range", range)])
            #expect(answer.status == status)
            #expect(answer["Content-Range"] == contentRange)
            if let body {
                #expect(answer.text == body)
                #expect(answer["Content-Length"] == "\(body.utf8.count)")
            }
            // Only GET has ranges (RFC 9110 §14.2).
            #expect(front.send(.head, "/a.txt", [("Range", range)]).status == 200)
        }
    }

    @Test(arguments: [small, large]) func severalRanges(limits: FileCacheLimits) throws {
        let front = try FrontFixture(files: fixture(), cache: limits)
        let answer = front.send(.get, "/a.txt", [("Range", "bytes=-4,0-3")])
        #expect(answer.status == 206)
        let type = try #require(answer["Content-Type"]).split(separator: "; boundary=")
        #expect(type.first == "multipart/byteranges")
        let boundary = try #require(type.last)
        let expected =
            "--\(boundary)\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 786-789/790\r\n\r\n 99\n\r\n"
            + "--\(boundary)\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Range: bytes 0-3/790\r\n\r\nline\r\n"
            + "--\(boundary)--\r\n"
        #expect(answer.text == expected)
        #expect(answer["Content-Length"] == "\(expected.utf8.count)")
        #expect(answer["Content-Range"] == nil)
        #expect(answer.isFinished)
    }

    @Test(arguments: [
        (tag, 206), ("\"x\"", 200), ("W/" + tag, 200), (date, 206), (after, 200), ("nonsense", 200),
    ])
    func ifRange(value: String, status: Int) throws {
        let front = try FrontFixture(files: fixture())
        #expect(front.send(.get, "/a.txt", [("Range", "bytes=0-3"), ("If-Range", value)]).status == status)
    }

    @Test func preconditionsComeBeforeRanges() throws {
        let front = try FrontFixture(files: fixture())
        #expect(front.send(.get, "/a.txt", [("Range", "bytes=0-3"), ("If-None-Match", Self.tag)]).status == 304)
        #expect(front.send(.get, "/a.txt", [("Range", "bytes=9000-"), ("If-Match", "\"x\"")]).status == 412)
        #expect(front.send(.get, "/empty.txt", [("Range", "bytes=0-")]).status == 416)
        #expect(front.send(.get, "/empty.txt", [("Range", "bytes=-1")]).status == 200)
    }

    @Test(arguments: [
        (Duration.seconds(60), "public, max-age=60"), (.seconds(31_536_000), "public, max-age=31536000, immutable"),
        (.zero, "no-cache"),
    ])
    func cacheControl(age: Duration, value: String) throws {
        let front = try FrontFixture(files: fixture()) { $0.maxAge = age }
        #expect(front.send(.get, "/a.txt")["Cache-Control"] == value)
        #expect(front.send(.get, "/a.txt", [("If-None-Match", Self.tag)])["Cache-Control"] == value)
    }

    @Test func fallsBackToTheNextAction() throws {
        let files = try fixture()
        let other = try TemporaryFiles(["b.txt": "other"])
        let front = try FrontFixture(
            [
                RouteDeclaration(
                    .prefix("/m/"), .files(FileSet(.directory(files.root))),
                    fallback: [.files(FileSet(.directory(other.root))), .site("echo")])
            ], sites: ["echo": EchoSite()])
        #expect(front.send(.get, "/m/noext").text == "n")
        #expect(front.send(.get, "/m/b.txt").text == "other")
        #expect(front.send(.get, "/m/bare").text == "[/m][/bare]")
        #expect(front.send(.get, "/m/.secret").text == "[/m][/.secret]")
        #expect(front.send(.post, "/m/vote").text == "[/m][/vote]")
        #expect(front.send(.post, "/m/b.txt").status == 405)
        #expect(front.send(.get, "/m").status == 301)
    }

    @Test func otherPatternsUseTheWholePath() throws {
        let files = try TemporaryFiles(["favicon.ico": "icon", "x/a.css": "css", "icons.txt": "s"])
        let set = FileSet(.directory(files.root))
        let front = try FrontFixture([
            RouteDeclaration(.exact("/favicon.ico"), .files(set)),
            RouteDeclaration(.expression("\\.css$"), .files(set)),
            RouteDeclaration(.prefix("/stat"), .files(set)),
        ])
        #expect(front.send(.get, "/favicon.ico").text == "icon")
        #expect(front.send(.get, "/favicon.ico")["Content-Type"] == "image/x-icon")
        #expect(front.send(.get, "/x/a.css").text == "css")
        #expect(front.send(.get, "/stat/icons.txt").text == "s")
        // A prefix is characters, not segments, as in nginx.
        #expect(front.send(.get, "/staticons.txt").text == "s")
    }

    @Test func ownMediaTypesWin() throws {
        let front = try FrontFixture(files: fixture()) { $0.mediaTypes = ["txt": "text/x-own"] }
        #expect(front.send(.get, "/a.txt")["Content-Type"] == "text/x-own")
        #expect(front.send(.get, "/noext")["Content-Type"] == "application/octet-stream")
    }

    @Test func listsDirectoriesWhenAsked() throws {
        let files = try TemporaryFiles([
            "d/<b>&'.txt": "x", "d/a:b": "x", "d/sub/x": "x", "d/.hidden": "x", "d/%41": "x",
        ])
        let front = try FrontFixture(files: files) { $0.listsDirectories = true }
        #expect(front.send(.get, "/d").status == 301)
        let page = front.send(.get, "/d/")
        #expect(page["Content-Type"] == "text/html; charset=utf-8")
        #expect(page.text.contains("<a href=\"./%3Cb%3E%26%27.txt\">&lt;b&gt;&amp;&#39;.txt</a>"))
        #expect(page.text.contains("<a href=\"./a%3Ab\">a:b</a>"))
        #expect(page.text.contains("<a href=\"./%2541\">%41</a>"))
        #expect(page.text.contains("<a href=\"./sub/\">sub/</a>"))
        #expect(!page.text.contains("hidden"))
        #expect(front.send(.get, "/d/%41")["Location"] == nil)
        #expect(front.send(.post, "/d/").status == 405)
    }

    @Test func servesEmbeddedFiles() throws {
        let embedded = EmbeddedFiles(
            [
                "css/site.css": Array("body{}".utf8), "index.html": Array("home".utf8),
                "sub/index.html": Array("sub".utf8),
            ],
            modified: HTTPDate(seconds: 784_111_777))
        let front = try FrontFixture([RouteDeclaration(.prefix("/s/"), .files(FileSet(.embedded(embedded))))])
        for _ in 0..<2 {
            let answer = front.send(.get, "/s/css/site.css")
            #expect(answer.text == "body{}")
            #expect(answer["Last-Modified"] == Self.date)
            let tag = try #require(answer["ETag"])
            #expect(front.send(.get, "/s/css/site.css", [("If-None-Match", tag)]).status == 304)
        }
        #expect(front.send(.get, "/s/").text == "home")
        #expect(front.send(.get, "/s/sub/").text == "sub")
        #expect(front.send(.get, "/s/sub")["Location"] == "/s/sub/")
        #expect(front.send(.get, "/s/css").status == 404)
        #expect(front.send(.get, "/s/none").status == 404)
    }

    @Test func reportsABrokenRoot() throws {
        let files = try fixture()
        let table = try RouteTable([
            RouteDeclaration(.prefix("/"), .files(FileSet(.directory(files.root)))),
            RouteDeclaration(.prefix("/a/"), .files(FileSet(.directory(files.root + "/none")))),
            RouteDeclaration(.prefix("/b/"), .files(FileSet(.directory(files.root + "/a.txt")))),
        ])
        #expect(table.check().map(\.path) == [files.root + "/none", files.root + "/a.txt"])
        let front = try FrontFixture([RouteDeclaration(.prefix("/"), .files(FileSet(.directory(files.root + "/none"))))]
        )
        #expect(front.send(.get, "/").status == 404)
    }
}
