import Foundation
import NIOCore
import TestSupport
import Testing
import Web

@testable import embed_resources

@Suite struct Embedding {
    private func source(_ files: [(String, Data)]) -> String {
        EmbeddedSource(
            module: "Web",
            templates: EmbeddedFolder("/src/Templates", files.map { ResourceFile(path: $0.0, content: $0.1) }),
            staticFiles: EmbeddedFolder("/src/Static", [])
        ).text
    }

    @Test func foldersAreReadInOrder() throws {
        let directory = try TestSupport.Folder()
        let names = ["b.html", "a \"quoted\".html", "ü/deep/c.txt", ".hidden", ".git/config"]
        for name in names { try directory.write(name, to: name) }
        let files = try embed_resources.Folder.files(directory.path)
        #expect(files.map(\.path) == ["a \"quoted\".html", "b.html", "ü/deep/c.txt"])
        #expect(try embed_resources.Folder.files(directory.path + "/none").isEmpty)
        #expect(throws: embed_resources.Folder.Failure.self) {
            try embed_resources.Folder.files(directory.path + "/b.html")
        }
        try FileManager.default.createSymbolicLink(
            atPath: directory.path + "/broken", withDestinationPath: directory.path + "/nowhere")
        #expect(throws: embed_resources.Folder.Failure.self) { try embed_resources.Folder.files(directory.path) }
    }

    @Test func textStaysText() {
        let text = source([("a.html", Data("<p>\"\"\"# \\#(x) \\n</p>\n".utf8))])
        #expect(text.contains("EmbeddedFile(\"a.html\", text: ##\"\"\"\n<p>\"\"\"# \\#(x) \\n</p>\n\n\"\"\"##),"))
    }

    @Test(arguments: [
        Data([0xFF, 0xFE]), Data("a\r\nb".utf8), Data("a\u{0}b".utf8), Data("\u{FEFF}a".utf8),
    ])
    func everythingElseIsBytes(_ content: Data) {
        let text = source([("a", content)])
        #expect(text.contains("EmbeddedFile(\"a\", base64: \"\(content.base64EncodedString())\"),"))
    }

    @Test func namesOfAnyCharacters() {
        let text = source([("a\"b\\c\n\u{202E}ü.txt", Data())])
        #expect(text.contains(#"EmbeddedFile("a\"b\\c\u{a}\u{202e}\u{fc}.txt""#))
    }

    @Test func foldersAreNamedInBuildsForDebuggingAlone() throws {
        let text = source([])
        let debug = try #require(text.firstRange(of: "#if DEBUG"))
        let otherwise = try #require(text.firstRange(of: "#else"))
        let folder = try #require(text.firstRange(of: "\"/src/Templates\", \"/src/Static\""))
        #expect(debug.upperBound < folder.lowerBound && folder.upperBound < otherwise.lowerBound)
        #expect(text.ranges(of: "/src/").count == 2)
    }

    @Test func sameFilesSameText() {
        let files = [("a", Data("1".utf8)), ("b", Data([0, 1, 2]))]
        #expect(source(files) == source(files))
    }

    @Test(arguments: [[], [0], [0, 255], [1, 2, 3], Array(0...255)] as [[UInt8]])
    func bytesComeBack(_ bytes: [UInt8]) {
        // What the generated file does with what the tool wrote.
        let file = EmbeddedFile("a", base64: Data(bytes).base64EncodedString())
        #expect(Array(file.bytes.readableBytesView) == bytes)
    }

    @Test func setsAreSearched() {
        let set = EmbeddedFileSet([
            EmbeddedFile("b", text: "2"), EmbeddedFile("a", text: "1"), EmbeddedFile("c", text: "3"),
        ])
        #expect(set.files.map(\.path) == ["a", "b", "c"])
        #expect(set["b"]?.text == "2")
        #expect(set["d"] == nil)
        #expect(set["B"] == nil)
    }
}
