/// How a line of the access log looks.
public enum AccessLogFormat: String, CaseIterable, Sendable {
    /// nginx's and Apache's combined format, followed by request id, duration in seconds and worker:
    /// `203.0.113.7 - - [21/Nov/2026:08:48:01 +0100] "GET / HTTP/1.1" 200 612 "-" "curl/8" 4f2a 0.000213 1`
    case combined
    /// One JSON object (RFC 8259) per line.
    case json
}

/// Writes lines of the access log. One per event loop: it remembers the second it last wrote.
struct AccessLogFormatter {
    let format: AccessLogFormat
    private var second = Int.min
    private var timeText: [UInt8] = []

    init(_ format: AccessLogFormat) {
        self.format = format
    }

    /// Appends the record's line, with its line end.
    mutating func append(_ record: AccessRecord, to line: inout [UInt8]) {
        switch format {
        case .combined: appendCombined(record, to: &line)
        case .json: appendJSON(record, to: &line)
        }
        line.append(0x0A)
    }

    /// Hexadecimal digits need no escaping.
    private func append(_ trace: TraceContext, to line: inout [UInt8]) {
        line.append(contentsOf: ",\"trace-id\":\"".utf8)
        line.append(contentsOf: trace.traceID.utf8)
        line.append(contentsOf: "\",\"parent-id\":\"".utf8)
        line.append(contentsOf: trace.parentID.utf8)
        line.append(contentsOf: (trace.isSampled ? "\",\"sampled\":true" : "\",\"sampled\":false").utf8)
    }

    private mutating func appendCombined(_ record: AccessRecord, to line: inout [UInt8]) {
        LineEscaping.appendBare(record.remoteHost, to: &line)
        line.append(contentsOf: " - ".utf8)
        LineEscaping.appendBare(record.remoteUser, to: &line)
        line.append(contentsOf: " [".utf8)
        if record.time.seconds != second {
            second = record.time.seconds
            timeText.removeAll(keepingCapacity: true)
            record.time.appendCommon(to: &timeText)
        }
        line.append(contentsOf: timeText)
        line.append(contentsOf: "] \"".utf8)
        LineEscaping.appendQuoted(record.method.utf8, to: &line)
        line.append(0x20)
        LineEscaping.appendQuoted(record.target.utf8, to: &line)
        line.append(0x20)
        LineEscaping.appendQuoted(record.version.utf8, to: &line)
        line.append(contentsOf: "\" ".utf8)
        DecimalText.append(record.status, digits: 3, to: &line)
        line.append(0x20)
        DecimalText.append(record.bodyBytes, to: &line)
        for field in [record.referer, record.userAgent] {
            line.append(contentsOf: " \"".utf8)
            LineEscaping.appendQuoted((field.isEmpty ? "-" : field).utf8, to: &line)
            line.append(0x22)
        }
        line.append(0x20)
        LineEscaping.appendBare(record.requestID, to: &line)
        line.append(0x20)
        DecimalText.appendSeconds(microseconds: record.microseconds, to: &line)
        line.append(0x20)
        DecimalText.append(record.worker + 1, to: &line)
    }

    private func appendJSON(_ record: AccessRecord, to line: inout [UInt8]) {
        line.append(contentsOf: "{\"time\":\"".utf8)
        record.time.appendRFC3339(to: &line)
        line.append(0x22)
        for (name, value) in [
            ("remote", record.remoteHost), ("user", record.remoteUser), ("host", record.host),
            ("method", record.method), ("target", record.target), ("version", record.version),
            ("referer", record.referer), ("user-agent", record.userAgent), ("request-id", record.requestID),
        ] where !value.isEmpty {
            line.append(contentsOf: ",\"".utf8)
            line.append(contentsOf: name.utf8)
            line.append(contentsOf: "\":".utf8)
            LineEscaping.appendJSON(value, to: &line)
        }
        if let trace = record.trace { append(trace, to: &line) }
        line.append(contentsOf: ",\"status\":".utf8)
        DecimalText.append(record.status, to: &line)
        line.append(contentsOf: ",\"bytes\":".utf8)
        DecimalText.append(record.bodyBytes, to: &line)
        line.append(contentsOf: ",\"seconds\":".utf8)
        DecimalText.appendSeconds(microseconds: record.microseconds, to: &line)
        line.append(contentsOf: ",\"worker\":".utf8)
        DecimalText.append(record.worker + 1, to: &line)
        line.append(UInt8(ascii: "}"))
    }
}
