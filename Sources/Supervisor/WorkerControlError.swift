import Platform

/// Why a process could not take up its work as a worker.
public enum WorkerControlError: Error, Equatable, CustomStringConvertible {
    /// The environment does not say so: the worker command is for the supervisor to call.
    case notAWorker
    /// What the environment says cannot be read.
    case malformedEnvironment(String)
    /// An inherited listener is not usable.
    case listener(BindError)
    /// The configuration could not be read, or the thread not be started.
    case system(SystemError)

    public var description: String {
        switch self {
        case .notAWorker: "this command is started by the supervisor; use `serve`"
        case .malformedEnvironment(let text): "the supervisor's instructions cannot be read: \(text)"
        case .listener(let error): "\(error)"
        case .system(let error): "\(error)"
        }
    }
}
