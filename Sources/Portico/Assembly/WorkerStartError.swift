import Supervisor

/// Why a worker cannot serve.
enum WorkerStartError: Error, CustomStringConvertible {
    /// The configuration cannot be served; trying again would not help.
    case configuration(String)
    /// A site did not start.
    case site(String, String)
    case system(String)
    /// A site cannot be loaded, or its database not be opened; trying again would not help.
    case application(String, String)

    var description: String {
        switch self {
        case .configuration(let text): text
        case .site(let name, let text): "site '\(name)' did not start: \(text)"
        case .system(let text): text
        case .application(let name, let text): "site '\(name)': \(text)"
        }
    }

    /// The process's exit status.
    var exitStatus: Int32 {
        switch self {
        case .configuration, .application: ExitCode.configuration
        case .site, .system: ExitCode.internalError
        }
    }
}
