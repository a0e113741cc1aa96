/// Why a worker should be replaced: a successor is started, and once that is ready this one is told to finish.
public enum RetireReason: Equatable, Sendable {
    /// It has answered as many requests as one may (`workers.max-requests`).
    case maxRequests
    /// It has served for as long as one may (`workers.max-age`).
    case maxAge
    /// It holds more memory than one may (`workers.max-memory`).
    case maxMemory
    /// A request does not let go of its thread; the text is for the log.
    case requestStuck(String)
    /// An event loop does not come back; the text is for the log.
    case loopStuck(String)

    /// Whether it can be trusted to finish by itself. Those that cannot are replaced first, and killed when the time to
    /// drain is over.
    public var isStuck: Bool {
        switch self {
        case .requestStuck, .loopStuck: true
        case .maxRequests, .maxAge, .maxMemory: false
        }
    }

    /// The word in messages, logs and metrics.
    public var name: String {
        switch self {
        case .maxRequests: "max-requests"
        case .maxAge: "max-age"
        case .maxMemory: "max-memory"
        case .requestStuck: "request-stuck"
        case .loopStuck: "loop-stuck"
        }
    }

    /// What the log says beside the word.
    public var detail: String? {
        switch self {
        case .requestStuck(let text), .loopStuck(let text): text
        case .maxRequests, .maxAge, .maxMemory: nil
        }
    }

    /// Reads a word and what stands behind it.
    init?(name: Substring, detail: Substring?) {
        switch (name, detail) {
        case ("max-requests", nil): self = .maxRequests
        case ("max-age", nil): self = .maxAge
        case ("max-memory", nil): self = .maxMemory
        case ("request-stuck", let detail): self = .requestStuck(String(detail ?? ""))
        case ("loop-stuck", let detail): self = .loopStuck(String(detail ?? ""))
        default: return nil
        }
    }
}
