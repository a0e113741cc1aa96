import Glibc
import Logging

/// Log lines for machines: one JSON object (RFC 8259) each, with `time`, `level`, `message`, `process`, `source`, `error`
/// and the metadata under its own keys in `metadata`.
public struct JSONLogHandler: LogHandler {
    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    private let process: String
    private let output: LogLineOutput

    /// - Parameters:
    ///   - process: who speaks, such as `supervisor` or `worker 2`; empty for nobody.
    ///   - descriptor: where to; standard error.
    public init(process: String, level: Logger.Level = .info, descriptor: Int32 = STDERR_FILENO) {
        self.process = process
        logLevel = level
        output = LogLineOutput(descriptor: descriptor)
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        output.write(line(event, at: .now()))
    }

    func line(_ event: LogEvent, at time: LogTime) -> [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity(256)
        line.append(contentsOf: "{\"time\":\"".utf8)
        time.appendRFC3339(to: &line)
        line.append(contentsOf: "\",\"level\":\"\(event.level.rawValue)\",\"message\":".utf8)
        LineEscaping.appendJSON("\(event.message)", to: &line)
        if !process.isEmpty {
            line.append(contentsOf: ",\"process\":".utf8)
            LineEscaping.appendJSON(process, to: &line)
        }
        line.append(contentsOf: ",\"source\":".utf8)
        LineEscaping.appendJSON(event.source, to: &line)
        if let error = event.error {
            line.append(contentsOf: ",\"error\":".utf8)
            LineEscaping.appendJSON("\(error)", to: &line)
        }
        let merged = LogMetadata.merged(metadata, metadataProvider, event.metadata)
        if !merged.isEmpty {
            line.append(contentsOf: ",\"metadata\":".utf8)
            LogMetadata.appendJSON(merged, to: &line)
        }
        line.append(contentsOf: [UInt8(ascii: "}"), 0x0A])
        return line
    }
}
