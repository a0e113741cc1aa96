import Config
import Logging
import Telemetry

/// Logging as the configuration wants it.
enum LogAssembly {
    /// Sends everything logged to standard error, from now on; once per process.
    static func bootstrap(_ settings: Settings.Log, process: String) {
        let level = Logger.Level(rawValue: settings.level.rawValue) ?? .info
        switch settings.format {
        case .text: LoggingSystem.bootstrap { TextLogHandler(process: speaker($0, process), level: level) }
        case .json: LoggingSystem.bootstrap { JSONLogHandler(process: speaker($0, process), level: level) }
        }
    }

    /// For what a program beside the workers writes: under its own name.
    static func logger(ofProgram name: String) -> Logger { Logger(label: programLabel + name) }

    private static let programLabel = "program."

    private static func speaker(_ label: String, _ process: String) -> String {
        label.hasPrefix(programLabel) ? String(label.dropFirst(programLabel.count)) : process
    }

    /// The access log, or nil when it is off.
    static func accessLog(_ settings: Settings.Log, logger: Logger) throws -> AccessLogWriter? {
        let destination: AccessLogDestination
        switch settings.access {
        case .off: return nil
        case .standardOutput: destination = .standardOutput
        case .file(let path): destination = .file(path)
        }
        return try AccessLogWriter(destination, format: settings.format == .json ? .json : .combined) { problem in
            logger.error("\(problem)")
        }
    }
}
