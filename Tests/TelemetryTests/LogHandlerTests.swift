import Foundation
import Glibc
import Logging
import Platform
import TestSupport
import Testing

@testable import Telemetry

@Suite struct LogHandlerTests {
    private static let time = LogTime(seconds: 1_795_247_281, milliseconds: 7)

    private static func event(_ message: String, _ metadata: Logger.Metadata? = nil) -> LogEvent {
        LogEvent(
            level: .warning, message: "\(message)", metadata: metadata, source: "Tests", file: "f", function: "g",
            line: 1)
    }

    @Test(
        arguments: [
            ("hello", [:], "hello"),
            ("hello", ["b": "2", "a": "one two"], #"hello a="one two" b=2"#),
            ("line one\nline two", [:], "line one\n    line two"),
            ("\u{1B}[31mred\r", [:], "\\u{1b}[31mred\\u{d}"),
            ("x", ["k": "\n2026 fake"], #"x k="\n2026 fake""#),
            ("x", ["a b": "c"], #"x a\x20b=c"#),
            ("x", ["k": ""], #"x k="""#),
            ("漢字", [:], "漢字"),
        ] as [(String, Logger.Metadata, String)])
    func text(message: String, metadata: Logger.Metadata, expected: String) {
        let handler = TextLogHandler(process: "worker 2", isColored: false)
        let line = handler.line(Self.event(message, metadata), at: Self.time)
        #expect(
            String(decoding: line, as: UTF8.self)
                == "2026-11-21T07:48:01.007Z warning [worker 2] \(expected)\n")
    }

    @Test func colorsOnlyTheLevel() {
        let line = TextLogHandler(process: "", isColored: true).line(Self.event("x"), at: Self.time)
        #expect(String(decoding: line, as: UTF8.self) == "2026-11-21T07:48:01.007Z \u{1B}[33mwarning\u{1B}[0m x\n")
    }

    @Test func json() throws {
        var handler = JSONLogHandler(process: "supervisor")
        handler[metadataKey: "own"] = "1"
        handler[metadataKey: "both"] = "own"
        handler.metadataProvider = Logger.MetadataProvider { ["provided": "2"] }
        let line = handler.line(
            Self.event(
                "a \"b\"\n", ["both": "event", "list": ["x", ["y": "\u{0}"]], "number": .stringConvertible(3)]),
            at: Self.time)
        let text = String(decoding: line, as: UTF8.self)
        #expect(
            text
                == #"{"time":"2026-11-21T07:48:01.007Z","level":"warning","message":"a \"b\"\n","process":"supervisor","#
                + #""source":"Tests","metadata":{"both":"event","list":["x",{"y":"\u0000"}],"number":"3","own":"1","#
                + #""provided":"2"}}"# + "\n")
        #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(line)) }
    }

    @Test func tellsErrors() {
        var event = Self.event("failed")
        event.error = SystemError(operation: "open", code: ENOENT)
        let text = TextLogHandler(process: "", isColored: false).line(event, at: Self.time)
        #expect(
            String(decoding: text, as: UTF8.self).hasSuffix(#"failed error="open: No such file or directory""# + "\n"))
        let json = JSONLogHandler(process: "").line(event, at: Self.time)
        #expect(String(decoding: json, as: UTF8.self).contains(#","error":"open: No such file or directory""#))
    }

    /// Lines of many threads and two handlers on one file stay whole.
    @Test func writesWholeLines() throws {
        let directory = try Folder()
        let file = try Descriptor.appending(to: directory["log"])
        let number = file.rawValue
        DispatchQueue.concurrentPerform(iterations: 4) { thread in
            let logger = Logger(label: "test") { _ in JSONLogHandler(process: "\(thread)", descriptor: number) }
            for _ in 0..<500 { logger.info("\(String(repeating: "x", count: 200))") }
            logger.debug("below the level")
        }
        let lines = try directory.text(of: "log").split(separator: "\n")
        #expect(lines.count == 2000)
        for line in lines { #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(line.utf8)) } }
    }
}
