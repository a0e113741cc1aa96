import Config
import Platform
import Testing

@testable import Portico

@Suite struct SmokeCheckTests {
    private let response = ClientResponse(
        status: 200, fields: [("Content-Type", "text/html; charset=utf-8"), ("Vary", "Cookie"), ("vary", "Accept")],
        body: Array("<h1>Latest polls</h1> 12 votes".utf8))

    private func problems(_ step: String, _ response: ClientResponse? = nil, after: Duration = .zero) throws -> [String]
    {
        let settings = try configuration("base:\n  routes: [{path: /, respond: a}]\n  smoke: [{\(step)}]\n").settings
        return SmokeCheck(try #require(settings.smoke.first)).problems(of: response ?? self.response, after: after)
    }

    @Test(arguments: [
        "get: /", "get: /, status: 200", "get: /, status: [404, 200]", "get: /, contains: Latest polls",
        "get: /, not-contains: Traceback", "get: /, matches: '[0-9]+ votes'", "get: /, header: {vary: Accept}",
        "get: /, header: {Content-Type: ~^text/html}", "get: /, not-header: [X-Powered-By]", "get: /, within: 1s",
    ])
    func asExpected(_ step: String) throws { #expect(try problems(step).isEmpty) }

    @Test(arguments: [
        ("get: /, status: 404", "expected status 404, got 200"),
        ("get: /, status: [301, 302]", "expected status 301 or 302, got 200"),
        ("get: /, contains: [Latest, Missing]", "the body does not contain 'Missing'"),
        ("get: /, not-contains: Latest", "the body contains 'Latest'"),
        ("get: /, matches: '^votes'", "the body does not match '^votes'"),
        ("get: /, header: {Content-Type: text/html}", "expected 'text/html', got 'text/html; charset=utf-8'"),
        ("get: /, header: {ETag: '~.'}", "header ETag: expected '~.', there is none"),
        ("get: /, not-header: Vary", "header Vary is there: 'Cookie'"),
        ("get: /, json-equals: {a: 1}", "the body is not JSON"),
    ])
    func notAsExpected(_ step: String, _ problem: String) throws {
        #expect(try problems(step).joined(separator: "\n").contains(problem))
    }

    @Test func everyProblemIsTold() throws {
        #expect(
            try problems("get: /, status: 404, contains: x, not-contains: polls, within: 1s", after: .seconds(2)).count
                == 4)
    }

    @Test func withoutAStatusTwoHundredsAreExpected() throws {
        for status in [200, 204, 299] { #expect(try problems("get: /", .init(status: status, fields: [])).isEmpty) }
        for status in [302, 404, 500] { #expect(try problems("get: /", .init(status: status, fields: [])).count == 1) }
    }

    @Test func time() throws {
        #expect(try problems("get: /, within: 1s", after: .milliseconds(1000)).isEmpty)
        #expect(try problems("get: /, within: 1s", after: .milliseconds(1250)) == ["it took 1.25 s, longer than 1s"])
    }

    @Test func json() throws {
        let document =
            #"{"items": [{"name": "Foo", "0": 1}], "total": 2.0, "none": null, "map": {"a": 1, "b": [true]}}"#
        let response = ClientResponse(status: 200, fields: [], body: Array(document.utf8))
        for fine in [
            "'items[0].name': Foo", "items.0.name: Foo", "total: 2", "none: null", "map: {b: [true], a: 1}", "map.a: 1",
        ] {
            #expect(try problems("get: /, json-equals: {\(fine)}", response).isEmpty, "\(fine)")
        }
        for (wrong, problem) in [
            ("'items[0].name': foo", #"JSON items[0].name: expected "foo", got "Foo""#),
            ("total: '2'", #"expected "2", got 2"#), ("'items[1].name': Foo", "there is none"),
            ("map: {a: 1}", "got {"),
        ] {
            let found = try problems("get: /, json-equals: {\(wrong)}", response).joined()
            #expect(found.contains(problem), "\(found)")
        }
    }

    @Test(arguments: [
        (#"<form><input type="hidden" name="token" value="abc"></form>"#, "abc"),
        (#"<input value='x' name='token'/>"#, "x"), ("<input name=token value=y>", "y"),
        (#"<input name="other" value="1"><input name="token" value="2"><input name="token" value="3">"#, "2"),
    ])
    func hiddenFields(_ page: String, _ value: String) { #expect(HiddenField.value(of: "token", in: page) == value) }

    @Test(arguments: [
        "", "<input", "<input name=\"token\">", "token value=\"1\"", "<input name=\"tokens\" value=\"1\">",
    ])
    func noHiddenField(_ page: String) { #expect(HiddenField.value(of: "token", in: page) == nil) }
}

@Suite struct ResponseReaderTests {
    /// The answer, with the bytes arriving in pieces of this size.
    private func read(_ text: String, pieces: Int, closed: Bool = true, isHead: Bool = false) throws -> ClientResponse?
    {
        var reader = ResponseReader(isHead: isHead)
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            if let response = try reader.take(rest.prefix(pieces)) { return response }
            rest = rest.dropFirst(pieces)
        }
        return closed ? try reader.take([]) : nil
    }

    @Test(arguments: [1, 7, 1000])
    func bodies(pieces: Int) throws {
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nTrailer: a\r\n\r\n",
        ] {
            let response = try #require(try read(text, pieces: pieces, closed: false), "\(text)")
            #expect(response.status == 200 && response.text == "hello")
        }
        let unframed = try read("HTTP/1.0 200 OK\r\n\r\nhello", pieces: pieces)
        #expect(unframed?.text == "hello")
        #expect(
            try read("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", pieces: pieces, closed: false)?.body
                == [])
        let head = try read(
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", pieces: pieces, closed: false, isHead: true)
        #expect(head?.values("content-length") == ["5"])
    }

    @Test(arguments: [
        ("", ClientFailure.noAnswer), ("SSH-2.0-OpenSSH\r\n", .noAnswer), ("HTTP/1.1 200 OK\r\n", .noAnswer),
        ("HTTP/1.1 OK\r\n\r\n", .noAnswer), ("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", .noAnswer),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", .incomplete),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", .incomplete),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", .noAnswer),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\n", .tooLarge),
    ])
    func broken(_ text: String, _ failure: ClientFailure) {
        #expect(throws: failure) { try read(text, pieces: 3) }
    }
}

@Suite struct SmokeReportTests {
    private let report = SmokeReport(entries: [
        .init(title: "GET /", place: "app.yaml:3:7", outcome: .passed, status: 200, elapsed: .milliseconds(3)),
        .init(
            title: "POST /a#b", place: "app.yaml:4:7", outcome: .failed(["it's <bad>", "and \u{1}worse"]), status: 500,
            elapsed: .milliseconds(1250), excerpt: "Server & error"),
        .init(title: "a name", place: "app.yaml:5:7", outcome: .skipped("--read-only"), status: nil, elapsed: .zero),
    ])

    @Test func table() {
        #expect(
            report.table(TerminalStyle(usesColour: false)) == """
                STEP  REQUEST    STATUS  TIME    RESULT
                1     GET /      200     3 ms    ok
                2     POST /a#b  500     1.25 s  FAILED
                3     a name     -       0 ms    skipped

                app.yaml:4:7: step 2, POST /a#b:
                  it's <bad>
                  and \u{1}worse
                  the body begins: Server & error

                3 steps, 1 failed, 1 skipped
                """)
        #expect(report.table(TerminalStyle(usesColour: true)).contains("  \u{1B}[31mFAILED\u{1B}[0m\n"))
    }

    @Test func tap() {
        #expect(
            report.tap == """
                TAP version 13
                1..3
                ok 1 - GET /
                not ok 2 - POST /a\\#b
                  ---
                  at: 'app.yaml:4:7'
                  problems:
                    - 'it''s <bad>'
                    - 'and  worse'
                  body: 'Server & error'
                  ...
                ok 3 - a name # SKIP --read-only
                """)
    }

    @Test func junit() {
        #expect(
            report.junit == """
                <?xml version="1.0" encoding="UTF-8"?>
                <testsuites><testsuite name="app smoke" tests="3" failures="1" errors="0" skipped="1" time="1.253">
                  <testcase classname="smoke" name="GET /" time="0.003"/>
                  <testcase classname="smoke" name="POST /a#b" time="1.250"><failure message="it's &lt;bad&gt;">app.yaml:4:7
                it's &lt;bad&gt;
                and  worse
                the body begins: Server &amp; error</failure></testcase>
                  <testcase classname="smoke" name="a name" time="0.000"><skipped message="--read-only"/></testcase>
                </testsuite></testsuites>
                """)
    }
}

@Suite struct TerminalStyleTests {
    @Test func aFileGetsNoColours() throws {
        let file = try Descriptor.appending(to: "/dev/null")
        #expect(!TerminalStyle(for: file.rawValue, environment: [:]).usesColour)
    }
}
