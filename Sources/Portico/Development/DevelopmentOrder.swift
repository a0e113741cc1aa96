import LiveReload

/// What a worker has to say to the development server's watch: files that its applications were imported from.
struct DevelopmentNews: Equatable, Sendable {
    /// So many fit into one message, however long their names are.
    static let mostFiles = 16

    let files: [String]

    var text: String { (["sources"] + files).joined(separator: "\n") }

    init(files: [String]) { self.files = files }

    init?(_ text: String) {
        let lines = text.split(separator: "\n").map(String.init)
        guard lines.first == "sources" else { return nil }
        files = Array(lines.dropFirst())
    }
}

/// What the development server's watch has to say to the workers, as text on the control channel.
enum DevelopmentOrder: Equatable, Sendable {
    /// For the pages that are open.
    case pages(LiveState)
    /// New requests are to wait: other code will serve them soon.
    case hold
    /// They need not wait any longer; this code goes on serving.
    case release

    var text: String {
        switch self {
        case .pages(let state): state.text
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
            guard let state = LiveState(text) else { return nil }
            self = .pages(state)
        }
    }
}
