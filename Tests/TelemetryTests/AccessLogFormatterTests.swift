import Foundation
import Testing

@testable import Telemetry

@Suite struct AccessLogFormatterTests {
    private static func record(_ change: (inout AccessRecord) -> Void = { _ in }) -> AccessRecord {
        var record = AccessRecord(
            time: LogTime(seconds: 1_795_247_281, milliseconds: 42), remoteHost: "203.0.113.7", host: "example.org",
            method: "GET", target: "/polls/?page=2", version: "HTTP/1.1", status: 200, bodyBytes: 612,
            userAgent: "curl/8.5", microseconds: 213, requestID: "4f2a", worker: 1)
        change(&record)
        return record
    }

    private static func line(_ format: AccessLogFormat, _ record: AccessRecord) -> String {
        var formatter = AccessLogFormatter(format)
        var line: [UInt8] = []
        formatter.append(record, to: &line)
        return String(decoding: line, as: UTF8.self)
    }

    @Test func combined() {
        let line = Self.line(.combined, Self.record())
        let date = line.range(of: "[").flatMap { start in
            line.range(of: "]").map { line[start.upperBound..<$0.lowerBound] }
        }
        #expect(
            line.replacingOccurrences(of: date ?? "", with: "DATE")
                == #"203.0.113.7 - - [DATE] "GET /polls/?page=2 HTTP/1.1" 200 612 "-" "curl/8.5" 4f2a 0.000213 2"#
                + "\n")
    }

    @Test func json() throws {
        let line = Self.line(.json, Self.record())
        #expect(
            line == #"{"time":"2026-11-21T07:48:01.042Z","remote":"203.0.113.7","host":"example.org","method":"GET","#
                + #""target":"/polls/?page=2","version":"HTTP/1.1","user-agent":"curl/8.5","request-id":"4f2a","#
                + #""status":200,"bytes":612,"seconds":0.000213,"worker":2}"# + "\n")
    }

    @Test(arguments: [("01", true), ("00", false)])
    func jsonWithATrace(flags: String, isSampled: Bool) throws {
        let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-\(flags)"
        let record = Self.record { $0.trace = TraceContext(parsing: parent.utf8) }
        #expect(
            Self.line(.json, record).contains(
                #""request-id":"4f2a","trace-id":"4bf92f3577b34da6a3ce929d0e0e4736","parent-id":"00f067aa0ba902b7","#
                    + #""sampled":\#(isSampled),"status":200"#))
        #expect(!Self.line(.combined, record).contains("4bf92f35"))
    }

    @Test func commonTimeIsThatOfAnyStrptime() throws {
        var text: [UInt8] = []
        LogTime(seconds: 1_795_247_281).appendCommon(to: &text)
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.dateFormat = "dd/MMM/yyyy:HH:mm:ss ZZZ"
        #expect(formatter.date(from: String(decoding: text, as: UTF8.self))?.timeIntervalSince1970 == 1_795_247_281)
    }

    @Test func secondsChange() {
        var formatter = AccessLogFormatter(.combined)
        var lines: [UInt8] = []
        for seconds in [0, 0, 1, 0] {
            formatter.append(Self.record { $0.time.seconds = seconds }, to: &lines)
        }
        let texts = String(decoding: lines, as: UTF8.self).split(separator: "\n")
        #expect(texts[0] == texts[1])
        #expect(texts[0] != texts[2])
        #expect(texts[0] == texts[3])
    }

    /// What strangers send, in every field they control.
    static let attacks: [String] = [
        "\"", "\\", "\\\"", "\n", "\r\n", "\r\n127.0.0.1 - - [x] \"GET /fake HTTP/1.1\" 200 0 \"-\" \"-\"", "\0", "\t",
        "\u{1B}[2J",
        "\u{7F}", "\u{9B}31m", "\u{85}", "\u{2028}", "\u{202E}fdp.exe", "\u{FFFD}", "é", "漢字", "🙂",
        "\",\"status\":500,\"x\":\"",
        "</script>", "%0a", "${jndi:ldap://x}", String(repeating: "\"", count: 1000), "",
    ]
    private static let fields: [any WritableKeyPath<AccessRecord, String> & Sendable] = [
        \.remoteHost, \.remoteUser, \.host, \.method, \.target, \.version, \.referer, \.userAgent, \.requestID,
    ]

    @Test(arguments: attacks)
    func combinedCannotBeInjected(text: String) throws {
        let shape = try Regex(
            #"^[^ "]+ - [^ "]+ \[[^\]"]+\] "[^"]*" \d{3} \d+ "[^"]*" "[^"]*" [^ "]+ \d+\.\d{6} \d+\n$"#)
        for field in Self.fields {
            let line = Self.line(.combined, Self.record { $0[keyPath: field] = text })
            #expect(line.utf8.allSatisfy { (0x20..<0x7F).contains($0) || $0 == 0x0A })
            #expect(line.utf8.filter { $0 == 0x0A }.count == 1)
            #expect(line.wholeMatch(of: shape) != nil, "\(line)")
        }
    }

    @Test(arguments: attacks)
    func jsonCannotBeInjected(text: String) throws {
        for field in Self.fields {
            let line = Self.line(.json, Self.record { $0[keyPath: field] = text })
            #expect(line.utf8.filter { $0 == 0x0A }.count == 1)
            #expect(line.unicodeScalars.dropLast().allSatisfy { $0.value >= 0x20 && !(0x7F..<0xA0).contains($0.value) })
            let object = try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            #expect(object["status"] as? Int == 200)
            let strings = object.values.compactMap { $0 as? String }
            #expect(text.isEmpty || strings.contains(text))
        }
    }

    @Test(
        arguments: [
            (0, "0.000000"), (1, "0.000001"), (999_999, "0.999999"), (1_000_000, "1.000000"), (61_500_000, "61.500000"),
            (-5, "0.000000"),
        ])
    func durations(microseconds: Int, text: String) {
        var line: [UInt8] = []
        DecimalText.appendSeconds(microseconds: microseconds, to: &line)
        #expect(String(decoding: line, as: UTF8.self) == text)
    }

    @Test(arguments: [0, 7, 10, 99, 100, 12345, -1, .max, .min])
    func decimals(number: Int) {
        var line: [UInt8] = []
        DecimalText.append(number, to: &line)
        #expect(String(decoding: line, as: UTF8.self) == String(number))
    }
}
