import Testing

@testable import Config

/// Sizes, durations, addresses and forms of text.
@Suite struct ValueTests {
    @Test(arguments: [
        ("0", 0), ("512", 512), ("512B", 512), ("16KiB", 16384), ("10 MiB", 10 << 20), ("1GiB", 1 << 30),
    ])
    func sizes(_ text: String, _ bytes: Int) {
        #expect(ByteCount(parsing: text)?.bytes == bytes)
    }

    @Test(arguments: [
        "", "B", "1KB", "1k", "-1", "1.5MiB", "1  MiB", "1MiB ", " 1", "0x10", "99999999999999999999", "9999999999GiB",
        "١KiB",
    ])
    func notSizes(_ text: String) {
        #expect(ByteCount(parsing: text) == nil)
    }

    @Test(arguments: [(0, "0B"), (1000, "1000B"), (1024, "1KiB"), (3 << 20, "3MiB"), (1 << 40, "1024GiB")])
    func sizesPrint(_ bytes: Int, _ text: String) {
        #expect(ByteCount(bytes).description == text)
    }

    @Test(arguments: [
        ("0", Duration.zero), ("500ms", .milliseconds(500)), ("30s", .seconds(30)), ("5m", .seconds(300)),
        ("12h", .seconds(43_200)), ("7d", .seconds(604_800)), ("1y", .seconds(31_536_000)), ("2 s", .seconds(2)),
    ])
    func durations(_ text: String, _ duration: Duration) {
        #expect(Duration(configurationText: text) == duration)
    }

    @Test(arguments: ["", "10", "s", "1h30m", "-1s", "1.5s", "1S", "1min", "99999999999999999999s", "9999999999999y"])
    func notDurations(_ text: String) {
        #expect(Duration(configurationText: text) == nil)
    }

    @Test(arguments: [
        ("90s", Duration.seconds(90)), ("1h", .seconds(3600)), ("1500ms", .milliseconds(1500)), ("0s", .zero),
        ("1y", .seconds(31_536_000)),
    ])
    func durationsPrint(_ text: String, _ duration: Duration) {
        #expect(duration.configurationText == text)
    }

    @Test(arguments: [
        ("127.0.0.1:8000", ListenAddress.tcp(host: "127.0.0.1", port: 8000)),
        ("[::1]:8000", .tcp(host: "::1", port: 8000)),
        (":8000", .tcp(host: nil, port: 8000)),
        ("localhost:0", .tcp(host: "localhost", port: 0)),
        ("[fe80::1%eth0]:80", .tcp(host: "fe80::1%eth0", port: 80)),
        ("unix:/run/app.sock", .unix(path: "/run/app.sock")),
        ("fd:3", .inherited(descriptor: 3)),
    ])
    func addresses(_ text: String, _ address: ListenAddress) {
        #expect(ListenAddress(parsing: text) == address)
        #expect(address.description == text)
    }

    @Test(arguments: [
        "", "8000", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:8000", "[::1]", "[]:80", "[127.0.0.1]:80",
        "unix:",
        "fd:", "fd:x", "fd:-1", "http://a:80", "a b:80", "a:080000", "a:+1",
    ])
    func notAddresses(_ text: String) {
        #expect(ListenAddress(parsing: text) == nil)
    }

    @Test(arguments: [
        (TextForm.siteName, ["polls", "my_shop", "a-1"], ["", "1a", "a.b", "ä", String(repeating: "a", count: 65)]),
        (.headerName, ["X-Frame-Options", "a"], ["", "a b", "a:", "Content-Length", "transfer-encoding"]),
        (.headerValue, ["", "DENY", "a, b"], ["a\nb", " a", "a\u{0}"]),
        (.mediaType, ["text/*", "image/svg+xml"], ["text", "text/", "/a", "a/b/c", "text/html; charset=utf-8"]),
        (
            .host, ["example.org", "*.example.org", "[::1]", "localhost"],
            ["", "*", "a..b", "a b", "example.org:80", "-.*"]
        ),
        (.allowedHost, ["*", ".example.org", "a"], ["", "*.example.org", "."]),
        (.route, ["/", "/static/", "=/ping", "~^/a", "/ä"], ["", "static/", "=ping", "~", "/a b", "/a?b", "/a#b"]),
        (.pythonTarget, ["shop.wsgi:application", "a:b.c", "_x:y"], ["shop", "shop:", ":a", "a.:b", "a:b:c", "1a:b"]),
        (
            .redirectTarget, ["/new/", "https://a.org/x", "http://a"],
            ["", "new", "https://", "https:///x", "/a b", "ftp://a"]
        ),
        (.cache, ["1y", "no-store", "public, max-age=60"], ["", "1", "1 fortnight", "a\nb"]),
        (.fileName, ["index.html"], ["", ".", "..", "a/b"]),
    ])
    func forms(_ form: TextForm, _ good: [String], _ bad: [String]) {
        for text in good { #expect(form.accepts(text), "\(text)") }
        for text in bad { #expect(!form.accepts(text), "\(text)") }
    }

    @Test(arguments: [
        ("cuont", "count"), ("theads", "threads"), ("Count", "count"), ("header_size", "header-size"), ("x", nil),
        ("completely", nil), ("inf", "info"), ("", nil),
    ])
    func nearestKey(_ typed: String, _ meant: String?) {
        #expect(nearest(to: typed, among: ["count", "threads", "mode", "header-size", "info"]) == meant)
    }

    @Test(arguments: [
        ("routes[2].files", "routes[2].files"), ("routes.2.files", "routes[2].files"), ("a", "a"), ("a.b-c", "a.b-c"),
        ("a[0][1]", "a[0][1]"),
    ])
    func paths(_ text: String, _ printed: String) {
        #expect(ConfigPath(parsing: text)?.description == printed)
    }

    @Test(arguments: ["", ".", "a.", ".a", "a[", "a[x]", "a[-1]", "a[0]b"])
    func notPaths(_ text: String) {
        #expect(ConfigPath(parsing: text) == nil)
    }

    @Test(arguments: [
        ("true", SiteSettings.Value.boolean(true)), ("yes", .text("yes")), ("on", .text("on")), ("5", .integer(5)),
        ("-5", .integer(-5)), ("007", .text("007")), ("1.5", .number(1.5)), ("1e3", .number(1000)),
        ("\"5\"", .text("5")),
        ("1_000", .text("1_000")), ("0x10", .text("0x10")), ("12:30:45", .text("12:30:45")), (".5", .text(".5")),
        ("'true'", .text("true")), ("99999999999999999999", .text("99999999999999999999")),
    ])
    func siteSettings(_ yaml: String, _ value: SiteSettings.Value) throws {
        let settings = try load("base: {sites: {polls: {swift: polls, settings: {x: \(yaml)}}}}").get().settings
        #expect(settings.sites.first?.settings["x"] == value)
    }
}
