/// What the development server has to say to the pages that are open: how things stand, rather than what has happened, so
/// that it is enough to hear the last of it. It comes from the process that watches the files to those that serve the pages.
public struct LiveState: Equatable, Sendable {
    /// Counts what has changed in the pages.
    public private(set) var number = 0
    /// The style sheet that the last change was in and nothing else, by its path: it can be exchanged in place.
    public private(set) var style: String?
    /// A line about something that takes a while; empty when nothing does.
    public var busy = ""
    /// Why the new code does not work; until it is mended every page says so.
    public private(set) var report: ErrorReport?

    public init() {}

    /// A style sheet has changed.
    public mutating func changed(style path: String) {
        number += 1
        // As text below it is one line.
        style = path.contains { $0.isNewline } ? nil : path
    }

    /// Something that pages are made of has changed.
    public mutating func changed() {
        number += 1
        style = nil
    }

    /// The new code does not work, or, without a report, it does (again).
    public mutating func replace(report new: ErrorReport?) {
        guard new != report else { return }
        report = new
        changed()
    }

    /// As text, for the control channel.
    public var text: String {
        let lines = ["live \(number)", style ?? "", busy.split(whereSeparator: \.isNewline).joined(separator: " ")]
        return (lines + (report.map { [$0.title, $0.text] } ?? [])).joined(separator: "\n")
    }

    /// Reads it again; nil for what this version does not know.
    public init?(_ text: String) {
        let lines = text.split(separator: "\n", maxSplits: 4, omittingEmptySubsequences: false).map(String.init)
        guard lines.count >= 3, lines[0].hasPrefix("live "), let number = Int(lines[0].dropFirst(5)) else { return nil }
        self.number = number
        style = lines[1].isEmpty ? nil : lines[1]
        busy = lines[2]
        if lines.count > 3 { report = ErrorReport(title: lines[3], text: lines.count > 4 ? lines[4] : "") }
    }
}
