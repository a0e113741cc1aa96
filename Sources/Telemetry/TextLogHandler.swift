import Glibc
import Logging

/// Log lines for people: `2026-11-21T07:48:01.123Z warning [worker 2] starting again in 0.1 s slot=1`.
///
/// What comes from outside cannot fake a line: control characters are escaped, and the continuation of a message with several
/// lines is indented.
public struct TextLogHandler: LogHandler {
    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    private let process: String
    private let isColored: Bool
    private let output: LogLineOutput

    /// - Parameters:
    ///   - process: who speaks, such as `supervisor` or `worker 2`; empty for nobody.
    ///   - isColored: nil finds out: on a terminal, unless `NO_COLOR` is set (https://no-color.org) or `TERM` is `dumb`.
    ///   - descriptor: where to; standard error.
    public init(
        process: String, level: Logger.Level = .info, isColored: Bool? = nil, descriptor: Int32 = STDERR_FILENO
    ) {
        self.process = process
        logLevel = level
        output = LogLineOutput(descriptor: descriptor)
        self.isColored = isColored ?? TextLogHandler.wantsColor(descriptor)
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
        line.reserveCapacity(160)
        time.appendRFC3339(to: &line)
        line.append(0x20)
        let color = isColored ? TextLogHandler.color(event.level) : nil
        if let color { line.append(contentsOf: color.utf8) }
        line.append(contentsOf: event.level.rawValue.utf8)
        if color != nil { line.append(contentsOf: "\u{1B}[0m".utf8) }
        line.append(0x20)
        if !process.isEmpty { line.append(contentsOf: "[\(process)] ".utf8) }
        LineEscaping.appendMessage("\(event.message)", to: &line)
        for (key, value) in LogMetadata.merged(metadata, metadataProvider, event.metadata) {
            line.append(0x20)
            LineEscaping.appendBare(key, to: &line)
            line.append(UInt8(ascii: "="))
            LogMetadata.appendText("\(value)", to: &line)
        }
        if let error = event.error {
            line.append(contentsOf: " error=".utf8)
            LogMetadata.appendText("\(error)", to: &line)
        }
        line.append(0x0A)
        return line
    }

    private static func wantsColor(_ descriptor: Int32) -> Bool {
        func variable(_ name: String) -> String { getenv(name).map { String(cString: $0) } ?? "" }
        return variable("NO_COLOR").isEmpty && variable("TERM") != "dumb" && isatty(descriptor) == 1
    }

    private static func color(_ level: Logger.Level) -> String {
        switch level {
        case .trace, .debug: "\u{1B}[2m"
        case .info: "\u{1B}[32m"
        case .notice: "\u{1B}[36m"
        case .warning: "\u{1B}[33m"
        case .error, .critical: "\u{1B}[31m"
        }
    }
}
