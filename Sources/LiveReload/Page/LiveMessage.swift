/// What the development server has to say to the pages that are open, on its way from the process that watches the files
/// to the one that serves the pages.
public enum LiveMessage: Equatable, Sendable {
    /// A style sheet has changed: it can be exchanged in place. The file's path.
    case style(String)
    /// Something the page is made of has changed: it has to be loaded again.
    case page
    /// Something takes a while: a line about it; empty when it is over.
    case busy(String)
    /// The new code does not work; until it is mended every page says so.
    case broken(ErrorReport)
    case mended

    /// As text, for the control channel.
    public var text: String {
        switch self {
        case .style(let path): "style \(path)"
        case .page: "page"
        case .busy(let line): "busy \(line)"
        case .broken(let report): "broken \(report.title)\n\(report.text)"
        case .mended: "mended"
        }
    }

    /// Reads it again; nil for what this version does not know.
    public init?(_ text: String) {
        let parts = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        switch (parts[0], parts.count > 1 ? parts[1] : nil) {
        case ("style", let path?): self = .style(String(path))
        case ("page", nil): self = .page
        case ("busy", let line?): self = .busy(String(line))
        case ("broken", let report?):
            let lines = report.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
            self = .broken(ErrorReport(title: String(lines[0]), text: lines.count > 1 ? String(lines[1]) : ""))
        case ("mended", nil): self = .mended
        default: return nil
        }
    }
}
