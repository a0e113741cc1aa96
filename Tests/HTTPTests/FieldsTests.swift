import HTTP
import NIOCore
import Testing

@Suite struct FieldsTests {
    @Test func keepsOrderAndDuplicates() throws {
        var fields: Fields = ["A": "1", "b": "2"]
        try fields.append(name: "a", value: "3")
        #expect(String(decoding: fields.wire, as: UTF8.self) == "A: 1\r\nb: 2\r\na: 3\r\n")
        #expect(fields.values("A") == ["1", "3"])
        #expect(fields["B"] == "2")
        #expect(fields["c"] == nil)
        fields.set("B", "4")
        #expect(fields.lines.map(\.name) == ["A", "a", "B"])
        fields.remove("a")
        #expect(String(decoding: fields.wire, as: UTF8.self) == "B: 4\r\n")
        fields.remove("b")
        #expect(fields.isEmpty)
    }

    @Test func literalsCannotStartALine() {
        let fields: Fields = ["X": "a\r\nY: b\0\u{7F}\tc"]
        #expect(fields["X"] == "a  Y: b  \tc")
        #expect(!fields.contains("Y"))
    }

    @Test(arguments: [("", "x"), ("a b", "x"), ("a:", "x"), ("a\r\n", "x"), ("é", "x")])
    func refusesNames(name: String, value: String) {
        var fields = Fields()
        #expect(throws: Fields.Invalid.name(name)) { try fields.append(name: name, value: value) }
        #expect(fields.isEmpty)
    }

    @Test(arguments: ["a\nb", "a\rb", "a\0b", "\u{7F}", "\u{1}"]) func refusesValues(value: String) {
        var fields: Fields = ["X": "1"]
        #expect(throws: Fields.Invalid.value(name: "X")) { try fields.set(name: "X", value: value) }
        #expect(fields["X"] == "1")
    }

    @Test func keepsBytesThatAreNotUTF8() throws {
        var fields = Fields()
        try fields.append(name: "X".utf8, value: [0xE9, 0x20, 0xFF])
        #expect(fields.wire.withUnsafeBytes { FieldLines($0).map { Array($0.value) } } == [[0xE9, 0x20, 0xFF]])
        #expect(fields["X"] == "\u{FFFD} \u{FFFD}")
    }

    @Test func linesAreLookedAtInPlace() {
        let fields: Fields = ["A": "", "Cache-Control": "max-age=1, No-Transform", "B": "x: y"]
        fields.wire.withUnsafeBytes { wire in
            let lines = Array(FieldLines(wire))
            #expect(lines.map { String(decoding: $0.name, as: UTF8.self) } == ["A", "Cache-Control", "B"])
            #expect(lines.map { String(decoding: $0.value, as: UTF8.self) } == ["", "max-age=1, No-Transform", "x: y"])
            #expect(String(decoding: wire[lines[2].range], as: UTF8.self) == "B: x: y\r\n")
            #expect(lines[1].name.equals("cache-control"))
            #expect(!lines[1].name.equals("cache-contro"))
            #expect(lines[1].value.contains("no-transform"))
            #expect(lines[1].value.contains("max"))
            #expect(!lines[1].value.contains("no-store"))
            #expect(!lines[0].value.contains("x"))
        }
    }
}

@Suite struct RequestHeadTests {
    @Test func takesATargetApart() {
        let head = RequestHead(.get, "/a%20b/?x=1?y", fields: [("Host", "Example.org:8000"), ("X", "1"), ("x", "2")])
        #expect(head.string(head.target) == "/a%20b/?x=1?y")
        #expect(head.string(head.rawPath) == "/a%20b/")
        #expect(head.query == "x=1?y")
        #expect(head.host == "example.org")
        #expect(head.fields["x"] == "1")
        #expect(head.fields.joined("X") == "1, 2")
        #expect(head.fields["Y"] == nil)
        #expect(head.fields.count == 3)
    }

    @Test(arguments: [
        ("[::1]:80", "[::1]"), ("LOCALHOST", "localhost"), ("127.0.0.1:1", "127.0.0.1"),
    ])
    func findsTheHost(authority: String, host: String) {
        #expect(RequestHead(.get, "/", fields: [("Host", authority)]).host == host)
    }

    @Test func emptyAndAbsentQueriesDiffer() {
        #expect(RequestHead(.get, "/").rawQuery == nil)
        #expect(RequestHead(.get, "/?").rawQuery?.count == 0)
    }

    @Test(arguments: [
        "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "PROPFIND", "get",
    ])
    func methodsKeepTheirToken(token: String) {
        #expect(Method(token).name == token)
    }
}
