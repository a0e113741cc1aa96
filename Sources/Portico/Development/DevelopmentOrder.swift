import LiveReload

/// What the development server's watch has to say to the workers, as text on the control channel.
enum DevelopmentOrder: Equatable, Sendable {
    /// For the pages that are open.
    case page(LiveMessage)
    /// New requests are to wait: other code will serve them soon.
    case hold
    /// They need not wait any longer; this code goes on serving.
    case release

    var text: String {
        switch self {
        case .page(let message): message.text
        case .hold: "hold"
        case .release: "release"
        }
    }

    /// Reads it; nil for what this version does not know.
    init?(_ text: String) {
        switch text {
        case "hold": self = .hold
        case "release": self = .release
        default:
            guard let message = LiveMessage(text) else { return nil }
            self = .page(message)
        }
    }
}
