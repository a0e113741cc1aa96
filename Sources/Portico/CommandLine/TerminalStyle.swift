import Glibc

/// Colours, where somebody sees them: on a terminal, unless `NO_COLOR` is set (no-color.org).
struct TerminalStyle {
    enum Colour: String {
        case red = "31"
        case green = "32"
        case yellow = "33"
    }

    let usesColour: Bool

    init(usesColour: Bool) { self.usesColour = usesColour }

    /// For what is written to `descriptor`.
    init(for descriptor: Int32, environment: [String: String] = Environment.all) {
        let isRefused = environment["NO_COLOR"].map { !$0.isEmpty } ?? false
        usesColour = isatty(descriptor) == 1 && !isRefused && environment["TERM"] != "dumb"
    }

    func text(_ text: String, _ colour: Colour) -> String {
        usesColour ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
    }
}
